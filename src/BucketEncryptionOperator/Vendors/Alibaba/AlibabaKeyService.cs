using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// Alibaba Cloud KMS: DescribeKey of the version 2016-01-20, an RPC call with the signature that has been used for it
/// longest. Facts and sources: docs/vendors/alibaba.md, "KMS keys".
/// </summary>
internal sealed class AlibabaKeyService : IKeyServiceDialect
{
    private const string Operation = "DescribeKey";
    private const string Right = "kms:DescribeKey";
    private const string Throttled = "Throttling";
    private const string FormType = "application/x-www-form-urlencoded";

    /// <summary>Of the keys that the vendor makes and manages for its services (help page "Key types").</summary>
    private const string VendorsAliases = "alias/acs/";

    private static readonly KeyServiceErrors Errors = new(
        Right,
        new Dictionary<string, Func<string, KeyHealth>>(StringComparer.Ordinal)
        {
            // In spite of their names they come with 404.
            ["Forbidden.KeyNotFound"] = KeyStates.NotFound,
            ["Forbidden.AliasNotFound"] = KeyStates.NotFound,
        },
        new KeyErrorMeaning(FailureKind.Denied, Hint: null, "Forbidden.NoPermission", "NoPermission", "Forbidden.RAM"),
        new KeyErrorMeaning(
            FailureKind.Denied,
            KeyServiceErrors.WrongKey,
            "Forbidden.AccessKey",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "InvalidSecurityToken.Expired",
            "InvalidSecurityToken.Malformed",
            "InvalidSecurityToken.MismatchWithAccessKey"
        ),
        new KeyErrorMeaning(
            FailureKind.Denied,
            KeyServiceErrors.WrongKey,
            "SignatureDoesNotMatch",
            "IncompleteSignature"
        )
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(
            FailureKind.Transient,
            "Set the node's clock: the key service does not take the time of the signature.",
            "IllegalTimestamp",
            "InvalidTimeStamp.Expired"
        )
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(FailureKind.Throttled, KeyServiceErrors.SlowDown, Throttled, Throttled + ".User"),
        new KeyErrorMeaning(
            FailureKind.Transient,
            KeyServiceErrors.Failed,
            "InternalFailure",
            "ServiceUnavailableTemporary",
            "ServiceUnavailable"
        )
    );

    private static readonly ErrorDialect Form = new()
    {
        RequestIdHeaders = ["x-acs-request-id"],
        KmsRight = Right,
        WritesJson = true,
    };

    /// <summary>Its endpoints: public, and from inside of a VPC.</summary>
    public static EndpointNames Endpoints { get; } =
        new(
            region => $"https://kms.{region}.aliyuncs.com",
            ["kms.{region}.aliyuncs.com", "kms-vpc.{region}.aliyuncs.com"]
        );

    /// <summary>As the catalogue lists it.</summary>
    public static KeyServiceDescription Description { get; } = new(new AlibabaKeyService(), Endpoints) { Find = Find };

    public bool MayAsk(KmsKeyName kmsKey) =>
        !KmsKeyId.ResourceOf(kmsKey.Id).StartsWith(VendorsAliases, StringComparison.Ordinal);

    public KeyHealth? Foresee(KeyQuestion question) => KeyStates.ByRegion(question.KmsKey.Id, question.Service);

    public KeyRequest Ask(KeyQuestion question) =>
        new(Operation, HttpMethod.Post, new Resource(), $"KeyId={Uri.EscapeDataString(question.KmsKey.Id)}");

    public bool Knows(string code) => Errors.Knows(code);

    /// <summary>
    /// The common parameters go in the query and the call's own in the form, as in the vendor's clients.
    /// </summary>
    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var body = request.Body ?? "";
        var query = RpcSigner.Query(
            [new("Action", Operation), new("Format", "JSON"), new("Version", "2016-01-20")],
            [.. Pairs(body)],
            request.Key,
            request.Now,
            request.Nonce
        );
        var target = VendorRequest.Target(
            request.Address,
            new Resource([.. query.Select(p => KeyValuePair.Create(p.Key, (string?)p.Value))])
        );
        return VendorRequest.Make(
            request.Method,
            target,
            [new("content-type", FormType)],
            Encoding.UTF8.GetBytes(body)
        );
    }

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context)
    {
        if (response.IsSuccess)
            return KeyDescription.Answer(
                Describe(question, VendorJson.Parse(response.Body)?.Object("KeyMetadata"), context.Now),
                question,
                response,
                context
            );
        var error = new ErrorAnswer(response, Form, Errors.Knows, context);
        return Errors.Read(
            question,
            error.IsVendors ? new KeyServiceError(error.Code, error.Message, error.RequestId) : null,
            response,
            context
        );
    }

    private static KeyDescription? Describe(KeyQuestion question, JsonElement? said, DateTimeOffset now)
    {
        if (said is not { } key || key.Text("KeyId") is not { } id || key.Text("KeyState") is not { } state)
            return null;
        return new KeyDescription(
            id,
            state,
            state switch
            {
                "Enabled" => KeyStates.ByRegion(key.Text("Arn"), question.Service) ?? ByUse(key) ?? KeyStates.Usable,
                "Disabled" => KeyStates.Disabled(state),
                "PendingDeletion" => KeyStates.PendingDeletion(state, KeyStates.OfText(key.Text("DeleteDate"))),
                "PendingImport" => KeyStates.OfText(key.Text("MaterialExpireTime")) < now
                    ? KeyStates.Expired(state)
                    : KeyStates.PendingImport(state),
                _ => null,
            }
        );
    }

    /// <summary>Asymmetric keys are of the specs <c>RSA_…</c> and <c>EC_…</c>.</summary>
    private static KeyHealth? ByUse(JsonElement key) =>
        key.Text("KeyUsage") is "SIGN/VERIFY" and var use ? KeyStates.NotForEncryption(use)
        : key.Text("KeySpec") is { } spec
        && (spec.StartsWith("RSA_", StringComparison.Ordinal) || spec.StartsWith("EC_", StringComparison.Ordinal))
            ? KeyStates.NotForEncryption(spec)
        : null;

    private static KeyServicePlace? Find(StoreSettings settings, Uri? named) =>
        OssOptions.Read(settings).CloudBoxId is not null
            ? null
            : KeyServiceDescription.ByRegion(OssDescription.Endpoints, Endpoints)(settings, named);

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string form) =>
        form.Split('&')
            .Select(p => p.Split('='))
            .Select(p => KeyValuePair.Create(Uri.UnescapeDataString(p[0]), Uri.UnescapeDataString(p[1])));
}
