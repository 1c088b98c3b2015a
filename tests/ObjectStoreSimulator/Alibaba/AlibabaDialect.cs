using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// Alibaba Cloud OSS: Put, Get and DeleteBucketEncryption, GetBucketInfo and what <see cref="OssAccount"/> has, with V4
/// and V1 signatures. Order: address → signature → bucket and its region → deny rules → body → operation.
/// </summary>
internal sealed partial class AlibabaDialect(World world) : IDialect
{
    private long _lastRequestId;

    public StoreCall Read(StoreRequest request)
    {
        StoreAddress address = StoreAddress.Parse(
            OssHosts.Rules,
            request.Host,
            request.RawTarget,
            world.Buckets.OfDomain
        );
        string operation = Operations.Of(request, address);
        if (operation == Operations.Unknown && request.Method == "GET" && address.Asks("bucketInfo"))
        {
            operation = Operations.Info;
        }

        return new StoreCall(request, address, operation, OssAuthorization.ClaimedKeyId(request));
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (StoreAnswer? answer, StoreError? refusal) = Do(call);
        return answer ?? Refuse(call, refusal!);
    }

    /// <summary>
    /// The shape of OSS's errors: XML Error with Code, Message, RequestId, HostId, BucketName, extras, EC and
    /// RecommendDoc (seen in real answers and SDK tests), sometimes with a namespace; or an empty body and the same XML
    /// in x-oss-err.
    /// </summary>
    public StoreAnswer Refuse(StoreCall call, StoreError error)
    {
        string region =
            (call.Bucket is null ? null : world.Buckets.Find(call.Bucket)?.Region)
            ?? call.Address.Region
            ?? "cn-hangzhou";
        XNamespace space = world.Settings.Values.ErrorNamespace
            ? $"http://doc.oss-{region}.aliyuncs.com"
            : XNamespace.None;
        string requestId = NextRequestId();
        List<XElement> elements =
        [
            new(space + "Code", error.Code),
            new(space + "Message", error.Message),
            new(space + "RequestId", requestId),
            new(space + "HostId", call.Address.HostName),
        ];
        if (call.Bucket is { } bucket)
        {
            elements.Add(new(space + "BucketName", bucket));
        }

        elements.AddRange(error.Extras.Select(extra => new XElement(space + extra.Key, extra.Value)));
        if (error.Ec is { } ec)
        {
            elements.Add(new(space + "EC", ec));
            elements.Add(new(space + "RecommendDoc", $"https://api.aliyun.com/troubleshoot?q={ec}"));
        }

        StoreAnswer answer = NewAnswer(
            error.Status,
            requestId,
            StoreXml.Bytes(new XElement(space + "Error", elements))
        ) with
        {
            ErrorCode = error.Code,
        };
        return error.Ec is null ? answer : answer.With("x-oss-ec", error.Ec);
    }

    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is null || answer.Body.IsEmpty
            ? answer
            : answer.With("x-oss-err", Convert.ToBase64String(answer.Body.Span)) with
            {
                Body = ReadOnlyMemory<byte>.Empty,
            };

    private (StoreAnswer? Answer, StoreError? Refusal) Do(StoreCall call)
    {
        if (call.Address.Style == AddressStyle.ForbiddenPath && call.Bucket is not null)
        {
            return (null, OssErrors.SecondLevelDomainForbidden);
        }

        BucketSettings? bucket = call.Bucket is null ? null : world.Buckets.Find(call.Bucket);
        (Account? account, StoreError? refusal) = OssAuthorization.Check(call, bucket, world);
        if (account is null || (refusal = CheckCall(call, bucket)) is not null)
        {
            return (null, refusal);
        }

        if (call.Operation == Operations.List)
        {
            (XElement? list, refusal) = OssAccount.List(call, account, world);
            return list is null ? (null, refusal) : (Found(list), null);
        }

        string name = call.Bucket!;
        return call.Operation switch
        {
            Operations.Location => (Found(OssAccount.Location(bucket!)), null),
            Operations.Tags => (Found(OssAccount.Tags(bucket!)), null),
            Operations.Put => Put(call, name, bucket!, account),
            Operations.Get => Get(name),
            Operations.Delete => Delete(name),
            _ => (Info(name, bucket!), null),
        };
    }

    private StoreError? CheckCall(StoreCall call, BucketSettings? bucket)
    {
        if (call.Operation == Operations.List)
        {
            return world.DenyRules.Find(call)?.AsError(OssErrors.Denied, OssErrors.DeniedByKms);
        }

        if (call.Operation == Operations.Unknown || call.Bucket is null || call.Address.Key.Length > 0)
        {
            return call.Address.Asks("encryption") && call.Bucket is not null
                ? OssErrors.MethodNotAllowed
                : OssErrors.NotImplemented;
        }

        if (!BucketName().IsMatch(call.Bucket))
        {
            return OssErrors.InvalidBucketName;
        }

        if (bucket is null)
        {
            return OssErrors.NoSuchBucket;
        }

        if (call.Address.Region is { } region && region != bucket.Region)
        {
            return OssErrors.WrongEndpoint(bucket.Region);
        }

        return world.DenyRules.Find(call) is { } rule
            ? rule.AsError(OssErrors.Denied, OssErrors.DeniedByKms)
            : CheckBody(call.Request);
    }

    /// <summary>
    /// Content-MD5 is not required (the API page lists common headers only); where it is sent it must be right.
    /// </summary>
    private static StoreError? CheckBody(StoreRequest request) =>
        request.BodyTooLarge
            ? OssErrors.EntityTooLarge
            : ContentDigest.CheckMd5(request) switch
            {
                DigestVerdict.Malformed => OssErrors.InvalidDigest,
                DigestVerdict.Wrong => OssErrors.BadDigest,
                _ => null,
            };

    private (StoreAnswer? Answer, StoreError? Refusal) Put(
        StoreCall call,
        string name,
        BucketSettings bucket,
        Account account
    )
    {
        (string? xml, StoreError? refusal) = OssEncryptionRules.Accept(
            call.Request.Body,
            account,
            bucket,
            world.Settings.Values
        );
        if (xml is null)
        {
            return (null, refusal);
        }

        world.Write(name, xml);
        return (NewAnswer(200, NextRequestId()), null);
    }

    private (StoreAnswer? Answer, StoreError? Refusal) Get(string name)
    {
        SettingValues settings = world.Settings.Values;
        return world.Buckets.VisibleEncryption(name) is { } xml
            ? (NewAnswer(200, NextRequestId(), GetQuirks.Render(xml, settings, longKeyId: id => id)), null)
            : (null, OssErrors.NoSuchRule(settings));
    }

    /// <summary>
    /// 204, also when there is nothing to delete (UNCONFIRMED: Terraform's provider takes 404 for done).
    /// </summary>
    private (StoreAnswer? Answer, StoreError? Refusal) Delete(string name)
    {
        world.Write(name, xml: null);
        return (NewAnswer(204, NextRequestId()), null);
    }

    /// <summary>GetBucketInfo, of which only name, region and rule are filled.</summary>
    private StoreAnswer Info(string name, BucketSettings bucket) =>
        NewAnswer(
            200,
            NextRequestId(),
            StoreXml.Bytes(
                new XElement(
                    "BucketInfo",
                    new XElement(
                        "Bucket",
                        new XElement("Name", name),
                        new XElement("Location", $"oss-{bucket.Region}"),
                        new XElement("ExtranetEndpoint", $"oss-{bucket.Region}.aliyuncs.com"),
                        new XElement("IntranetEndpoint", $"oss-{bucket.Region}-internal.aliyuncs.com"),
                        OssEncryptionRules.AsBucketInfo(world.Buckets.VisibleEncryption(name))
                    )
                )
            )
        );

    private StoreAnswer Found(XElement document) => NewAnswer(200, NextRequestId(), StoreXml.Bytes(document));

    private StoreAnswer NewAnswer(int status, string requestId, byte[]? body = null)
    {
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            new("Server", "AliyunOSS"),
            new("Date", world.Clock.UtcNow.ToString("r")),
            new("x-oss-request-id", requestId),
            new("x-oss-server-time", "1"),
        ];
        return new StoreAnswer(
            status,
            ErrorCode: null,
            body is null ? headers : headers.Add(new("Content-Type", "application/xml")),
            body
        );
    }

    /// <summary>24 upper-case hex digits, as OSS's are; each once per process.</summary>
    private string NextRequestId() => $"{0x65000000:X8}{Interlocked.Increment(ref _lastRequestId):X16}";

    /// <summary>
    /// Lower-case letters, digits, hyphens; 3 to 63; no hyphen at either end. Source: OSS bucket naming conventions.
    /// </summary>
    [GeneratedRegex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BucketName();
}
