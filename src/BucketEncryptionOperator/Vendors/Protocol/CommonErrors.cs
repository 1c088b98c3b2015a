using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>The codes that mean the same for every vendor: all their APIs descend from the first S3.</summary>
internal static class CommonErrors
{
    /// <summary>Hint for a read, which has no value of a policy.</summary>
    public const string ReadRefused =
        "The vendor refuses the request; its message says why. Check the store's region and endpoint, and its keys.";

    public static IReadOnlyList<ErrorMeaning> Rows { get; } =
    [
        new(
            FailureKind.Missing,
            "Create the bucket, or correct its name and the store's region.",
            "NoSuchBucket",
            "InvalidBucket"
        ),
        new(FailureKind.Refused, "Correct the bucket's name.", "InvalidBucketName"),
        new(
            FailureKind.Denied,
            "The access key does not exist or is disabled: correct accessKeyId in the store's Secret.",
            "InvalidAccessKeyId"
        )
        {
            ConcernsCredentials = true,
        },
        new(
            FailureKind.Denied,
            "The secret does not belong to the access key: correct accessKeySecret in the store's Secret.",
            "SignatureDoesNotMatch"
        )
        {
            ConcernsCredentials = true,
        },
        new(
            FailureKind.Denied,
            "Renew securityToken, and the two keys with it, in the store's Secret.",
            "InvalidSecurityToken",
            "InvalidToken",
            "InvalidTokenId",
            "SecurityTokenExpired",
            "ExpiredToken"
        )
        {
            ConcernsCredentials = true,
        },
        new(
            FailureKind.Refused,
            "The vendor cannot read the request; report this as a bug.",
            "MalformedXML",
            "MalformedError",
            "MissingRequestBodyError",
            "InvalidRequestBody"
        ),
        new(
            FailureKind.Refused,
            "The vendor refuses a value of spec.encryption; its message says which.",
            "InvalidArgument"
        )
        {
            HintOnRead = ReadRefused,
        },
        new(FailureKind.Refused, ErrorTable.NotOfferedHint, "NotImplemented", "XNotImplemented", "MethodNotAllowed"),
        new(FailureKind.Refused, "The region does not offer this algorithm.", "InvalidEncryptionAlgorithmError"),
        new(
            FailureKind.Refused,
            "There is no such KMS key in the bucket's region: correct spec.encryption.kmsKey.id.",
            "KMS.NotFoundException"
        ),
        new(
            FailureKind.Refused,
            "Enable the KMS key, or name another in spec.encryption.kmsKey.id.",
            "KMS.DisabledException"
        ),
        new(
            FailureKind.Refused,
            "The bucket is behind another endpoint: correct the store's endpoint and region.",
            "PermanentRedirect"
        ),
        new(
            FailureKind.Refused,
            "The store's region must be the bucket's: correct spec.region of the store.",
            "AuthorizationHeaderMalformed",
            "InvalidRegion",
            "IllegalLocationConstraintException",
            "MissingRegion"
        ),
        new(
            FailureKind.Conflict,
            "Another change of the bucket is under way.",
            "OperationAborted",
            "ConcurrentModification"
        ),
        new(
            FailureKind.Throttled,
            "The vendor asks to go slower.",
            "SlowDown",
            "SlowDownRead",
            "SlowDownWrite",
            "TooManyRequests"
        ),
        new(FailureKind.Throttled, "The vendor is not available now.", "ServiceUnavailable"),
        new(FailureKind.Transient, "The bucket is being moved to another endpoint.", "TemporaryRedirect"),
        new(FailureKind.Transient, "The vendor failed.", "InternalError"),
        new(FailureKind.Transient, "The vendor did not get the request in time.", "RequestTimeout"),
        new(
            FailureKind.Transient,
            "The vendor did not understand the request, which happens in transit.",
            "BadRequest"
        ),
        new(FailureKind.Transient, "The request was cut off on its way.", "IncompleteBody"),
        new(FailureKind.Transient, "The request was changed on its way.", "BadDigest", "InvalidDigest"),
        new(
            FailureKind.Transient,
            "The operator's clock and the vendor's differ by more than 15 minutes, and correcting it by the vendor's "
                + "answer did not help: set the node's clock.",
            ErrorTable.Skewed
        ),
    ];
}
