using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class SimulatedStoreTests
{
    [Theory]
    [MemberData(nameof(All))]
    public async Task A_wrong_key_is_denied_and_is_known_to_be_the_trouble(string place)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);

        var wrongSecret = await FailureOfAsync(store.GetAsync(new AccessKey("ak", "mistyped", SecurityToken: null)));
        var wrongId = await FailureOfAsync(store.GetAsync(new AccessKey("nobody", "sk", SecurityToken: null)));

        Assert.Equal(
            (FailureKind.Denied, "SignatureDoesNotMatch", 403, true),
            (wrongSecret.Kind, wrongSecret.Code, wrongSecret.HttpStatus, wrongSecret.ConcernsCredentials)
        );
        Assert.Equal(
            (FailureKind.Denied, "InvalidAccessKeyId", 403, true),
            (wrongId.Kind, wrongId.Code, wrongId.HttpStatus, wrongId.ConcernsCredentials)
        );
        Assert.NotNull(wrongSecret.RequestId);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_bucket_that_is_not_there_is_missing(string place)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        var elsewhere = store.Address with { Bucket = "not-there-yet" };

        var get = await FailureOfAsync(store.GetAsync(address: elsewhere));
        var put = await FailureOfAsync(
            store.Api.PutAsync(
                elsewhere,
                SimulatedStore.Key,
                store.Api.Write(KmsKey, new Observation(None, Document: null))
            )
        );
        var delete = await FailureOfAsync(store.Api.DeleteAsync(elsewhere, SimulatedStore.Key));

        Assert.All(
            [get, put, delete],
            f => Assert.Equal((FailureKind.Missing, "NoSuchBucket", 404), (f.Kind, f.Code, f.HttpStatus))
        );
    }

    [Theory]
    [InlineData("alibaba", "oss:GetBucketEncryption", "kms:DescribeKey")]
    [InlineData("huawei", "obs:bucket:GetEncryptionConfiguration", "kms:cmk:get")]
    [InlineData("jdcloud", "encryption setting", null)]
    [InlineData("aws", "s3:GetEncryptionConfiguration", "kms:DescribeKey")]
    [InlineData("minio", "s3:GetEncryptionConfiguration", "kms:DescribeKey")]
    public async Task A_bucket_right_that_is_missing_is_told_from_a_right_on_the_key(
        string place,
        string bucketRight,
        string? kmsRight
    )
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.Get] });
        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.Put], ByKms = true });

        var byBucket = await FailureOfAsync(store.GetAsync());
        var byKms = await FailureOfAsync(
            store.Api.PutAsync(
                store.Address,
                SimulatedStore.Key,
                store.Api.Write(KmsKey, new Observation(None, Document: null))
            )
        );

        Assert.All(
            [byBucket, byKms],
            f => Assert.Equal((FailureKind.Denied, "AccessDenied", false), (f.Kind, f.Code, f.ConcernsCredentials))
        );
        Assert.Contains(bucketRight, byBucket.Hint, StringComparison.Ordinal);
        Assert.Contains(kmsRight ?? bucketRight, byKms.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_clock_that_is_hours_off_costs_one_refusal(string place)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { ClockOffsetSeconds = 3 * 60 * 60 });

        await store.GetAsync();
        await store.PutAsync(KmsKey);

        var counters = await store.Admin.GetCountersAsync();
        Assert.Equal(1, counters.Total.Rejected.GetValueOrDefault("RequestTimeTooSkewed"));
        Assert.Equal(1, counters.AcceptedWrites(store.Address.Bucket));
    }

    [Theory]
    [InlineData("alibaba", "cn-beijing", "AccessDenied", 403, "The vendor names oss-cn-beijing.aliyuncs.com")]
    [InlineData("huawei", "cn-south-1", "PermanentRedirect", 301, "The vendor names obs.cn-south-1.myhuaweicloud.com")]
    [InlineData("jdcloud", "cn-south-1", "PermanentRedirect", 301, "correct the store's endpoint and region")]
    [InlineData("aws", "eu-west-3", "PermanentRedirect", 301, "The bucket is in region eu-west-3")]
    [InlineData("minio", "eu-west-3", "AuthorizationHeaderMalformed", 400, "The bucket is in region eu-west-3")]
    public async Task A_bucket_of_another_region_is_reported_with_its_place_and_not_followed(
        string place,
        string region,
        string code,
        int status,
        string hint
    )
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetBucketAsync("far-bucket", new SimulatedBucket { Region = region });

        var failure = await FailureOfAsync(store.GetAsync(address: store.Address with { Bucket = "far-bucket" }));

        Assert.Equal((code, status), (failure.Code, failure.HttpStatus));
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.Single(await store.Admin.GetRequestsAsync());
    }

    [Theory]
    [InlineData("alibaba", "InvalidSecurityToken", "SecurityTokenExpired")]
    [InlineData("alibaba, V1", "InvalidSecurityToken", "SecurityTokenExpired")]
    [InlineData("alibaba, CNAME", "InvalidSecurityToken", "SecurityTokenExpired")]
    [InlineData("alibaba, CloudBox", "InvalidSecurityToken", "SecurityTokenExpired")]
    [InlineData("huawei", "InvalidSecurityToken", "ExpiredToken")]
    [InlineData("aws", "InvalidToken", "ExpiredToken")]
    [InlineData("aws, path", "InvalidToken", "ExpiredToken")]
    [InlineData("minio", "InvalidToken", "ExpiredToken")]
    public async Task A_temporary_key_goes_with_its_token(string place, string wrongCode, string expiredCode)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetAccountAsync(
            "STS.id",
            new SimulatedAccount("sts") { SecurityToken = "the+token/with=signs" }
        );
        await store.Admin.SetAccountAsync(
            "STS.old",
            new SimulatedAccount("sts") { SecurityToken = "old", TokenExpiresAt = DateTimeOffset.UnixEpoch }
        );
        var right = new AccessKey("STS.id", "sts", "the+token/with=signs");

        await store.PutAsync(Aes, right);
        Assert.Equal(Aes, (await store.GetAsync(right)).Encryption);

        var wrong = await FailureOfAsync(store.GetAsync(right with { SecurityToken = "another" }));
        var expired = await FailureOfAsync(store.GetAsync(new AccessKey("STS.old", "sts", "old")));
        Assert.Equal((FailureKind.Denied, wrongCode, true), (wrong.Kind, wrong.Code, wrong.ConcernsCredentials));
        Assert.Equal(
            (FailureKind.Denied, expiredCode, true),
            (expired.Kind, expired.Code, expired.ConcernsCredentials)
        );
    }

    /// <summary>
    /// The vendor's page lists the header as not compatible; what becomes of it is nobody's word but the answer's.
    /// </summary>
    [Fact]
    public async Task JD_Clouds_refusal_of_a_token_is_told_as_it_is()
    {
        await using var store = await SimulatedStore.StartAsync(JD);

        var failure = await FailureOfAsync(store.GetAsync(new AccessKey("ak", "sk", "token")));

        Assert.Equal((FailureKind.Refused, "InvalidArgument"), (failure.Kind, failure.Code));
        Assert.Contains("x-amz-security-token", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("huawei", "InvalidArgument", "does not know the KMS key")]
    [InlineData("minio", "KMS.NotFoundException", "There is no such KMS key")]
    public async Task A_key_that_does_not_exist_is_refused_where_the_vendor_looks(
        string place,
        string code,
        string hint
    )
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { KmsKeys = ["another-key"] });

        var failure = await FailureOfAsync(store.PutAsync(KmsKey));

        Assert.Equal((FailureKind.Refused, code, 400), (failure.Kind, failure.Code, failure.HttpStatus));
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.Null(await store.Admin.GetEncryptionAsync(store.Address.Bucket));
    }

    [Theory]
    [InlineData("alibaba", "KmsServiceNotEnabled", "Activate Key Management Service")]
    [InlineData("minio", "NotImplemented", "no key service")]
    public async Task An_account_without_a_key_service_is_told_so(string place, string code, string hint)
    {
        await using var store = await SimulatedStore.StartAsync(Places[place]);
        await store.Admin.SetAccountAsync("ak", new SimulatedAccount("sk") { KmsEnabled = false });

        var failure = await FailureOfAsync(store.PutAsync(KmsKey));

        Assert.Equal((FailureKind.Refused, code), (failure.Kind, failure.Code));
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
    }
}
