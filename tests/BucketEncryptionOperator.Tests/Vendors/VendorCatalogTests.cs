using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors;

public sealed class VendorCatalogTests
{
    [Theory]
    [InlineData("cn-hangzhou")]
    [InlineData("eu-west-101")]
    [InlineData("us-east-1")]
    public void Every_vendors_default_endpoint_is_on_the_default_list_and_in_its_region(string region)
    {
        var list = new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns);

        Assert.All(VendorCatalog.All, v =>
        {
            var endpoint = new Uri(v.Endpoints.Default(region));
            Assert.True(list.Allows(endpoint), endpoint.ToString());
            Assert.False(v.Endpoints.IsOfAnotherRegion(endpoint, region), endpoint.ToString());
            Assert.True(v.Endpoints.IsOfAnotherRegion(endpoint, "xx-nowhere-9"), endpoint.ToString());
        });
    }

    [Fact]
    public void Every_vendor_gets_one_client()
    {
        var time = new ManualTimeProvider();
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);
        using var limits = new VendorLimits(time);

        var clients = VendorCatalog.ConnectAll(http, new ServerClocks(time), limits, new KeyBreakers(time));

        Assert.Equal(VendorCatalog.Names.Split(", ").Order(), clients.Keys.Order());
    }

    [Theory]
    [InlineData("AlibabaOSS", true)]
    [InlineData("HuaweiOBS", true)]
    [InlineData("JDCloudOSS", true)]
    [InlineData("S3", true)]
    [InlineData("alibabaoss", false)]
    [InlineData("", false)]
    public void Find_goes_by_the_exact_name(string name, bool known) => Assert.Equal(known, VendorCatalog.Find(name) is not null);
}
