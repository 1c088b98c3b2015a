using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// S3's error codes, with MinIO's, Ceph's and StorageGRID's (AWS's "Error responses", their sources, a Ceph that was
/// run).
/// </summary>
internal static class S3Errors
{
    private const string RegionHeader = "x-amz-bucket-region";

    private const string AwsServer = "AmazonS3";
    private const string OnBucket = " (which also covers removal) on this bucket";
    private const string AwsRights =
        "Grant the key's owner s3:GetEncryptionConfiguration and s3:PutEncryptionConfiguration" + OnBucket;
    private const string CephRights =
        "Grant the key's owner s3:GetBucketEncryption and s3:PutBucketEncryption" + OnBucket;
    private const string OrCephRights = " (Ceph calls them s3:GetBucketEncryption and s3:PutBucketEncryption)";
    private const string CheckOwner =
        "; where the store sets s3.expectedBucketOwner, check that the bucket is this account's.";
    private const string Rights = AwsRights + OrCephRights + CheckOwner;

    private const string KmsRight =
        "Grant the key's owner kms:DescribeKey, kms:GenerateDataKey and kms:Decrypt on the KMS key, in its key policy "
        + "too.";
    private const string Renew = "Renew securityToken, and the two keys with it, in the store's Secret.";
    private const string NoGrantHelps = " No further grant to the key helps.";

    /// <summary>Kinds of policies as AWS's messages name them → whose they are, and who can change them.</summary>
    private static readonly (string Policy, string Whose)[] Policies =
    [
        (
            "service control policy",
            "A service control policy of the organisation {0} it: ask the organisation's administrator."
        ),
        (
            "resource control policy",
            "A resource control policy of the organisation {0} it: ask the organisation's administrator."
        ),
        ("VPC endpoint policy", "The policy of the VPC endpoint {0} it: ask the network's administrator."),
        ("permissions boundary", "The permissions boundary of the key's owner {0} it: ask the boundary's author."),
        ("session policy", "The session policy of the temporary key {0} it: ask the issuer of the temporary key."),
        ("resource-based policy", "The bucket's own policy {0} it: ask the bucket's owner."),
        ("identity-based policy", "A policy of the key's owner {0} it: take that statement away."),
    ];

    /// <summary>Of these two, an allow that is missing is a grant that somebody can make.</summary>
    private static readonly string[] Grantable = ["resource-based policy", "identity-based policy"];

    public static ErrorTable Table { get; } =
        new(
            new ErrorDialect
            {
                RequestIdHeaders = ["x-amz-request-id"],
                KmsRight = KmsRight,
                AccountRights = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [AnswerContext.List] = "Grant the key's owner s3:ListAllMyBuckets.",
                    [AnswerContext.Locate] = "Grant the key's owner s3:GetBucketLocation on this bucket" + CheckOwner,
                    [AnswerContext.GetTags] = "Grant the key's owner s3:GetBucketTagging on this bucket" + CheckOwner,
                },
                Refine = Refine,
                Reread = Reread,
            },
            new ErrorMeaning(FailureKind.Denied, Rights, "AccessDenied"),
            new ErrorMeaning(
                FailureKind.Denied,
                "The account is closed or suspended, ask its owner.",
                "AccountProblem",
                "AllAccessDisabled",
                "NotSignedUp"
            ),
            new ErrorMeaning(
                FailureKind.Denied,
                "The store's user is suspended: ask the store's administrator to enable it (Ceph: radosgw-admin user "
                    + "enable).",
                "UserSuspended"
            ),
            new ErrorMeaning(
                FailureKind.Refused,
                "The store refuses the combination of algorithm and key: MinIO wants kmsKey.id with KMS, and none "
                    + "without.",
                "MalformedXML",
                "InvalidRequest"
            )
            {
                HintOnRead = CommonErrors.ReadRefused,
            },
            new ErrorMeaning(
                FailureKind.Refused,
                ErrorTable.NotOfferedHint
                    + " Or it has no key service: MinIO needs one configured (KES), even for AES256.",
                "NotImplemented"
            ),
            new ErrorMeaning(FailureKind.Throttled, "The store is starting.", "XMinioServerNotInitialized")
        );

    /// <summary>
    /// Ceph's token service has no code for a token that it cannot read: it says <c>InvalidArgument</c> and names
    /// neither bucket nor argument. A read has no argument that could be wrong.
    /// </summary>
    private static ErrorMeaning? Reread(ErrorAnswer answer) =>
        answer is { Code: "InvalidArgument", Context: { IsRead: true, SentToken: true } }
        && answer.Field("BucketName") is null
        && answer.Field("ArgumentName") is null
            ? new ErrorMeaning(FailureKind.Denied, "The store cannot read the session token. " + Renew)
            {
                ConcernsCredentials = true,
            }
            : null;

    private static string? Refine(ErrorAnswer answer)
    {
        if (answer.Code == "AccessDenied")
            return PolicyHint(answer)
                ?? (
                    answer.Context.IsOfAccount ? null
                    : answer.MessageSays("kms:") ? KmsRight
                    : RightsHint(answer)
                );
        var isElsewhere =
            answer.Status is >= 300 and < 400
            || answer.Code
                is "PermanentRedirect"
                    or "TemporaryRedirect"
                    or "AuthorizationHeaderMalformed"
                    or "InvalidRegion"
                    or "IllegalLocationConstraintException";
        if (!isElsewhere)
            return null;
        var region = answer.Region ?? ErrorAnswer.Label(answer.Header(RegionHeader));
        return region is not null ? $"The bucket is in region {region}: correct the store's region and endpoint."
            : answer.Endpoint is { } host
                ? "The bucket is behind another endpoint: correct the store's endpoint and region. The vendor "
                    + $"names {host}."
            : null;
    }

    /// <summary>AWS ends its message with the kind of policy that denies, or that does not allow.</summary>
    private static string? PolicyHint(ErrorAnswer answer)
    {
        foreach (var (policy, whose) in Policies)
        {
            if (
                answer.MessageSays($"explicit deny in a {policy}")
                || answer.MessageSays($"explicit deny in an {policy}")
            )
                return OfKey(answer, policy) ?? whose.Replace("{0}", "denies", StringComparison.Ordinal) + NoGrantHelps;
            if (answer.MessageSays($"no {policy} allows") && !Grantable.Contains(policy, StringComparer.Ordinal))
                return whose.Replace("{0}", "does not allow", StringComparison.Ordinal) + NoGrantHelps;
        }
        return null;
    }

    /// <summary>The resource whose policy denies an action of the key service is the KMS key.</summary>
    private static string? OfKey(ErrorAnswer answer, string policy) =>
        policy == "resource-based policy" && answer.MessageSays("perform: kms:")
            ? "The policy of the KMS key denies it: ask the key's administrator." + NoGrantHelps
            : null;

    /// <summary>
    /// Ceph has no code for a temporary key that has expired. It names the bucket only when it knew whose the key is.
    /// AWS, which never names it, has a code for that.
    /// </summary>
    private static string RightsHint(ErrorAnswer answer)
    {
        if (answer.Response.Headers.Server.ToString() == AwsServer)
            return AwsRights + CheckOwner;
        var rights = CephAnswers.IsCeph(answer.Response) ? CephRights + CheckOwner : Rights;
        return answer.Context.SentToken && answer.Field("BucketName") is null
            ? rights + " Or the temporary key has expired: renew it."
            : rights;
    }
}
