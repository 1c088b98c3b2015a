using System.Text.Json;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// MinIO's key status, which the access key of the object store may be allowed to ask. MinIO makes a data key and
/// decrypts it: the answer is 200 in any case, and says in two fields what has failed. Facts and sources:
/// docs/vendors/s3.md, "KMS keys".
/// </summary>
internal sealed class MinioKeyService : IKeyServiceDialect
{
    private const string Operation = "KMSKeyStatus";

    /// <summary>MinIO takes a key's name with this before it, as AWS's clients may want it.</summary>
    private const string ArnPrefix = "arn:aws:kms:";

    /// <summary>
    /// Texts that MinIO and its key servers have for one cause each: MinIO's <c>kms.ErrKeyNotFound</c>, and KES's
    /// <c>ErrKeyNotFound</c> and <c>ErrNotAllowed</c>.
    /// </summary>
    private static readonly string[] NotThere = ["key with given key ID does not exist", "key does not exist"];

    private const string NotAllowed = "not authorized: insufficient permissions";

    private static readonly KeyServiceErrors Errors = new(
        "kms:KeyStatus",
        new Dictionary<string, Func<string, KeyHealth>>(StringComparer.Ordinal)
        {
            ["kms:KeyNotFound"] = KeyStates.NotFound,
        },
        new KeyErrorMeaning(FailureKind.Denied, Hint: null, "AccessDenied"),
        new KeyErrorMeaning(FailureKind.Denied, KeyServiceErrors.WrongKey, "InvalidAccessKeyId", "InvalidTokenId"),
        new KeyErrorMeaning(FailureKind.Denied, KeyServiceErrors.WrongKey, "SignatureDoesNotMatch")
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(
            FailureKind.Transient,
            "Set the node's clock: the store does not take the time of the signature.",
            ErrorTable.Skewed
        )
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(
            FailureKind.Refused,
            "Configure a key service for MinIO (KES, for example), or set keyChecks: Disabled in the store.",
            "NotImplemented"
        ),
        new KeyErrorMeaning(FailureKind.Throttled, KeyServiceErrors.SlowDown, "SlowDown", "SlowDownRead"),
        new KeyErrorMeaning(FailureKind.Transient, KeyServiceErrors.Failed, "InternalError", "ServiceUnavailable")
    );

    private static readonly ErrorDialect Form = new()
    {
        RequestIdHeaders = ["x-amz-request-id"],
        KmsRight = "kms:KeyStatus",
        WritesJson = true,
    };

    private static readonly BodyChecksum NoBody = new(WithoutMd5.Sha256Header);

    /// <summary>MinIO manages no key itself.</summary>
    public bool MayAsk(KmsKeyName kmsKey) => true;

    public KeyHealth? Foresee(KeyQuestion question) => null;

    public KeyRequest Ask(KeyQuestion question) =>
        new(
            Operation,
            HttpMethod.Get,
            new Resource(new KeyValuePair<string, string?>("key-id", NameOf(question)))
            {
                Path = "minio/kms/v1/key/status",
            }
        );

    public bool Knows(string code) => Errors.Knows(code);

    public HttpRequestMessage Sign(UnsignedRequest request) => SigV4Request.Make(request, NoBody);

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context)
    {
        if (!response.IsSuccess)
        {
            var error = new ErrorAnswer(response, Form, Errors.Knows, context);
            return Errors.Read(
                question,
                error.IsVendors ? new KeyServiceError(error.Code, error.Message, error.RequestId) : null,
                response,
                context
            );
        }
        if (VendorJson.Parse(response.Body) is not { } status || status.Text("key-id") is not { } id)
            return KeyFailures.Foreign(response, context);
        if (!id.Equals(NameOf(question), StringComparison.Ordinal))
            return KeyFailures.AnotherKey(response, context);
        return ((string[])["encryption-error", "decryption-error"])
                .Select(name => OfError(status, name, response, context))
                .FirstOrDefault(failed => failed is not null)
            ?? KeyAnswer.Of(KeyStates.Usable);
    }

    /// <summary>A text that has one cause says something about the key. Any other may be an outage.</summary>
    private static KeyAnswer? OfError(JsonElement status, string name, VendorResponse response, AnswerContext context)
    {
        if (!status.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.String)
            return KeyFailures.Foreign(response, context);
        if (status.Text(name) is not { } error)
            return value.ValueEquals("") ? null : KeyFailures.Foreign(response, context);
        if (NotThere.Contains(error, StringComparer.Ordinal))
            return KeyAnswer.Of(KeyStates.NotFound(error));
        return error == NotAllowed
            ? KeyAnswer.Of(
                KeyStates.Unavailable(
                    error,
                    "Grant MinIO's own identity the use of the KMS key, in the policies of KES"
                )
            )
            : KeyFailures.NotUnderstood(
                response,
                context,
                $"MinIO could not use the key: {VendorText.OneLine(error, VendorText.MaxMessage)}"
            );
    }

    private static string NameOf(KeyQuestion question) =>
        question.KmsKey.Id.StartsWith(ArnPrefix, StringComparison.Ordinal)
            ? question.KmsKey.Id[ArnPrefix.Length..]
            : question.KmsKey.Id;
}
