using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.JDCloud;

/// <summary>
/// JD Cloud OSS on its S3-compatible domain: Put, Get and DeleteBucketEncryption and what <see cref="JDCloudAccount"/>
/// has, with Signature V4. <c>aws:kms</c> only; DELETE answers 200; answers have no namespace and name the request in
/// x-req-id and x-amz-request-id; temporary keys and chunked bodies are "not compatible". The vendor publishes no error
/// table for this domain: codes are S3's, UNCONFIRMED, and so is every rule below that says so. Source: JD Cloud's
/// pages on the three calls, on headers' compatibility and on the S3 SDKs. Order: signature → bucket and its region →
/// deny rules → digest → body → operation.
/// </summary>
internal sealed partial class JDCloudDialect(World world) : IDialect
{
    private static readonly HostRules Hosts = new([BucketHost()], ServiceHost(), PathsOnServiceHost: true);
    private static readonly ImmutableArray<string> Order =
    [
        EncryptionDocument.Apply,
        EncryptionDocument.Algorithm,
        EncryptionDocument.KeyId,
    ];

    /// <summary>
    /// Elements of others that this vendor does not list. That it refuses them is UNCONFIRMED; a client that sends them
    /// is to notice.
    /// </summary>
    private static readonly string[] Foreign =
    [
        EncryptionDocument.DataEncryption,
        EncryptionDocument.ProjectId,
        EncryptionDocument.BucketKeyEnabled,
        EncryptionDocument.BucketKeyRotationPeriod,
    ];

    private long _lastRequestId;

    public StoreCall Read(StoreRequest request)
    {
        StoreAddress address = StoreAddress.Parse(Hosts, request.Host, request.RawTarget);
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
    /// XML Error with Code, Message, extras, Resource and RequestId (UNCONFIRMED: the native API speaks JSON).
    /// </summary>
    public StoreAnswer Refuse(StoreCall call, StoreError error)
    {
        string requestId = NextRequestId();
        XElement body = new(
            "Error",
            new XElement("Code", error.Code),
            new XElement("Message", error.Message),
            error.Extras.Select(extra => new XElement(extra.Key, extra.Value)),
            new XElement("Resource", call.Address.RawPath),
            new XElement("RequestId", requestId)
        );
        return NewAnswer(error.Status, requestId, StoreXml.Bytes(body)) with { ErrorCode = error.Code };
    }

    public StoreAnswer WithoutBody(StoreAnswer answer) =>
        answer.ErrorCode is null ? answer : answer with { Body = ReadOnlyMemory<byte>.Empty };

    private (StoreAnswer? Answer, StoreError? Refusal) Do(StoreCall call)
    {
        if (call.Request.Header("x-amz-security-token") is not null)
        {
            return (null, new StoreError(400, "InvalidArgument", "The header x-amz-security-token is not supported."));
        }

        BucketSettings? bucket = call.Bucket is null ? null : world.Buckets.Find(call.Bucket);
        (Account? account, StoreError? refusal) = SigV4Authorization.Check(
            call,
            call.Address.Region ?? bucket?.Region,
            world
        );
        if (account is null || (refusal = CheckCall(call, bucket)) is not null)
        {
            return (null, refusal);
        }

        if (call.Operation == Operations.List)
        {
            return (Found(JDCloudAccount.List(account, world)), null);
        }

        string name = call.Bucket!;
        SettingValues settings = world.Settings.Values;
        switch (call.Operation)
        {
            case Operations.Location:
                return (Found(JDCloudAccount.Location(bucket!)), null);
            case Operations.Tags:
                return JDCloudAccount.Tags(bucket!) is { } tags
                    ? (Found(tags), null)
                    : (null, AccountAnswers.NoTags(settings));
            case Operations.Put:
                (string? xml, refusal) = Accept(call.Request.Body, account, settings);
                if (xml is null)
                {
                    return (null, refusal);
                }

                world.Write(name, xml);
                return (NewAnswer(200, NextRequestId()), null);
            case Operations.Get:
                return world.Buckets.VisibleEncryption(name) is { } stored
                    ? (NewAnswer(200, NextRequestId(), GetQuirks.Render(stored, settings, longKeyId: id => id)), null)
                    : (null, NotConfigured(settings));
            default:
                // 200, as the page's sample has it, also when there is nothing to delete (UNCONFIRMED).
                world.Write(name, xml: null);
                return (NewAnswer(200, NextRequestId()), null);
        }
    }

    private StoreError? CheckCall(StoreCall call, BucketSettings? bucket)
    {
        if (call.Operation == Operations.List)
        {
            return world.DenyRules.Find(call)?.AsError(SigV4Errors.Denied, SigV4Errors.Denied);
        }

        if (call.Operation == Operations.Unknown || call.Bucket is null || call.Address.Key.Length > 0)
        {
            return new StoreError(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource."
            );
        }

        if (bucket is null)
        {
            return new StoreError(404, "NoSuchBucket", "The specified bucket does not exist.");
        }

        if (call.Address.Region is { } region && region != bucket.Region)
        {
            return new StoreError(
                301,
                "PermanentRedirect",
                "The bucket must be addressed using the specified endpoint."
            )
            {
                Extras = [new("Endpoint", $"s3.{bucket.Region}.jdcloud-oss.com")],
            };
        }

        return world.DenyRules.Find(call) is { } rule
            ? rule.AsError(SigV4Errors.Denied, SigV4Errors.Denied)
            : CheckBody(call.Request);
    }

    private static StoreError? CheckBody(StoreRequest request) =>
        ContentDigest.CheckMd5(request) switch
        {
            _ when request.BodyTooLarge => new StoreError(
                400,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size."
            ),
            DigestVerdict.Malformed => new StoreError(
                400,
                "InvalidDigest",
                "The Content-MD5 you specified is not valid."
            ),
            DigestVerdict.Wrong => new StoreError(
                400,
                "BadDigest",
                "The Content-MD5 you specified did not match what we received."
            ),
            _ => null,
        };

    /// <summary>A key id is taken and given back: the page names it as an element and says no more.</summary>
    private static (string? Xml, StoreError? Refusal) Accept(
        ReadOnlyMemory<byte> body,
        Account account,
        SettingValues settings
    )
    {
        if (
            EncryptionDocument.Read(body) is not { } document
            || Foreign.Any(name => document.Raw(name) is not null && !Gives(name, settings))
        )
        {
            return (
                null,
                new StoreError(
                    400,
                    "MalformedXML",
                    "The XML you provided was not well-formed or did not validate against our published schema."
                )
            );
        }

        if (document[EncryptionDocument.Algorithm] is not "aws:kms" || !settings.Offers("aws:kms"))
        {
            return (
                null,
                new StoreError(
                    400,
                    "InvalidEncryptionAlgorithmError",
                    "The encryption request you specified is not valid. The valid value is aws:kms."
                )
            );
        }

        return account.KmsEnabled
            ? (document.Stored(XNamespace.None, Order, keepUnknown: true), null)
            : (null, new StoreError(400, "KmsServiceNotEnabled", "The key management service is not activated."));
    }

    /// <summary>What GET has, as in a later release, PUT takes back.</summary>
    private static bool Gives(string name, SettingValues settings) =>
        name switch
        {
            EncryptionDocument.BucketKeyEnabled => settings.EchoBucketKey,
            EncryptionDocument.BucketKeyRotationPeriod => settings.UnknownElements,
            _ => false,
        };

    private static StoreError NotConfigured(SettingValues settings) =>
        new(
            settings.NotConfiguredStatus,
            settings.NotConfiguredCode ?? "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found."
        );

    private StoreAnswer Found(XElement document) => NewAnswer(200, NextRequestId(), StoreXml.Bytes(document));

    private StoreAnswer NewAnswer(int status, string requestId, byte[]? body = null)
    {
        ImmutableArray<KeyValuePair<string, string>> headers =
        [
            new("Date", world.Clock.UtcNow.ToString("r")),
            new("x-req-id", requestId),
            new("x-amz-request-id", requestId),
        ];
        return new StoreAnswer(
            status,
            ErrorCode: null,
            body is null ? headers : headers.Add(new("Content-Type", "text/xml;charset=UTF-8")),
            body
        );
    }

    /// <summary>16 upper-case hex digits; each once per process.</summary>
    private string NextRequestId() => $"{Interlocked.Increment(ref _lastRequestId):X16}";

    [GeneratedRegex(
        @"^(?<bucket>[^.]+)\.s3(-internal)?\.(?<region>[a-z0-9-]+)\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex BucketHost();

    [GeneratedRegex(
        @"^s3(-internal)?\.(?<region>[a-z0-9-]+)\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}
