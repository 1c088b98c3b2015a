using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>OBS's error codes (API reference, "Error codes", and the tables of the encryption pages).</summary>
internal static class ObsErrors
{
    private const string Rights =
        "Grant the key's owner obs:bucket:GetEncryptionConfiguration and obs:bucket:PutEncryptionConfiguration (which "
        + "also covers removal) on this bucket.";
    private const string KmsRight = "Grant the key's owner kms:cmk:get and kms:cmk:list on the KMS key.";

    private const string OtherProject = " A key of another project needs spec.encryption.kmsProjectId too.";

    public static ErrorTable Table { get; } =
        new(
            new ErrorDialect
            {
                RequestIdHeaders = ["x-obs-request-id", "x-amz-request-id"],
                FieldHeaders = "x-obs-error-",
                KmsRight = KmsRight,
                AccountRights = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [AnswerContext.List] = "Grant the key's owner obs:bucket:ListAllMyBuckets.",
                    [AnswerContext.Locate] = "Grant the key's owner obs:bucket:GetBucketLocation on this bucket.",
                    [AnswerContext.GetTags] = "Grant the key's owner obs:bucket:GetBucketTagging on this bucket.",
                },
                NotConfigurable = [NoEncryption],
                Refine = Refine,
            },
            new ErrorMeaning(FailureKind.Denied, Rights, "AccessDenied"),
            new ErrorMeaning(
                FailureKind.Denied,
                "Access to this bucket or account is closed, ask the account's owner.",
                "AllAccessDisabled",
                "DeregisterUserId"
            ),
            new ErrorMeaning(
                FailureKind.Denied,
                "The account is in arrears, ask its owner.",
                "InArrearOrInsufficientBalance"
            ),
            new ErrorMeaning(
                FailureKind.Denied,
                "The account has not signed up for OBS, or must be verified first: ask its owner.",
                "NotSignedUp",
                "Unauthorized"
            ),
            new ErrorMeaning(
                FailureKind.Denied,
                "The vendor blocks this access key after too many wrong signatures: correct both keys in the store's "
                    + "Secret, then wait.",
                "TooManyWrongSignature"
            )
            {
                ConcernsCredentials = true,
            },
            new ErrorMeaning(
                FailureKind.Refused,
                "A parallel file system in this region takes no default encryption. Elsewhere it takes only KMS with "
                    + "kmsKey.id and bucketKeyEnabled: true.",
                NoEncryption
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "This region, or this kind of bucket, has no default encryption.",
                "ServiceNotSupported",
                "ServiceNotImplemented",
                "MethodNotAllowed"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "The endpoint wants the bucket in the host: correct the store's endpoint.",
                "VirtualHostDomainRequired"
            )
        );

    /// <summary>"This is a parallel file system".</summary>
    private const string NoEncryption = "FsNotSupport";

    private static string? Refine(ErrorAnswer answer) =>
        answer.Code switch
        {
            "AccessDenied" when answer.MessageSays("kms operation") => KmsRight + OtherProject,
            "AccessDenied" when answer.MessageSays("kms:") || answer.MessageSays("by kms") => KmsRight,
            "InvalidArgument" when answer.MessageSays("KMSMasterKeyID") =>
                "The vendor does not know the KMS key: correct spec.encryption.kmsKey.id and kmsProjectId; the key "
                    + "must be in the bucket's region.",
            "PermanentRedirect" or "TemporaryRedirect" when answer.Endpoint is { } host =>
                "The bucket is behind another endpoint: correct the store's endpoint and region. The vendor names "
                    + $"{host}.",
            _ => null,
        };
}
