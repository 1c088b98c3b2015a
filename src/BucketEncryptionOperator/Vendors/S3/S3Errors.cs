using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>S3's error codes, with MinIO's and Ceph's (AWS's "Error responses", their sources).</summary>
internal static class S3Errors
{
    private const string RegionHeader = "x-amz-bucket-region";

    private const string Rights = "Grant the key's owner s3:GetEncryptionConfiguration and s3:PutEncryptionConfiguration (which also covers removal) on this bucket; "
        + "where the store sets s3.expectedBucketOwner, check that the bucket is this account's.";

    private const string KmsRight = "Grant the key's owner kms:DescribeKey, kms:GenerateDataKey and kms:Decrypt on the KMS key, in its key policy too.";

    public static ErrorTable Table { get; } = new(
        new ErrorDialect { RequestIdHeaders = ["x-amz-request-id"], KmsRight = KmsRight, Refine = Refine },
        new ErrorMeaning(FailureKind.Denied, Rights, "AccessDenied"),
        new ErrorMeaning(FailureKind.Denied, "The account is closed or suspended, ask its owner.", "AccountProblem", "AllAccessDisabled", "NotSignedUp"),
        new ErrorMeaning(FailureKind.Denied, "Renew securityToken, and the two keys with it, in the store's Secret.", "InvalidToken", "InvalidTokenId") { ConcernsCredentials = true },
        new ErrorMeaning(FailureKind.Refused, "The store refuses the combination of algorithm and key: MinIO wants kmsKey.id with KMS, and none without.", "MalformedXML", "InvalidRequest"),
        new ErrorMeaning(FailureKind.Refused, "The store has no key service: MinIO needs one configured (KES), even for AES256.", "NotImplemented"),
        new ErrorMeaning(FailureKind.Throttled, "The store is starting.", "XMinioServerNotInitialized"));

    private static string? Refine(ErrorAnswer answer)
    {
        if (answer.Code == "AccessDenied")
            return answer.MessageSays("kms:") ? KmsRight : null;
        var isElsewhere = answer.Status is >= 300 and < 400
            || answer.Code is "PermanentRedirect" or "TemporaryRedirect" or "AuthorizationHeaderMalformed" or "InvalidRegion" or "IllegalLocationConstraintException";
        if (!isElsewhere)
            return null;
        var region = answer.Region ?? ErrorAnswer.Label(answer.Header(RegionHeader));
        return region is not null ? $"The bucket is in region {region}: correct the store's region and endpoint."
            : answer.Endpoint is { } host ? $"The bucket is behind another endpoint: correct the store's endpoint and region. The vendor names {host}."
            : null;
    }
}
