using BucketEncryptionOperator.Tests.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class ErrorTableTests
{
    /// <summary>One code, and several owners who could help: only the text, or the number beside it, tells.</summary>
    [Theory]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>This request is forbidden by kms.</Message>",
        "kms:DescribeKey"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>You have no right to access this object because of bucket acl: kms-logs</Message>",
        "oss:GetBucketEncryption"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... must be addressed using the specified endpoint.</Message>"
            + "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>",
        "The vendor names oss-cn-beijing.aliyuncs.com."
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... must be addressed using the specified endpoint.</Message>",
        "correct the store's region and endpoint"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... specified endpoint ...</Message><Endpoint>evil.com/ run this</Endpoint>",
        "correct the store's region and endpoint."
    )]
    [InlineData("alibaba", "AccessDenied", 403, "", "oss:GetBucketEncryption")]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>Access denied by bucket policy.</Message>",
        "The bucket's policy denies it"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>Access denied by bucket policy.</Message>"
            + "<AccessDeniedDetail><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType>"
            + "<NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "A RAM policy of the key's owner denies it"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><PolicyType>ControlPolicy</PolicyType>"
            + "<NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "ask the directory's administrator"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "No further grant"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType>"
            + "<NoPermissionType>ImplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "Grant the key's owner"
    )]
    [InlineData(
        "alibaba",
        "PermanentRedirect",
        403,
        "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>",
        "oss-cn-beijing.aliyuncs.com"
    )]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0002-00000226</EC>", "the store's region must be the bucket's")]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0005-00000003</EC>", "SM4 and own keys")]
    [InlineData("huawei", "AccessDenied", 403, "<Message>no permission for kms:cmk:get</Message>", "kms:cmk:list")]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>No privilege to this kms operation.</Message>",
        "kms:cmk:list"
    )]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>No privilege to this kms operation.</Message>",
        "spec.encryption.kmsProjectId"
    )]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>Access Denied to kms-operations-logs</Message>",
        "obs:bucket:GetEncryptionConfiguration"
    )]
    [InlineData("huawei", "InvalidArgument", 400, "<Message>contains illegal KMSMasterKeyID</Message>", "kmsProjectId")]
    [InlineData(
        "huawei",
        "PermanentRedirect",
        301,
        "<Endpoint>b.obs.cn-east-3.myhuaweicloud.com</Endpoint>",
        "b.obs.cn-east-3.myhuaweicloud.com"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey</Message>",
        "key policy"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutEncryptionConfiguration on "
            + "arn:aws:s3:::kms-logs</Message>",
        "s3.expectedBucketOwner"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>Access Denied</Message>",
        "Ceph calls them s3:GetBucketEncryption"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutEncryptionConfiguration on "
            + "resource: b with an explicit deny in a service control "
            + "policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1</Message>",
        "ask the organisation's administrator. No further grant"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a resource "
            + "control policy</Message>",
        "A resource control policy of the organisation denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a "
            + "resource-based policy</Message>",
        "The bucket's own policy denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: kms:GenerateDataKey with an explicit deny in a resource-based "
            + "policy</Message>",
        "The policy of the KMS key denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in an "
            + "identity-based policy</Message>",
        "take that statement away"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a "
            + "permissions boundary</Message>",
        "the boundary's author"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a VPC "
            + "endpoint policy</Message>",
        "the network's administrator"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no service control policy "
            + "allows the s3:PutEncryptionConfiguration action</Message>",
        "organisation does not allow it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no session policy allows the "
            + "s3:PutEncryptionConfiguration action</Message>",
        "The session policy of the temporary key does not allow it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no identity-based policy "
            + "allows the s3:PutEncryptionConfiguration action</Message>",
        "Grant the key's owner s3:GetEncryptionConfiguration"
    )]
    [InlineData("s3", "AuthorizationHeaderMalformed", 400, "<Region>eu-west-3</Region>", "in region eu-west-3")]
    [InlineData(
        "s3",
        "PermanentRedirect",
        301,
        "<Endpoint>b.s3.eu-west-3.amazonaws.com</Endpoint>",
        "The vendor names b.s3.eu-west-3.amazonaws.com"
    )]
    [InlineData(
        "s3",
        "PermanentRedirect",
        301,
        "<Region>evil; run this</Region>",
        "correct the store's endpoint and region"
    )]
    public void A_hint_goes_to_who_can_help(string vendor, string code, int status, string fields, string hint)
    {
        var failure = Dialects
            .All[vendor]
            .Errors.Read(Answer(status, $"<Error><Code>{code}</Code>{fields}</Error>"), Written);

        Assert.Equal(code, failure.Code);
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("run this", failure.Hint, StringComparison.Ordinal);
    }

    /// <summary>What is shown of a message is cut, and long names stand before the words that tell.</summary>
    [Fact]
    public void A_hint_is_found_at_the_end_of_a_long_message()
    {
        var message =
            $"User: arn:aws:sts::1:assumed-role/{new string('r', 300)}/s is not authorized with an explicit deny in a "
            + "service control policy";

        var failure = Dialects
            .All["s3"]
            .Errors.Read(Answer(403, $"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"), Read);

        Assert.Contains("ask the organisation's administrator", failure.Hint, StringComparison.Ordinal);
        Assert.Equal(256, failure.Message?.Length);
    }
}
