using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Catalog;

public sealed class VendorCatalogTests
{
    [Theory]
    [InlineData("cn-hangzhou")]
    [InlineData("eu-west-101")]
    [InlineData("us-east-1")]
    public void Every_vendors_default_endpoint_is_on_the_default_list_and_in_its_region(string region)
    {
        var list = new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints);

        Assert.All(
            VendorCatalog.All,
            v =>
            {
                var endpoint = new Uri(v.Endpoints.Default(region));
                Assert.True(list.Allows(endpoint), endpoint.ToString());
                Assert.False(v.Endpoints.IsOfAnotherRegion(endpoint, region), endpoint.ToString());
                Assert.True(v.Endpoints.IsOfAnotherRegion(endpoint, "xx-nowhere-9"), endpoint.ToString());
            }
        );
    }

    [Theory]
    [InlineData("a bucket before an endpoint", "media.oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou.aliyuncs.com")]
    [InlineData("a bucket of dots", "my.media.s3.eusc-de-east-1.amazonaws.eu", "s3.eusc-de-east-1.amazonaws.eu")]
    [InlineData("before one that is in no region", "media.oss-accelerate.aliyuncs.com", "oss-accelerate.aliyuncs.com")]
    [InlineData(
        "before one of a finance cloud",
        "media.oss-cn-hzfinance.aliyuncs.com",
        "oss-cn-hzfinance.aliyuncs.com"
    )]
    [InlineData("before one that another takes the place of", "media.s3.amazonaws.com", "s3.amazonaws.com")]
    [InlineData(
        "before a CloudBox",
        "media.cb-1.cn-x.oss-cloudbox.aliyuncs.com",
        "cb-1.cn-x.oss-cloudbox.aliyuncs.com"
    )]
    [InlineData("an endpoint", "oss-cn-hangzhou.aliyuncs.com", null)]
    [InlineData("a CloudBox", "cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com", null)]
    [InlineData("too short for a bucket: OSS's own S3 dialect", "s3.oss-cn-hangzhou.aliyuncs.com", null)]
    [InlineData("another service whose name ends alike", "cn-beijing-internal.oss-data-acc.aliyuncs.com", null)]
    [InlineData("a private link", "ep-1a2b.oss.cn-hangzhou.privatelink.aliyuncs.com", null)]
    [InlineData("an interface endpoint", "vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com", null)]
    [InlineData("nobody's", "media.minio.corp.example", null)]
    [InlineData("an address", "10.0.0.5", null)]
    public void BehindBucket_finds_the_endpoint_in(string sentence, string host, string? endpoint) =>
        Assert.True(endpoint == VendorCatalog.BehindBucket(new Uri($"https://{host}"))?.Host, sentence);

    [Fact]
    public void Every_vendor_gets_one_client()
    {
        var time = new ManualTimeProvider();
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);
        using var limits = new VendorLimits(time);

        var services = new VendorServices(http, new ServerClocks(time), limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(time),
        };
        var clients = services.Connect(VendorCatalog.All);

        Assert.Equal(VendorCatalog.Names.Split(", ").Order(), clients.Keys.Order());
    }

    /// <summary>Where a key is known: two endpoints of one realm, and one of another.</summary>
    [Theory]
    [InlineData(
        "AlibabaOSS",
        "https://oss-cn-hangzhou.aliyuncs.com",
        "https://oss-cn-hangzhou-internal.aliyuncs.com",
        "https://oss-cn-beijing.aliyuncs.com"
    )]
    [InlineData(
        "HuaweiOBS",
        "https://obs.cn-north-4.myhuaweicloud.com",
        "http://obs.cn-north-4.myhuaweicloud.com",
        "https://obs.cn-north-1.myhuaweicloud.com"
    )]
    [InlineData(
        "S3",
        "https://s3.eu-west-1.amazonaws.com",
        "https://s3.dualstack.eu-west-1.amazonaws.com",
        "https://s3.ap-east-1.amazonaws.com"
    )]
    [InlineData(
        "S3",
        "https://s3.cn-north-1.amazonaws.com.cn",
        "https://s3.dualstack.cn-north-1.amazonaws.com.cn",
        "https://s3.us-gov-west-1.amazonaws.com"
    )]
    [InlineData("S3", "https://minio.example:9000", "https://minio.example:9000", "https://minio.example")]
    public void A_key_is_known_within_a_region_or_at_an_endpoint(string vendor, string one, string same, string other)
    {
        var realm = VendorCatalog.Find(vendor)!.Realm;

        Assert.Equal(realm(new Uri(one)), realm(new Uri(same)));
        Assert.NotEqual(realm(new Uri(one)), realm(new Uri(other)));
    }

    [Theory]
    [InlineData("AlibabaOSS", true)]
    [InlineData("HuaweiOBS", true)]
    [InlineData("JDCloudOSS", true)]
    [InlineData("S3", true)]
    [InlineData("alibabaoss", false)]
    [InlineData("", false)]
    public void Find_goes_by_the_exact_name(string name, bool known) =>
        Assert.Equal(known, VendorCatalog.Find(name) is not null);
}
