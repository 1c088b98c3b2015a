using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.JDCloud;

/// <summary>
/// JD Cloud's table for its S3 domain has no code of encryption; its other codes mean what they mean elsewhere.
/// </summary>
internal static class JDCloudErrors
{
    public static ErrorTable Table { get; } =
        new(
            new ErrorDialect
            {
                RequestIdHeaders = ["x-req-id", "x-amz-request-id"],
                KmsRight = "Grant the key's owner the use of the KMS key.",
                AccountRights = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [AnswerContext.List] = "Grant the key's owner the listing of the account's buckets.",
                    [AnswerContext.Locate] = "Grant the key's owner the reading of this bucket's region.",
                    [AnswerContext.GetTags] = "Grant the key's owner the reading of this bucket's tags.",
                },
                WritesJson = true, // the native API's form
                Unnamed503Throttles = true, // more than 1,500 writes or 3,000 reads a second on a bucket
            },
            new ErrorMeaning(
                FailureKind.Denied,
                "Grant the key's owner the reading and writing of this bucket's encryption setting.",
                "AccessDenied"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "The vendor refuses a value: it documents KMS (aws:kms) only, and no KMS key id. Try without "
                    + "kmsKey.id.",
                "InvalidArgument",
                "MalformedXML"
            )
            {
                HintOnRead = CommonErrors.ReadRefused,
            },
            new ErrorMeaning(
                FailureKind.Refused,
                "The region does not offer this algorithm; JD Cloud documents KMS only.",
                "InvalidEncryptionAlgorithmError"
            )
        );
}
