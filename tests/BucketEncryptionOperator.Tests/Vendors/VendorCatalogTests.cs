using BucketEncryptionOperator.Vendors;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors;

public sealed class VendorCatalogTests
{
    [Fact]
    public void Every_vendors_default_endpoint_is_on_the_default_list()
    {
        var list = new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns);

        var endpoints = VendorCatalog.Names.Split(", ").Select(n => new Uri(VendorCatalog.Find(n)!.DefaultEndpoint("cn-hangzhou")));

        Assert.All(endpoints, e => Assert.True(list.Allows(e), e.ToString()));
    }

    [Fact]
    public void Every_vendor_gets_one_client()
    {
        var time = new ManualTimeProvider();
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), time);

        var clients = VendorCatalog.ConnectAll(http, time);

        Assert.Equal(VendorCatalog.Names.Split(", ").Order(), clients.Keys.Order());
    }

    [Theory]
    [InlineData("AlibabaOSS", true)]
    [InlineData("alibabaoss", false)]
    [InlineData("", false)]
    public void Find_goes_by_the_exact_name(string name, bool known) => Assert.Equal(known, VendorCatalog.Find(name) is not null);
}
