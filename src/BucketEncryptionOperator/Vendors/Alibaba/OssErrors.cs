using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>OSS's error codes (help page "Error responses" and the EC pages).</summary>
internal static class OssErrors
{
    private const string Rights =
        "Grant the key's owner oss:GetBucketEncryption, oss:PutBucketEncryption and oss:DeleteBucketEncryption on "
        + "this bucket.";
    private const string KmsRight = "Grant the key's owner kms:DescribeKey and kms:List* on the KMS key.";
    private const string KmsAccount = "The account's Key Management Service is in debt or not in order, ask its owner.";

    private const string NoGrantHelps = " No further grant to the key helps.";
    private const string DenyKind = "AccessDeniedDetail/NoPermissionType";
    private const string PolicyKind = "AccessDeniedDetail/PolicyType";

    public static ErrorTable Table { get; } =
        new(
            new ErrorDialect
            {
                RequestIdHeaders = ["x-oss-request-id"],
                EcHeader = "x-oss-ec",
                BodyHeader = "x-oss-err",
                WritesJson = true, // the vendor's SDKs read it
                KmsRight = KmsRight,
                AccountRights = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [AnswerContext.List] =
                        "Grant the key's owner oss:ListBuckets on all buckets of the account (acs:oss:*:*:*).",
                    [AnswerContext.Locate] = "Grant the key's owner oss:GetBucketLocation on this bucket.",
                    [AnswerContext.GetTags] = "Grant the key's owner oss:GetBucketTagging on this bucket.",
                },
                Refine = Refine,
            },
            new ErrorMeaning(FailureKind.Denied, Rights, "AccessDenied"),
            new ErrorMeaning(FailureKind.Denied, "The account is disabled, ask its owner.", "UserDisable"),
            new ErrorMeaning(FailureKind.Denied, "The account is in debt, ask its owner.", "InDebt"),
            new ErrorMeaning(
                FailureKind.Refused,
                "The region does not offer this combination of algorithm, key and cipher.",
                "InvalidEncryptionRequest"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "The vendor refuses a value: SM4 and own keys may need to be enabled for the account, and the store's "
                    + "region must be the bucket's.",
                "InvalidArgument"
            )
            {
                HintOnRead = CommonErrors.ReadRefused,
            },
            new ErrorMeaning(
                FailureKind.Refused,
                "Activate Key Management Service for the account.",
                "KmsServiceNotEnabled"
            ),
            new ErrorMeaning(FailureKind.Refused, KmsAccount, "KmsUbsmsInvalidBid", "KmsInDebt", "KmsInDebtOverdue"),
            new ErrorMeaning(
                FailureKind.Refused,
                "There is no such KMS key (alias) in the bucket's region: correct spec.encryption.kmsKey.id.",
                "KeyNotFound",
                "AliasNotFound"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "Enable the KMS key, or name another in spec.encryption.kmsKey.id.",
                "KeyDisabled"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "This endpoint wants the bucket in the host: set the store's addressing to VirtualHost.",
                "SecondLevelDomainForbidden"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "The endpoint does not take this host: correct the store's endpoint.",
                "NonStandardHostForbidden"
            ),
            new ErrorMeaning(
                FailureKind.Throttled,
                "The account's limit for bucket settings is reached.",
                "MetaOperationQpsLimitExceeded"
            ),
            new ErrorMeaning(
                FailureKind.Throttled,
                "A request limit of the account is reached.",
                "TotalQpsLimitExceeded",
                "QpsLimitExceeded",
                "ActiveRequestLimitExceeded"
            ),
            new ErrorMeaning(
                FailureKind.Throttled,
                "A traffic or work limit of the account is reached.",
                "UploadTrafficRateLimitExceeded",
                "DownloadTrafficRateLimitExceeded",
                "CpuLimitExceeded"
            )
        );

    /// <summary>
    /// AccessDenied has several causes: a policy that denies, the key service, and the wrong endpoint. Only the text
    /// distinguishes them.
    /// </summary>
    private static string? Refine(ErrorAnswer answer) =>
        answer.Code switch
        {
            "AccessDenied" when answer.Field(DenyKind) == "ExplicitDeny" => Denier(answer.Field(PolicyKind))
                + NoGrantHelps,
            "AccessDenied" when answer.MessageSays("forbidden by kms") => KmsRight,
            "AccessDenied" when answer.MessageSays("denied by bucket policy") =>
                "The bucket's policy denies it: ask the bucket's owner." + NoGrantHelps,
            "AccessDenied" when answer.MessageSays("specified endpoint") =>
                "The bucket is in another region: correct the store's region and endpoint." + Named(answer),
            "PermanentRedirect" or "TemporaryRedirect" when answer.Endpoint is not null =>
                "The bucket is behind another endpoint: correct the store's endpoint and region." + Named(answer),
            // EC 0002-…: signature and credential. The page of a wrong region in the scope is among them.
            "InvalidArgument"
                when (answer.Field("EC") ?? answer.Header("x-oss-ec"))?.StartsWith("0002-", StringComparison.Ordinal)
                    == true =>
                "The vendor does not take the signature's region or form: the store's region must be the bucket's. "
                    + "The help page of the EC number tells more.",
            _ => null,
        };

    /// <summary>Whose policy denies. The kinds are those of RAM's DecodeDiagnosticMessage.</summary>
    private static string Denier(string? policyKind) =>
        policyKind switch
        {
            "AccountLevelIdentityBasedPolicy" or "ResourceGroupLevelIdentityBasedPolicy" =>
                "A RAM policy of the key's owner denies it: take that statement away.",
            "ControlPolicy" =>
                "A control policy of the resource directory denies it: ask the directory's administrator.",
            "SessionPolicy" => "The policy of the temporary key denies it: ask the issuer of the temporary key.",
            _ => "A policy denies it: look at the bucket's policy and at those of the key's owner.",
        };

    private static string Named(ErrorAnswer answer) => answer.Endpoint is { } host ? $" The vendor names {host}." : "";
}
