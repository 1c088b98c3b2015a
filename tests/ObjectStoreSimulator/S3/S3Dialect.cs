using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.S3;

/// <summary>
/// S3: Put, Get and DeleteBucketEncryption and what <see cref="S3Account"/> has, with Signature V4; what AWS and MinIO
/// do differently is in
/// <see cref="IS3Rules"/>. Order: address → signature → bucket, its region and its owner → deny rules → digest → body →
/// operation.
/// </summary>
internal sealed partial class S3Dialect(World world, IS3Rules rules) : IDialect
{
    public static readonly XNamespace S3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    private const string HostId = "c2ltdWxhdG9yIGhvc3QgaWQ=";

    private long _lastRequestId;

    public StoreCall Read(StoreRequest request)
    {
        StoreAddress address = StoreAddress.Parse(S3Hosts.Rules, request.Host, request.RawTarget);
        return new StoreCall(
            request,
            address,
            Operations.Of(request, address),
            SigV4Claim.Parse(request.Header("authorization"))?.AccessKeyId
        );
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (StoreAnswer? answer, StoreError? refusal) = Do(call);
        return answer ?? Refuse(call, refusal!);
    }

    /// <summary>
    /// XML Error with Code, Message, extras, BucketName, RequestId, HostId; where the bucket's region is the matter, a
    /// header names it, too.
    /// </summary>
    public StoreAnswer Refuse(StoreCall call, StoreError error)
    {
        string requestId = NextRequestId();
        XNamespace space = world.Settings.Values.ErrorNamespace ? S3Namespace : XNamespace.None;
        List<XElement> elements = [new(space + "Code", error.Code), new(space + "Message", error.Message)];
        elements.AddRange(error.Extras.Select(extra => new XElement(space + extra.Key, extra.Value)));
        if (call.Bucket is { } bucket)
        {
            elements.Add(new(space + "BucketName", bucket));
        }

        elements.Add(new(space + "Resource", call.Address.RawPath));
        elements.Add(new(space + "RequestId", requestId));
        elements.Add(new(space + "HostId", HostId));
        StoreAnswer answer = NewAnswer(
            error.Status,
            requestId,
            StoreXml.Bytes(new XElement(space + "Error", elements))
        ) with
        {
            ErrorCode = error.Code,
        };
        return error.Code is "PermanentRedirect" or "AuthorizationHeaderMalformed" && RegionOf(call) is { } region
            ? answer.With("x-amz-bucket-region", region)
            : answer;
    }

    /// <summary>S3 has no other way: an empty body tells nothing but its status.</summary>
    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is null ? answer : answer with { Body = ReadOnlyMemory<byte>.Empty };

    private string? RegionOf(StoreCall call) => call.Bucket is null ? null : world.Buckets.Find(call.Bucket)?.Region;

    private (StoreAnswer? Answer, StoreError? Refusal) Do(StoreCall call)
    {
        (Account? account, StoreError? refusal) = SigV4Authorization.Check(
            call,
            call.Address.Region ?? RegionOf(call),
            world
        );
        if (account is null || (refusal = CheckCall(call)) is not null)
        {
            return (null, refusal);
        }

        if (call.Operation == Operations.List)
        {
            (XElement? list, refusal) = rules.List(call, account, world);
            return list is null ? (null, refusal) : (Found(list), null);
        }

        string name = call.Bucket!;
        switch (call.Operation)
        {
            case Operations.Location:
                return (Found(S3Account.Location(world.Buckets.Find(name)!)), null);
            case Operations.Tags:
                return S3Account.Tags(world.Buckets.Find(name)!) is { } tags
                    ? (Found(tags), null)
                    : (null, AccountAnswers.NoTags(world.Settings.Values));
            case var operation when world.Settings.Values.NoEncryptionSubResource:
                return DoToTheBucket(operation, name);
            case Operations.Put:
                (string? xml, refusal) = rules.Accept(call.Request.Body, account, world);
                if (xml is null)
                {
                    return (null, refusal);
                }

                world.Write(name, xml);
                return (NewAnswer(200, NextRequestId()), null);
            case Operations.Get:
                SettingValues settings = world.Settings.Values;
                return (world.Buckets.VisibleEncryption(name) ?? rules.Always) is { } stored
                    ? (
                        NewAnswer(
                            200,
                            NextRequestId(),
                            GetQuirks.Render(
                                stored,
                                settings,
                                id => id.Contains(':', StringComparison.Ordinal) ? id : LongKeyId(call, id)
                            )
                        ),
                        null
                    )
                    : (null, S3Errors.NotConfigured(settings));
            default:
                world.Write(name, xml: null);
                return (NewAnswer(204, NextRequestId()), null);
        }
    }

    /// <summary>
    /// What Ceph 16 does with <c>?encryption</c>: the sub-resource is not looked at. Source: seen on 16.2.15.
    /// </summary>
    private (StoreAnswer? Answer, StoreError? Refusal) DoToTheBucket(string operation, string bucket)
    {
        switch (operation)
        {
            case Operations.Put:
                return (null, new StoreError(400, "InvalidArgument", ""));
            case Operations.Get:
                XElement list = new(
                    S3Namespace + "ListBucketResult",
                    new XElement(S3Namespace + "Name", bucket),
                    new XElement(S3Namespace + "IsTruncated", false)
                );
                return (NewAnswer(200, NextRequestId(), StoreXml.Bytes(list)), null);
            default:
                world.Buckets.Remove(bucket);
                return (NewAnswer(204, NextRequestId()), null);
        }
    }

    private string LongKeyId(StoreCall call, string id)
    {
        BucketSettings bucket = world.Buckets.Find(call.Bucket!)!;
        return $"arn:aws:kms:{bucket.Region}:{bucket.Owner}:key/{id}";
    }

    private StoreError? CheckCall(StoreCall call)
    {
        if (call.Operation == Operations.List)
        {
            return null;
        }

        if (call.Operation == Operations.Unknown || call.Bucket is null || call.Address.Key.Length > 0)
        {
            return call.Address.Asks("encryption") && call.Bucket is not null
                ? S3Errors.MethodNotAllowed
                : S3Errors.NotImplemented;
        }

        if (!BucketName().IsMatch(call.Bucket))
        {
            return S3Errors.InvalidBucketName;
        }

        if (world.Buckets.Find(call.Bucket) is not { } bucket)
        {
            return S3Errors.NoSuchBucket;
        }

        if (call.Address.Region is { } region && region != bucket.Region)
        {
            return S3Errors.PermanentRedirect(call.Bucket, bucket.Region);
        }

        if (call.Request.Header("x-amz-expected-bucket-owner") is { } owner && owner != bucket.Owner)
        {
            return SigV4Errors.Denied;
        }

        return world.DenyRules.Find(call) is { } rule
            ? rule.AsError(SigV4Errors.Denied, S3Errors.DeniedByKms)
            : CheckBody(call);
    }

    private StoreError? CheckBody(StoreCall call)
    {
        DigestVerdict md5 = ContentDigest.CheckMd5(call.Request);
        DigestVerdict checksum = ContentDigest.CheckAmzChecksum(call.Request);
        return (DigestVerdict)Math.Max((int)md5, (int)checksum) switch
        {
            _ when call.Request.BodyTooLarge => S3Errors.EntityTooLarge,
            DigestVerdict.Malformed => S3Errors.InvalidDigest,
            DigestVerdict.Wrong => S3Errors.BadDigest,
            DigestVerdict.Absent when call.Operation == Operations.Put && rules.NeedsChecksum => S3Errors.NoChecksum,
            _ => null,
        };
    }

    private StoreAnswer Found(XElement document) => NewAnswer(200, NextRequestId(), StoreXml.Bytes(document));

    private StoreAnswer NewAnswer(int status, string requestId, byte[]? body = null)
    {
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            new("Server", rules.Server),
            new("Date", world.Clock.UtcNow.ToString("r")),
            new("x-amz-request-id", requestId),
            new("x-amz-id-2", HostId),
        ];
        return new StoreAnswer(
            status,
            ErrorCode: null,
            body is null ? headers : headers.Add(new("Content-Type", "application/xml")),
            body
        );
    }

    /// <summary>16 upper-case hex digits; each once per process.</summary>
    private string NextRequestId() => $"{Interlocked.Increment(ref _lastRequestId):X16}";

    /// <summary>
    /// Letters in lower case, digits, hyphens, dots; 3 to 63; begins and ends with a letter or digit. Source: AWS
    /// "Bucket naming rules".
    /// </summary>
    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BucketName();
}
