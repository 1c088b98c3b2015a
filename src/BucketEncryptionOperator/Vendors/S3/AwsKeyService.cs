using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// AWS KMS: <c>TrentService.DescribeKey</c>, JSON 1.1 with signature version 4. Facts and sources: docs/vendors/s3.md,
/// "KMS keys".
/// </summary>
internal sealed class AwsKeyService : IKeyServiceDialect
{
    private const string Operation = "DescribeKey";
    private const string Target = "TrentService.DescribeKey";
    private const string JsonType = "application/x-amz-json-1.1";
    private const string RequestIdHeader = "x-amzn-RequestId";
    private const string TypeHeader = "x-amzn-ErrorType";

    /// <summary>
    /// Aliases that AWS has reserved. DescribeKey of one of them makes the key where it is not there yet (AWS's page on
    /// DescribeKey).
    /// </summary>
    private const string VendorsAliases = "alias/aws/";

    private static readonly SigV4Scheme Scheme = new("kms");

    private static readonly KeyServiceErrors Errors = new(
        "kms:DescribeKey (in the key's own policy too)",
        new Dictionary<string, Func<string, KeyHealth>>(StringComparer.Ordinal)
        {
            ["NotFoundException"] = KeyStates.NotFound,
            ["InvalidArnException"] = KeyStates.NotFound,
        },
        new KeyErrorMeaning(FailureKind.Denied, Hint: null, "AccessDeniedException", "AccessDenied"),
        new KeyErrorMeaning(
            FailureKind.Denied,
            KeyServiceErrors.WrongKey,
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "ExpiredTokenException",
            "ExpiredToken",
            "MissingAuthenticationTokenException"
        ),
        new KeyErrorMeaning(
            FailureKind.Denied,
            "Enable the store's region for the AWS account, or ask the account's owner.",
            "OptInRequired"
        ),
        new KeyErrorMeaning(
            FailureKind.Denied,
            KeyServiceErrors.WrongKey,
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignatureException"
        )
        {
            IsOfSignature = true,
        },
        new KeyErrorMeaning(
            FailureKind.Refused,
            "Correct spec.encryption.kmsKey.id: the key service does not take it for a key's name.",
            "ValidationException"
        ),
        new KeyErrorMeaning(
            FailureKind.Throttled,
            KeyServiceErrors.SlowDown,
            "ThrottlingException",
            "Throttling",
            "RequestLimitExceeded"
        ),
        new KeyErrorMeaning(
            FailureKind.Transient,
            KeyServiceErrors.Failed,
            "DependencyTimeoutException",
            "KMSInternalException",
            "InternalFailure",
            "ServiceUnavailable",
            "ServiceUnavailableException"
        )
    );

    public bool MayAsk(KmsKeyName kmsKey) =>
        !KmsKeyId.ResourceOf(kmsKey.Id).StartsWith(VendorsAliases, StringComparison.Ordinal);

    public KeyHealth? Foresee(KeyQuestion question) => KeyStates.ByRegion(question.KmsKey.Id, question.Service);

    public KeyRequest Ask(KeyQuestion question) =>
        new(
            Operation,
            HttpMethod.Post,
            new Resource(),
            $$"""{"KeyId":"{{JsonEncodedText.Encode(question.KmsKey.Id)}}"}"""
        );

    public bool Knows(string code) => Errors.Knows(code);

    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var (address, key) = (request.Address, request.Key);
        var target = VendorRequest.Target(address, request.Resource);
        var date = SigV4Signer.FormatDate(request.Now);
        var body = Encoding.UTF8.GetBytes(request.Body ?? "");
        List<KeyValuePair<string, string>> headers =
        [
            new("content-type", JsonType),
            new(SigV4Signer.DateHeader, date),
            new("x-amz-target", Target),
        ];
        if (key.SecurityToken is { } token)
            headers.Add(new(SigV4Signer.TokenHeader, token));
        var input = new SigV4Input(
            request.Method.Method,
            target.AbsolutePath,
            [],
            [.. headers, new("host", VendorRequest.Host(target))],
            SigV4Signer.HashOf(body)
        );
        headers.Add(new("Authorization", SigV4Signer.Authorize(input, key, date, address.Region, Scheme)));
        return VendorRequest.Make(request.Method, target, headers, body);
    }

    public KeyAnswer Read(KeyQuestion question, VendorResponse response, AnswerContext context) =>
        response.IsSuccess
            ? KeyDescription.Answer(
                Describe(question, VendorJson.Parse(response.Body)?.Object("KeyMetadata"), context.Now),
                question,
                response,
                context
            )
            : Errors.Read(question, ErrorOf(response), response, context);

    private static KeyDescription? Describe(KeyQuestion question, JsonElement? said, DateTimeOffset now)
    {
        if (said is not { } key || key.Text("KeyId") is not { } id || key.Text("KeyState") is not { } state)
            return null;
        return new KeyDescription(
            id,
            state,
            state switch
            {
                // While the primary key of several regions moves, all of them work.
                "Enabled" or "Updating" => KeyStates.ByRegion(key.Text("Arn"), question.Service)
                    ?? ByUse(key)
                    ?? KeyStates.Usable,
                "Disabled" => KeyStates.Disabled(state),
                "PendingDeletion" or "PendingReplicaDeletion" => KeyStates.PendingDeletion(
                    state,
                    KeyStates.OfSeconds(key.Number("DeletionDate"))
                ),
                "PendingImport" => KeyStates.OfSeconds(key.Number("ValidTo")) < now
                    ? KeyStates.Expired(state)
                    : KeyStates.PendingImport(state),
                "Creating" => KeyStates.Unavailable(state, "Wait until AWS has made the KMS key"),
                "Unavailable" => KeyStates.Unavailable(state, "Connect the custom key store that holds the KMS key"),
                _ => null,
            }
        );
    }

    private static KeyHealth? ByUse(JsonElement key) =>
        key.Text("KeyUsage") is { } use and not "ENCRYPT_DECRYPT" ? KeyStates.NotForEncryption(use)
        : key.Text("KeySpec") is { } spec and not "SYMMETRIC_DEFAULT" ? KeyStates.NotForEncryption(spec)
        : null;

    /// <summary>A code may have a namespace before it, and something after it.</summary>
    private static KeyServiceError? ErrorOf(VendorResponse response)
    {
        if (response.Header(RequestIdHeader) is not { } requestId || VendorJson.Parse(response.Body) is not { } root)
            return null;
        var type = root.Text("__type") ?? response.Header(TypeHeader);
        return type is null
            ? null
            : new KeyServiceError(
                type.Split('#')[^1].Split(':')[0],
                root.Text("message") ?? root.Text("Message"),
                requestId
            );
    }
}
