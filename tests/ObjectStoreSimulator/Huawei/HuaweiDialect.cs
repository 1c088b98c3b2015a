using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// Huawei Cloud OBS: set, get and delete bucket encryption, and what <see cref="ObsAccount"/> has, with OBS's own
/// signature, or in AWS's words with AWS's V2 (which the SDKs fall back to), and the SDKs' HEAD ?apiversion. Virtual
/// host and custom domain; path style on IP addresses and private names only. Order: address → signature → bucket, its
/// region and kind → deny rules → digest → body → operation.
/// </summary>
internal sealed partial class HuaweiDialect(World world) : IDialect
{
    public static readonly HostRules Hosts = new([BucketHost()], ServiceHost(), PathsOnServiceHost: false);

    private const string HostId = "c2ltdWxhdG9yIGhvc3QgaWQ=";

    private long _lastRequestId;

    public StoreCall Read(StoreRequest request)
    {
        StoreAddress address = StoreAddress.Parse(Hosts, request.Host, request.RawTarget, world.Buckets.OfDomain);
        string operation =
            request.Method == "HEAD" && address.Asks("apiversion")
                ? Operations.ApiVersion
                : Operations.Of(request, address);
        return new StoreCall(request, address, operation, ObsAuthorization.ClaimedKeyId(request));
    }

    public StoreAnswer Answer(StoreCall call)
    {
        (StoreAnswer? answer, StoreError? refusal) = Do(call);
        return answer ?? Refuse(call, refusal!);
    }

    /// <summary>XML Error with Code, Message, Resource, extras, RequestId, HostId.</summary>
    public StoreAnswer Refuse(StoreCall call, StoreError error)
    {
        string requestId = NextRequestId();
        XNamespace space = world.Settings.Values.ErrorNamespace
            ? "http://obs.myhwclouds.com/doc/2015-06-30/"
            : XNamespace.None;
        XElement body = new(
            space + "Error",
            new XElement(space + "Code", error.Code),
            new XElement(space + "Message", error.Message),
            new XElement(space + "Resource", $"/{call.Bucket}"),
            error.Extras.Select(extra => new XElement(space + extra.Key, extra.Value)),
            new XElement(space + "RequestId", requestId),
            new XElement(space + "HostId", HostId)
        );
        return NewAnswer(call, error.Status, requestId, StoreXml.Bytes(body)) with { ErrorCode = error.Code };
    }

    /// <summary>As OBS answers HEAD: code and message are headers.</summary>
    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is not { } code || answer.Body.IsEmpty
            ? answer
            : answer
                .With("x-obs-error-code", code)
                .With("x-obs-error-message", StoreXml.Text(StoreXml.Parse(answer.Body)!, "Message") ?? "") with
            {
                Body = ReadOnlyMemory<byte>.Empty,
            };

    private (StoreAnswer? Answer, StoreError? Refusal) Do(StoreCall call)
    {
        if (call.Operation == Operations.ApiVersion)
        {
            return (NewAnswer(call, 200, NextRequestId()).With("x-obs-api", "3.0"), null);
        }

        if (call.Address.Style == AddressStyle.ForbiddenPath && call.Bucket is not null)
        {
            return (null, ObsErrors.VirtualHostDomainRequired);
        }

        (Account? account, StoreError? refusal) = ObsAuthorization.Check(call, world);
        BucketSettings? bucket = call.Bucket is null ? null : world.Buckets.Find(call.Bucket);
        if (account is null || (refusal = CheckCall(call, bucket)) is not null)
        {
            return (null, refusal);
        }

        if (call.Operation == Operations.List)
        {
            (XElement? list, refusal) = ObsAccount.List(call, account, world);
            return list is null ? (null, refusal) : (Found(call, list), null);
        }

        string name = call.Bucket!;
        SettingValues settings = world.Settings.Values;
        ObsWords words = ObsWords.Of(call.Request);
        switch (call.Operation)
        {
            case Operations.Location:
                return (Found(call, ObsAccount.Location(bucket!, words)), null);
            case Operations.Tags:
                return ObsAccount.Tags(bucket!) is { } tags
                    ? (Found(call, tags), null)
                    : (null, AccountAnswers.NoTags(settings));
            case Operations.Put:
                (string? xml, refusal) = ObsEncryptionRules.Accept(call.Request.Body, words, bucket!, world);
                if (xml is null)
                {
                    return (null, refusal);
                }

                world.Write(name, xml);
                return (NewAnswer(call, 200, NextRequestId()), null);
            case Operations.Get:
                return world.Buckets.VisibleEncryption(name) is { } stored
                    ? (
                        NewAnswer(
                            call,
                            200,
                            NextRequestId(),
                            GetQuirks.Render(
                                ObsEncryptionRules.InWords(stored, ObsWords.Native, words),
                                settings,
                                id => LongKeyId(id, bucket!)
                            )
                        ),
                        null
                    )
                    : (null, ObsErrors.NotConfigured(settings));
            default:
                // 204, also when there is nothing to delete (the Java SDK's live test does it twice).
                world.Write(name, xml: null);
                return (NewAnswer(call, 204, NextRequestId()), null);
        }
    }

    private static string LongKeyId(string id, BucketSettings bucket) =>
        id.Contains(':', StringComparison.Ordinal) ? id : $"{bucket.Region}:{bucket.Owner}:key/{id}";

    private StoreError? CheckCall(StoreCall call, BucketSettings? bucket)
    {
        if (call.Operation == Operations.List)
        {
            return world.DenyRules.Find(call)?.AsError(ObsErrors.Denied, ObsErrors.DeniedByKms);
        }

        if (call.Operation == Operations.Unknown || call.Bucket is null || call.Address.Key.Length > 0)
        {
            return ObsErrors.MethodNotAllowed;
        }

        if (!BucketName().IsMatch(call.Bucket))
        {
            return ObsErrors.InvalidBucketName;
        }

        if (bucket is null)
        {
            return ObsErrors.NoSuchBucket;
        }

        if (call.Address.Region is { } region && region != bucket.Region)
        {
            return ObsErrors.WrongEndpoint(bucket.Region);
        }

        if (
            bucket.FileSystem == FileSystemKind.Unsupported
            && call.Operation is Operations.Get or Operations.Put or Operations.Delete
        )
        {
            return ObsErrors.FsNotSupport;
        }

        return world.DenyRules.Find(call) is { } rule
            ? rule.AsError(ObsErrors.Denied, ObsErrors.DeniedByKms)
            : CheckBody(call.Request);
    }

    private static StoreError? CheckBody(StoreRequest request) =>
        ContentDigest.CheckMd5(request) switch
        {
            _ when request.BodyTooLarge => ObsErrors.EntityTooLarge,
            DigestVerdict.Malformed => ObsErrors.InvalidDigest,
            DigestVerdict.Wrong => ObsErrors.BadDigest,
            _ => null,
        };

    private StoreAnswer Found(StoreCall call, XElement document) =>
        NewAnswer(call, 200, NextRequestId(), StoreXml.Bytes(document));

    /// <summary>In AWS's words the request id has AWS's name.</summary>
    private StoreAnswer NewAnswer(StoreCall call, int status, string requestId, byte[]? body = null)
    {
        string prefix = ObsWords.Of(call.Request).HeaderPrefix;
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            new("Server", "OBS"),
            new("Date", world.Clock.UtcNow.ToString("r")),
            new(prefix + "request-id", requestId),
            new(prefix + "id-2", HostId),
        ];
        return new StoreAnswer(
            status,
            ErrorCode: null,
            body is null ? headers : headers.Add(new("Content-Type", "application/xml")),
            body
        );
    }

    /// <summary>32 upper-case hex digits, as OBS's are; each once per process.</summary>
    private string NextRequestId() => $"00000190{Interlocked.Increment(ref _lastRequestId):X24}";

    [GeneratedRegex(
        @"^(?<bucket>.+?)\.obs\.(?<region>[a-z0-9-]+)\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex BucketHost();

    [GeneratedRegex(
        @"^obs\.(?<region>[a-z0-9-]+)\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();

    /// <summary>
    /// Lower-case letters, digits, hyphens, dots; 3 to 63; begins and ends with a letter or digit. Source: OBS API
    /// reference "Creating a bucket".
    /// </summary>
    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BucketName();
}
