using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Alibaba;

internal sealed record OssCall(StoreRequest Request, OssAddress Address, string Operation, string? AccessKeyId)
    : StoreCall(Request, "AlibabaOSS", Address.Bucket, Operation, AccessKeyId);

/// <summary>
/// Alibaba Cloud OSS: Put, Get and DeleteBucketEncryption and GetBucketInfo, with V4 and V1 signatures.
/// Order: address → signature → bucket and its region → deny rules → body → operation.
/// </summary>
internal sealed partial class AlibabaDialect(World world) : IDialect
{
    private long _lastRequestId;

    /// <summary>The one dialect so far: takes everything.</summary>
    public StoreCall? Recognise(StoreRequest request)
    {
        OssAddress address = OssAddress.Parse(request.Host, request.RawTarget);
        return new OssCall(request, address, OperationOf(request.Method, address), OssAuthorization.ClaimedKeyId(request));
    }

    public StoreAnswer Answer(StoreCall call)
    {
        OssCall oss = (OssCall)call;
        (StoreAnswer? answer, StoreError? refusal) = Do(oss);
        return answer ?? Refuse(call, refusal!);
    }

    /// <summary>
    /// The shape of OSS's errors: XML Error with Code, Message, RequestId, HostId, BucketName, extras, EC and RecommendDoc (seen in real answers and SDK tests),
    /// sometimes with a namespace; or an empty body and the same XML in x-oss-err.
    /// </summary>
    public StoreAnswer Refuse(StoreCall call, StoreError error)
    {
        OssCall oss = (OssCall)call;
        string region = (oss.Bucket is null ? null : world.Buckets.Find(oss.Bucket)?.Region) ?? oss.Address.Region ?? "cn-hangzhou";
        XNamespace space = world.Settings.Values.ErrorNamespace ? $"http://doc.oss-{region}.aliyuncs.com" : XNamespace.None;
        string requestId = NextRequestId();
        List<XElement> elements =
        [
            new(space + "Code", error.Code),
            new(space + "Message", error.Message),
            new(space + "RequestId", requestId),
            new(space + "HostId", oss.Address.HostName),
        ];
        if (oss.Bucket is { } bucket)
        {
            elements.Add(new(space + "BucketName", bucket));
        }

        elements.AddRange(error.Extras.Select(extra => new XElement(space + extra.Key, extra.Value)));
        if (error.Ec is { } ec)
        {
            elements.Add(new(space + "EC", ec));
            elements.Add(new(space + "RecommendDoc", $"https://api.aliyun.com/troubleshoot?q={ec}"));
        }

        StoreAnswer answer = NewAnswer(error.Status, requestId, Xml(new XElement(space + "Error", elements))) with { ErrorCode = error.Code };
        answer = error.Ec is null ? answer : answer.With("x-oss-ec", error.Ec);
        return world.Settings.Values.EmptyErrorBodies ? WithoutBody(answer) : answer;
    }

    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is null || answer.Body.IsEmpty
            ? answer
            : answer.With("x-oss-err", Convert.ToBase64String(answer.Body.Span)) with { Body = ReadOnlyMemory<byte>.Empty };

    private static string OperationOf(string method, OssAddress address) => (method, address.Asks("encryption"), address.Asks("bucketInfo")) switch
    {
        ("GET", true, _) => Operations.Get,
        ("PUT", true, _) => Operations.Put,
        ("DELETE", true, _) => Operations.Delete,
        ("GET", _, true) => Operations.Info,
        _ => Operations.Unknown,
    };

    private (StoreAnswer? Answer, StoreError? Refusal) Do(OssCall call)
    {
        if (call.Address.Style == OssHostStyle.ForbiddenPath && call.Bucket is not null)
        {
            return (null, OssErrors.SecondLevelDomainForbidden);
        }

        BucketSettings? bucket = call.Bucket is null ? null : world.Buckets.Find(call.Bucket);
        (Account? account, StoreError? refusal) = OssAuthorization.Check(call, bucket, world);
        if (account is null || (refusal = CheckCall(call, bucket)) is not null)
        {
            return (null, refusal);
        }

        string name = call.Bucket!;
        return call.Operation switch
        {
            Operations.Put => Put(call, name, bucket!, account),
            Operations.Get => Get(name),
            Operations.Delete => Delete(name),
            _ => (Info(name, bucket!), null),
        };
    }

    private StoreError? CheckCall(OssCall call, BucketSettings? bucket)
    {
        if (call.Operation == Operations.Unknown || call.Bucket is null || call.Address.Key.Length > 0)
        {
            return call.Address.Asks("encryption") && call.Bucket is not null ? OssErrors.MethodNotAllowed : OssErrors.NotImplemented;
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

        return world.DenyRules.Find(call) is { } rule ? AsError(rule) : CheckBody(call.Request);
    }

    private static StoreError AsError(DenyRule rule)
    {
        StoreError usual = rule.ByKms ? OssErrors.DeniedByKms : OssErrors.Denied;
        return new StoreError(rule.Status, rule.Code, rule.Message ?? usual.Message, rule.Ec ?? (rule.Code == usual.Code ? usual.Ec : null));
    }

    /// <summary>Content-MD5 is not required (the API page lists common headers only); where it is sent it must be right.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351", Justification = "Content-MD5 is MD5.")]
    private static StoreError? CheckBody(StoreRequest request)
    {
        if (request.BodyTooLarge)
        {
            return OssErrors.EntityTooLarge;
        }

        if (request.Header("content-md5") is not { } digest)
        {
            return null;
        }

        Span<byte> sent = stackalloc byte[16];
        if (!Convert.TryFromBase64String(digest, sent, out int length) || length != 16)
        {
            return OssErrors.InvalidDigest;
        }

        return sent.SequenceEqual(MD5.HashData(request.Body.Span)) ? null : OssErrors.BadDigest;
    }

    private (StoreAnswer? Answer, StoreError? Refusal) Put(OssCall call, string name, BucketSettings bucket, Account account)
    {
        (string? xml, StoreError? refusal) = OssEncryptionRules.Accept(call.Request.Body, account, bucket);
        if (xml is null)
        {
            return (null, refusal);
        }

        world.Buckets.SetEncryption(name, xml, TimeSpan.FromMilliseconds(world.Settings.Values.ReadLagMs));
        return (NewAnswer(200, NextRequestId()), null);
    }

    private (StoreAnswer? Answer, StoreError? Refusal) Get(string name)
    {
        SettingValues settings = world.Settings.Values;
        return world.Buckets.VisibleEncryption(name) is { } xml
            ? (NewAnswer(200, NextRequestId(), OssEncryptionRules.Render(xml, settings.WhiteSpace)), null)
            : (null, OssErrors.NoSuchRule(settings.NotConfiguredStatus));
    }

    /// <summary>204, also when there is nothing to delete (UNCONFIRMED: Terraform's provider takes 404 for done).</summary>
    private (StoreAnswer? Answer, StoreError? Refusal) Delete(string name)
    {
        world.Buckets.SetEncryption(name, xml: null, TimeSpan.FromMilliseconds(world.Settings.Values.ReadLagMs));
        return (NewAnswer(204, NextRequestId()), null);
    }

    /// <summary>GetBucketInfo, of which only name, region and rule are filled.</summary>
    private StoreAnswer Info(string name, BucketSettings bucket) =>
        NewAnswer(200, NextRequestId(), Xml(new XElement(
            "BucketInfo",
            new XElement(
                "Bucket",
                new XElement("Name", name),
                new XElement("Location", $"oss-{bucket.Region}"),
                new XElement("ExtranetEndpoint", $"oss-{bucket.Region}.aliyuncs.com"),
                new XElement("IntranetEndpoint", $"oss-{bucket.Region}-internal.aliyuncs.com"),
                OssEncryptionRules.AsBucketInfo(world.Buckets.VisibleEncryption(name))))));

    private StoreAnswer NewAnswer(int status, string requestId, byte[]? body = null)
    {
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            new("Server", "AliyunOSS"),
            new("Date", world.Clock.UtcNow.ToString("r")),
            new("x-oss-request-id", requestId),
            new("x-oss-server-time", "1"),
        ];
        return new StoreAnswer(status, ErrorCode: null, body is null ? headers : headers.Add(new("Content-Type", "application/xml")), body);
    }

    /// <summary>24 upper-case hex digits, as OSS's are; each once per process.</summary>
    private string NextRequestId() => $"{0x65000000:X8}{Interlocked.Increment(ref _lastRequestId):X16}";

    private static byte[] Xml(XElement root) => Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n");

    /// <summary>Lower-case letters, digits, hyphens; 3 to 63; no hyphen at either end. Source: OSS bucket naming conventions.</summary>
    [GeneratedRegex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BucketName();
}
