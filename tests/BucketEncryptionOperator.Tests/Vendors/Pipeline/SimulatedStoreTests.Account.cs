using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class SimulatedStoreTests
{
    private const string Mine = "111122223333";

    /// <summary>Where a vendor's list says so, or not, a bucket of another region is.</summary>
    private static readonly Dictionary<string, (BucketPlace Here, BucketPlace There)> PlacesInLists = new(
        StringComparer.Ordinal
    )
    {
        ["AlibabaOSS"] = (BucketPlace.Here, BucketPlace.Elsewhere),
        ["HuaweiOBS"] = (BucketPlace.Here, BucketPlace.Elsewhere),
        ["JDCloudOSS"] = (BucketPlace.Unknown, BucketPlace.Unknown),
        ["S3"] = (BucketPlace.Here, BucketPlace.Elsewhere),
        ["MinIO"] = (BucketPlace.Here, BucketPlace.Here),
    };

    /// <summary>A bucket's own domain has no list.</summary>
    public static TheoryData<string> PlacesWithLists =>
        new(Places.Where(p => p.Value.Addressing != Addressing.CName).Select(p => p.Key));

    [Theory]
    [MemberData(nameof(PlacesWithLists))]
    public async Task A_list_has_the_buckets_of_the_keys_account_and_their_places(string name)
    {
        var place = Places[name];
        await using var store = await SimulatedStore.StartAsync(place);
        await store.Admin.SetBucketAsync("another-account", new SimulatedBucket { Owner = "444455556666" });
        await store.Admin.SetBucketAsync(
            "far-away",
            new SimulatedBucket { Region = "eu-west-9", CloudBoxId = place.CloudBoxId }
        );

        var listed = await store.ListAsync();

        var (here, there) = PlacesInLists[place.Simulated.ToString()];
        Assert.Equal(
            [("far-away", place.IsCloudBox ? here : there), (place.Bucket, here)],
            listed.Select(b => (b.Name, b.Place)).Order()
        );
    }

    [Theory]
    [MemberData(nameof(PlacesWithLists))]
    public async Task A_list_in_small_pages_is_whole(string name)
    {
        var place = Places[name];
        await using var store = await SimulatedStore.StartAsync(place);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { ListPageSize = 2 });
        for (var i = 0; i < 5; i++)
            await store.Admin.SetBucketAsync($"b-{i}", new SimulatedBucket { CloudBoxId = place.CloudBoxId });

        var listed = await store.ListAsync();

        Assert.Equal(6, listed.Length);
        var isAws = store.Address.Endpoint.Host.Contains("amazonaws.com", StringComparison.Ordinal);
        var hasPages = place.Vendor is "AlibabaOSS" or "HuaweiOBS" || isAws;
        Assert.Equal(hasPages ? 3 : 1, (await store.Admin.GetRequestsAsync()).Length);
    }

    [Theory]
    [InlineData("alibaba", "AccessDenied", "oss:ListBuckets")]
    [InlineData("huawei", "AccessDenied", "ListAllMyBuckets")]
    [InlineData("jdcloud", "AccessDenied", "listing")]
    [InlineData("aws", "AccessDenied", "s3:ListAllMyBuckets")]
    public async Task A_key_without_the_right_to_list_gets_no_list(string name, string code, string hint)
    {
        await using var store = await SimulatedStore.StartAsync(Places[name]);
        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.List] });

        var failure = await FailureOfAsync(store.ListAsync());

        Assert.Equal((FailureKind.Denied, code), (failure.Kind, failure.Code));
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
    }

    /// <summary>Nothing in MinIO's answer tells that something is missing.</summary>
    [Fact]
    public async Task MinIO_shortens_the_list_of_a_key_without_the_right_to_list()
    {
        await using var store = await SimulatedStore.StartAsync(MinIO);
        await store.Admin.SetBucketAsync("b-hidden");
        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.List] });
        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.Location], Bucket = "b-hidden" });

        Assert.Equal([MinIO.Bucket], (await store.ListAsync()).Select(b => b.Name));

        await store.Admin.DenyAsync(new DenyRule { Operations = [StoreOperations.Location], Bucket = MinIO.Bucket });

        Assert.Equal("AccessDenied", (await FailureOfAsync(store.ListAsync())).Code);
    }

    [Theory]
    [InlineData("alibaba", "an error", "AccessDenied")]
    [InlineData("alibaba", "cut", "UnreadableAnswer")]
    [InlineData("huawei", "truncate", "BrokenAnswer")]
    [InlineData("aws", "garbage", "UnreadableAnswer")]
    public async Task A_second_page_that_fails_fails_the_list(string name, string action, string code)
    {
        await using var store = await SimulatedStore.StartAsync(Places[name]);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { ListPageSize = 1 });
        await store.Admin.SetBucketAsync("b-one");
        await store.Admin.InjectAsync(
            new FaultRule(action == "an error" ? FaultActions.Error : action)
            {
                Operations = [StoreOperations.List],
                FromCall = 2,
                Status = action == "an error" ? 403 : null,
                Code = action == "an error" ? "AccessDenied" : null,
            }
        );

        Assert.Equal(code, (await FailureOfAsync(store.ListAsync())).Code);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Tags_are_those_that_the_bucket_has(string name)
    {
        await using var store = await SimulatedStore.StartAsync(Places[name]);
        var none = await store.GetTagsAsync();
        await store.Admin.SetTagsAsync(Places[name].Bucket, ("team", "finance"), ("empty", ""));

        var tags = await store.GetTagsAsync();

        Assert.Empty(none);
        Assert.Equal([("empty", ""), ("team", "finance")], tags.Select(t => (t.Key, t.Value)).Order());
    }

    [Fact]
    public async Task An_older_Ceph_has_another_code_for_no_tags()
    {
        await using var store = await SimulatedStore.StartAsync(MinIO);
        await store.Admin.SetSettingsAsync(new SimulatorSettings { NoTagsCode = "NoSuchTagSetError" });

        Assert.Empty(await store.GetTagsAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_bucket_is_where_its_vendor_says(string name)
    {
        await using var store = await SimulatedStore.StartAsync(Places[name]);

        Assert.Equal(BucketPlace.Here, await store.LocateAsync());
    }

    /// <summary>OSS answers with AccessDenied instead; its lists have the regions.</summary>
    [Theory]
    [InlineData("huawei")]
    [InlineData("jdcloud")]
    [InlineData("aws")]
    public async Task A_bucket_behind_another_endpoint_is_elsewhere(string name)
    {
        await using var store = await SimulatedStore.StartAsync(Places[name]);
        await store.Admin.SetBucketAsync("far-away", new SimulatedBucket { Region = "eu-west-9" });

        Assert.Equal(BucketPlace.Elsewhere, await store.LocateAsync(store.Address with { Bucket = "far-away" }));
    }

    [Fact]
    public async Task The_expected_owner_goes_with_the_requests_about_a_bucket()
    {
        await using var store = await SimulatedStore.StartAsync(Aws);
        var other = store.Address with { Options = new S3Options(Mine) };

        var failure = await FailureOfAsync(store.LocateAsync(other));

        Assert.Equal("AccessDenied", failure.Code);
    }
}
