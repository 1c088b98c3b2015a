using System.Text.Json;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.JDCloud;

/// <summary>
/// JD Cloud's key service: <c>GET /v1/key/ID</c>, which has one endpoint for all regions. Facts and sources:
/// docs/vendors/jdcloud.md, "KMS keys".
/// </summary>
internal sealed class JDCloudKeyService : IKeyServiceDialect
{
    private const string Operation = "DescribeKey";
    private const string DateHeader = "x-jdcloud-date";
    private const string NonceHeader = "x-jdcloud-nonce";
    private const string TokenHeader = "x-jdcloud-security-token";

    /// <summary>What the scope of a signature names where the path names no region.</summary>
    private const string NoRegion = "jdcloud-api";

    private const int LongestId = 128;

    private static readonly KeyServiceErrors Errors = new(
        "the reading of keys (kms:describeKey)",
        new Dictionary<string, Func<string, KeyHealth>>(StringComparer.Ordinal) { ["NOT_FOUND"] = KeyStates.NotFound },
        new KeyErrorMeaning(FailureKind.Denied, Hint: null, "PERMISSION_DENIED"),
        new KeyErrorMeaning(FailureKind.Denied, KeyServiceErrors.WrongKey, "UNAUTHENTICATED") { IsOfSignature = true },
        new KeyErrorMeaning(FailureKind.Throttled, KeyServiceErrors.SlowDown, "QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED"),
        new KeyErrorMeaning(
            FailureKind.Transient,
            KeyServiceErrors.Failed,
            "INTERNAL",
            "UNKNOWN",
            "UNAVAILABLE",
            "DEADLINE_EXCEEDED"
        )
    );

    public static EndpointNames Endpoints { get; } =
        new(_ => "https://kms.jdcloud-api.com", []) { Global = ["kms.jdcloud-api.com"] };

    /// <summary>As the catalogue lists it.</summary>
    public static KeyServiceDescription Description { get; } =
        new(new JDCloudKeyService(), Endpoints)
        {
            Find = static (settings, named) =>
                KeyServiceDescription.ByRegion(JDCloudDialect.Endpoints, Endpoints)(settings, named),
        };

    /// <summary>The signature of the vendor's own APIs.</summary>
    public static SigV4Scheme Scheme(string service) =>
        new(service)
        {
            Algorithm = "JDCLOUD2-HMAC-SHA256",
            KeyPrefix = "JDCLOUD2",
            Terminator = "jdcloud2_request",
        };

    /// <summary>The id goes into the path, where only a plain one stays what it is.</summary>
    public bool MayAsk(KmsKeyName kmsKey) =>
        kmsKey.Id.Length is > 0 and <= LongestId && kmsKey.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    public KeyHealth? Foresee(KeyQuestion question) => null;

    public KeyRequest Ask(KeyQuestion question) =>
        new(Operation, HttpMethod.Get, new Resource { Path = $"v1/key/{question.KmsKey.Id}" });

    public bool Knows(string code) => Errors.Knows(code);

    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var key = request.Key;
        var target = VendorRequest.Target(request.Address, request.Resource);
        var date = SigV4Signer.FormatDate(request.Now);
        List<KeyValuePair<string, string>> headers = [new(DateHeader, date), new(NonceHeader, request.Nonce)];
        if (key.SecurityToken is { } token)
            headers.Add(new(TokenHeader, token));
        var input = new SigV4Input(
            request.Method.Method,
            target.AbsolutePath,
            [],
            [.. headers, new("host", VendorRequest.Host(target))],
            SigV4Signer.HashOf([])
        );
        headers.Add(new("Authorization", SigV4Signer.Authorize(input, key, date, NoRegion, Scheme("kms"))));
        return VendorRequest.Make(request.Method, target, headers, body: null);
    }

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context)
    {
        var root = VendorJson.Parse(response.Body);
        return response.IsSuccess
            ? KeyDescription.Answer(Describe(root?.Object("result")?.Object("keyInfo")), question, response, context)
            : Errors.Read(question, ErrorOf(root), response, context);
    }

    private static KeyDescription? Describe(JsonElement? said)
    {
        if (said is not { } key || key.Text("keyId") is not { } id || key.Integer("keyStatus") is not { } status)
            return null;
        return new KeyDescription(
            id,
            $"{status}",
            status switch
            {
                0 => KeyStates.Usable,
                1 => KeyStates.Disabled("disabled"),
                2 => KeyStates.PendingDeletion("scheduled for deletion", KeyStates.OfText(key.Text("deleteTime"))),
                _ => null,
            }
        );
    }

    private static KeyServiceError? ErrorOf(JsonElement? root) =>
        root?.Text("requestId") is { } requestId
        && root?.Object("error") is { } error
        && error.Integer("code") is not null
        && error.Text("status") is { } status
            ? new KeyServiceError(status, error.Text("message"), requestId)
            : null;
}
