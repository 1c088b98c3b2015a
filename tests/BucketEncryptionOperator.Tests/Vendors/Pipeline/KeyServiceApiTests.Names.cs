using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>What the name of a key says, and which names are never asked for.</summary>
public sealed partial class KeyServiceApiTests
{
    [Theory]
    [InlineData("alibaba", "acs:kms:cn-shanghai:1234567890123456:key/k-1", "cn-shanghai")]
    [InlineData("aws", "arn:aws:kms:us-east-1:111122223333:key/k-1", "us-east-1")]
    [InlineData("aws", "arn:aws:kms:us-east-1:111122223333:alias/finance", "us-east-1")]
    [InlineData("huawei", "cn-north-1:d-1:key/k-1", "cn-north-1")]
    public async Task A_name_that_says_another_region_needs_no_request(string service, string id, string region)
    {
        var sample = KeyServices.All[service];

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample, sample.KmsKey with { Id = id }));

        Assert.Equal(("KeyInOtherRegion", region), (health.Reason.Name, health.VendorState));
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("alibaba", "\"Arn\": \"acs:kms:cn-shanghai:1:key/k\"", "cn-shanghai")]
    [InlineData("aws", "\"Arn\": \"arn:aws:kms:us-east-1:1:key/k\"", "us-east-1")]
    public async Task An_answer_that_says_another_region_counts(string service, string field, string region)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, With(sample.Answer(sample.Enabled), field));

        var health = Assert.IsType<KeyHealth.Unusable>(await AskAsync(sample));

        Assert.Equal(("KeyInOtherRegion", region), (health.Reason.Name, health.VendorState));
    }

    [Theory]
    [InlineData("alibaba", "alias/finance")]
    [InlineData("aws", "alias/finance")]
    [InlineData("aws", "arn:aws:kms:eu-central-1:111122223333:alias/finance")]
    [InlineData("huawei", "alias/finance")]
    public async Task An_alias_is_answered_with_the_key_behind_it(string service, string alias)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(sample.Enabled));

        Assert.Equal(new KeyHealth.Usable(), await AskAsync(sample, sample.KmsKey with { Id = alias }));
    }

    [Theory]
    [InlineData("alibaba", "acs:kms:cn-hangzhou:1:key/0D0466B0-E727-4D9C-B35D-F84BB474A37F")]
    [InlineData("aws", "arn:aws:kms:eu-central-1:1:key/0d0466b0-e727-4d9c-b35d-f84bb474a37f")]
    [InlineData("huawei", "cn-north-4:d-1:key/0d0466b0-e727-4d9c-b35d-f84bb474a37f")]
    [InlineData("minio", "arn:aws:kms:finance-key")]
    public async Task A_long_name_is_answered_with_the_id(string service, string id)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(sample.Enabled));

        Assert.Equal(new KeyHealth.Usable(), await AskAsync(sample, sample.KmsKey with { Id = id }));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task An_answer_about_another_key_says_nothing(string service)
    {
        var sample = KeyServices.All[service];
        Replies(200, sample, sample.Answer(sample.Enabled));

        var failure = await FailureOfAsync(sample, sample.KmsKey with { Id = "another-key" });

        Assert.Equal(("KeyServiceFailed", true), (failure.Code, failure.IsForeign));
    }

    [Theory]
    [InlineData("alibaba", "alias/acs/oss", false)]
    [InlineData("alibaba", "acs:kms:cn-hangzhou:1:alias/acs/oss", false)]
    [InlineData("alibaba", "alias/acs-of-ours", true)]
    [InlineData("aws", "alias/aws/s3", false)]
    [InlineData("aws", "arn:aws:kms:eu-central-1:1:alias/aws/s3", false)]
    [InlineData("aws", "arn:aws:kms:eu-central-1:1:alias/aws/ebs", false)]
    [InlineData("aws", "alias/awsome", true)]
    [InlineData("huawei", "obs/default", false)]
    [InlineData("huawei", "alias/obs/default", false)]
    [InlineData("huawei", "default", true)]
    [InlineData("jdcloud", "k-1_x", true)]
    [InlineData("jdcloud", "../v1/secret", false)]
    [InlineData("jdcloud", "", false)]
    [InlineData("minio", "finance", true)]
    public async Task The_vendors_own_keys_are_never_asked_for(string service, string id, bool may)
    {
        var sample = KeyServices.All[service];
        var key = sample.KmsKey with { Id = id };

        Assert.Equal(may, Api(sample, _limits).MayAsk(key));
        if (!may)
            await Assert.ThrowsAsync<ArgumentException>(() => AskAsync(sample, key));
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("../x")]
    [InlineData("p/1")]
    public async Task Without_its_project_a_key_of_Huaweis_cannot_be_asked_for(string? project)
    {
        var sample = KeyServices.All["huawei"];

        var failure = await FailureOfAsync(sample, sample.KmsKey with { ProjectId = project });

        Assert.Equal((FailureKind.Invalid, "KeyProjectUnknown", true), (failure.Kind, failure.Code, failure.NotSent));
        Assert.Contains("spec.encryption.kmsProjectId", failure.Hint, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
    }
}
