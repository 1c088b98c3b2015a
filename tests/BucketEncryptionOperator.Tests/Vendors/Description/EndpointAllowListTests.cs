using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Tests.Vendors.Description;

public sealed class EndpointAllowListTests
{
    private static readonly EndpointAllowList Default = new(
        VendorCatalog.DefaultEndpointPatterns,
        VendorCatalog.Endpoints
    );

    [Theory]
    [InlineData("public", "https://oss-cn-hangzhou.aliyuncs.com", true)]
    [InlineData("internal", "https://oss-cn-hangzhou-internal.aliyuncs.com", true)]
    [InlineData("accelerate", "https://oss-accelerate-overseas.aliyuncs.com", true)]
    [InlineData("dual stack", "https://cn-hangzhou.oss.aliyuncs.com", true)]
    [InlineData("a CloudBox", "https://cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com", true)]
    [InlineData("a CloudBox's control", "https://cb-1.cn-hangzhou.oss-cloudbox-control.aliyuncs.com", true)]
    [InlineData("Alibaba Cloud KMS", "https://kms.cn-hangzhou.aliyuncs.com", true)]
    [InlineData("Alibaba Cloud KMS in a VPC", "https://kms-vpc.cn-hangzhou.aliyuncs.com", true)]
    [InlineData("AWS KMS", "https://kms.eu-central-1.amazonaws.com", true)]
    [InlineData("AWS KMS with FIPS", "https://kms-fips.us-gov-west-1.amazonaws.com", true)]
    [InlineData(
        "AWS KMS in a VPC: its address is private",
        "https://vpce-1.kms.eu-central-1.vpce.amazonaws.com",
        false
    )]
    [InlineData("Huawei Cloud KMS", "https://kms.eu-west-101.myhuaweicloud.eu", true)]
    [InlineData("JD Cloud KMS", "https://kms.jdcloud-api.com", true)]
    [InlineData("KMS on plain http", "http://kms.cn-hangzhou.aliyuncs.com", false)]
    [InlineData("not quite KMS", "https://kmsx.cn-hangzhou.aliyuncs.com", false)]
    [InlineData("OBS", "https://obs.cn-north-4.myhuaweicloud.com", true)]
    [InlineData("OBS in the EU", "https://obs.eu-west-101.myhuaweicloud.eu", true)]
    [InlineData("another service of Huawei Cloud", "https://functiongraph.cn-north-4.myhuaweicloud.com", false)]
    [InlineData("something that ends like OBS", "https://x.obs.cn-north-4.myhuaweicloud.com", false)]
    [InlineData("JD", "https://s3.cn-north-1.jdcloud-oss.com", true)]
    [InlineData("JD from inside", "https://s3-internal.cn-north-1.jdcloud-oss.com", true)]
    [InlineData("JD by its other name", "https://s3.cn-north-1.jcloudcs.com", true)]
    [InlineData("AWS", "https://s3.eu-central-1.amazonaws.com", true)]
    [InlineData("AWS dual stack", "https://s3.dualstack.eu-central-1.amazonaws.com", true)]
    [InlineData("AWS in China", "https://s3.cn-north-1.amazonaws.com.cn", true)]
    [InlineData("AWS in the European Sovereign Cloud", "https://s3.eusc-de-east-1.amazonaws.eu", true)]
    [InlineData("AWS in an isolated partition", "https://s3.us-iso-east-1.c2s.ic.gov", true)]
    [InlineData(
        "another service of the European Sovereign Cloud",
        "https://x.execute-api.eusc-de-east-1.amazonaws.eu",
        false
    )]
    [InlineData("Open Telekom Cloud", "https://obs.eu-de.otc.t-systems.com", true)]
    [InlineData("Flexible Engine", "https://oss.eu-west-0.prod-cloud-ocb.orange-business.com", true)]
    [InlineData("Cloud.ru", "https://obs.ru-moscow-1.hc.sbercloud.ru", true)]
    [InlineData("G42 Cloud", "https://obs.ae-ad-1.g42cloud.com", true)]
    [InlineData("another service of a partner's cloud", "https://functiongraph.eu-de.otc.t-systems.com", false)]
    [InlineData("the finance cloud", "https://oss-cn-hzjbp-b-internal.aliyuncs.com", true)]
    [InlineData(
        "a bucket's own host, from which its owner may serve",
        "https://evil.s3.eu-central-1.amazonaws.com",
        false
    )]
    [InlineData("another service of AWS", "https://abc.execute-api.eu-central-1.amazonaws.com", false)]
    [InlineData("upper case", "HTTPS://OSS-CN-HANGZHOU.ALIYUNCS.COM", true)]
    [InlineData("its own port, written out", "https://oss-cn-hangzhou.aliyuncs.com:443", true)]
    [InlineData("another port", "https://oss-cn-hangzhou.aliyuncs.com:8443", false)]
    [InlineData("plain http", "http://oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("plain http on 443", "http://oss-cn-hangzhou.aliyuncs.com:443", false)]
    [InlineData("something after the name", "https://oss-cn-hangzhou.aliyuncs.com.evil.com", false)]
    [InlineData("something before the name", "https://evil-oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("a label before the name", "https://evil.oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("the wildcard never crosses a dot", "https://oss-a.b.aliyuncs.com", false)]
    [InlineData("nor is it empty", "https://oss-.aliyuncs.com", false)]
    [InlineData("nor the whole label of the other pattern", "https://.oss.aliyuncs.com", false)]
    [InlineData("a dot is a dot", "https://oss-xaliyuncs.com", false)]
    [InlineData("another service of the vendor", "https://fc.cn-hangzhou.aliyuncs.com", false)]
    [InlineData("the vendor's whole domain", "https://aliyuncs.com", false)]
    [InlineData("the name as a user", "https://oss-cn-hangzhou.aliyuncs.com@evil.com", false)]
    [InlineData("the name as a user with a password", "https://oss-cn-hangzhou.aliyuncs.com:443@evil.com", false)]
    [InlineData("the name as a path", "https://evil.com/oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("the name as a query", "https://evil.com?oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("the name as a fragment", "https://evil.com#oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("a backslash", "https://evil.com\\oss-cn-hangzhou.aliyuncs.com", false)]
    [InlineData("a trailing dot is another name to TLS", "https://oss-cn-hangzhou.aliyuncs.com.", false)]
    [InlineData("letters that only look alike", "https://oss-cn-hangzhou.\u0430liyuncs.com", false)]
    [InlineData("a wide dot is a dot, and then a label more", "https://oss-a\u3002b.aliyuncs.com", false)]
    [InlineData("punycode in the wildcard", "https://oss-xn--abc.aliyuncs.com", true)]
    [InlineData("an IPv4 address", "https://127.0.0.1", false)]
    [InlineData("an IPv6 address", "https://[::1]", false)]
    [InlineData("the metadata service", "http://100.100.100.200", false)]
    [InlineData("localhost", "https://localhost", false)]
    [InlineData("a file", "file://oss-cn-hangzhou.aliyuncs.com/etc/passwd", false)]
    public void The_vendors_own_endpoints_are_allowed_and_nothing_that_looks_like_them(
        string sentence,
        string endpoint,
        bool allowed
    )
    {
        // Some hostile texts are no URL at all, which is as good as not allowed.
        var verdict = Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && Default.Allows(uri);

        Assert.True(allowed == verdict, sentence);
    }

    [Theory]
    [InlineData("scheme and port as listed", "http://127.0.0.1:9000", "http://127.0.0.1:9000", true)]
    [InlineData("another port", "http://127.0.0.1:9000", "http://127.0.0.1:9001", false)]
    [InlineData("https where http is listed", "http://127.0.0.1:9000", "https://127.0.0.1:9000", false)]
    [InlineData("another spelling of the address", "http://127.0.0.1:9000", "http://0x7f.0.0.1:9000", true)]
    [InlineData("http's own port", "http://store.example", "http://store.example:80", true)]
    [InlineData("IPv6", "http://[::1]:9000", "http://[::1]:9000", true)]
    [InlineData("IPv6 written out", "http://[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000", true)]
    [InlineData("IPv6 listed written out", "http://[0:0:0:0:0:0:0:1]:9000", "http://[::1]:9000", true)]
    [InlineData("another IPv6 address", "http://[::1]:9000", "http://[::2]:9000", false)]
    [InlineData("an entry in upper case", "STORE.example", "https://store.EXAMPLE", true)]
    [InlineData("a name in its own letters", "xn--bcher-kva.example", "https://b\u00fccher.example", true)]
    [InlineData("a wildcard of one label", "*", "https://store", true)]
    [InlineData("a wildcard of one label only", "*", "https://store.example", false)]
    [InlineData("two wildcards", "oss-*.*.example", "https://oss-a.b.example", true)]
    [InlineData("a dot in an entry is no wildcard", "a.example", "https://axexample", false)]
    public void An_entry_allows(string sentence, string entry, string endpoint, bool allowed)
    {
        var list = new EndpointAllowList([entry], VendorCatalog.Endpoints);

        Assert.True(allowed == list.Allows(new Uri(endpoint)), sentence);
    }

    [Theory]
    [InlineData("empty", "")]
    [InlineData("a path", "https://store.example/path")]
    [InlineData("a slash at the end", "https://store.example/")]
    [InlineData("a user", "https://user@store.example")]
    [InlineData("another scheme", "ftp://store.example")]
    [InlineData("a blank", "store .example")]
    [InlineData("a newline at the end", "store.example\n")]
    [InlineData("no port after the colon", "store.example:")]
    [InlineData("a port that is none", "store.example:http")]
    [InlineData("a port of nothing", "store.example:0")]
    [InlineData("a port too large", "store.example:65536")]
    [InlineData("a pattern of another kind", "oss-[a-z]+.example")]
    [InlineData("an IPv6 address without brackets", "::1")]
    public void A_bad_entry_is_refused_and_named(string sentence, string entry)
    {
        var thrown = Record.Exception(() => new EndpointAllowList([entry], VendorCatalog.Endpoints));

        Assert.True(
            thrown is FormatException && thrown.Message.StartsWith($"\"{entry}\" is not", StringComparison.Ordinal),
            $"{sentence}: {thrown}"
        );
    }

    /// <summary>Who vouches for a host decides which addresses it may have.</summary>
    [Theory]
    [InlineData("a vendor's own", "https://oss-cn-hangzhou.aliyuncs.com", "Vendor")]
    [InlineData("a vendor's own with a bucket before it", "https://archive.oss-cn-hangzhou.aliyuncs.com", "Vendor")]
    [InlineData("a vendor's own that is on the default list in full", "https://oss-accelerate.aliyuncs.com", "Vendor")]
    [InlineData(
        "one of a vendor's own that somebody has listed in full",
        "https://oss-cn-beijing.aliyuncs.com",
        "Operator"
    )]
    [InlineData("a name in full", "https://oss.corp.example", "Operator")]
    [InlineData("a name in full with a bucket before it", "https://archive.oss.corp.example", "Operator")]
    [InlineData("two labels before it are no bucket", "https://a.b.oss.corp.example", "Pattern")]
    [InlineData("another port", "https://oss.corp.example:8443", "Pattern")]
    [InlineData("another scheme", "http://oss.corp.example", "Pattern")]
    [InlineData("a pattern", "https://minio.corp.example", "Pattern")]
    [InlineData("an address in full", "http://10.0.0.5:9000", "Operator")]
    [InlineData("another address", "http://10.0.0.6:9000", "Pattern")]
    [InlineData("an IPv6 address in full", "http://[::1]:9000", "Operator")]
    [InlineData("not on the list", "https://elsewhere.example", "Pattern")]
    public void A_name_in_full_vouches_for_where_it_leads(string sentence, string target, string expected)
    {
        var list = new EndpointAllowList(
            [
                .. VendorCatalog.DefaultEndpointPatterns,
                "oss.corp.example",
                "m*.corp.example",
                "https://oss-cn-beijing.aliyuncs.com",
                "http://10.0.0.5:9000",
                "http://[::1]:9000",
            ],
            VendorCatalog.Endpoints
        );

        Assert.True(expected == list.TrustOf(new Uri(target)).ToString(), sentence);
    }

    /// <summary>
    /// Whoever may choose a name below the full one, which a pattern also lets through, chooses its address too.
    /// </summary>
    [Theory]
    [InlineData("the full name", "https://corp.example", "Operator")]
    [InlineData("a name below it that the pattern lets through", "https://evil.corp.example", "Pattern")]
    [InlineData("a bucket below a name that the pattern lets through", "https://archive.evil.corp.example", "Pattern")]
    [InlineData(
        "a name below it at a port that only the full name has",
        "https://archive.corp.example:8443",
        "Operator"
    )]
    public void A_full_name_does_not_vouch_for_names_below_it_that_a_pattern_lets_through(
        string sentence,
        string target,
        string expected
    )
    {
        var list = new EndpointAllowList(
            ["https://*.corp.example", "https://corp.example", "https://corp.example:8443"],
            VendorCatalog.Endpoints
        );

        Assert.True(expected == list.TrustOf(new Uri(target)).ToString(), sentence);
    }

    [Fact]
    public void An_empty_list_allows_nothing() =>
        Assert.False(
            new EndpointAllowList([], VendorCatalog.Endpoints).Allows(new Uri("https://oss-cn-hangzhou.aliyuncs.com"))
        );

    /// <summary>
    /// Every start of the program makes this list. As expressions without backtracking it took 0.8 s of CPU and 60 MiB.
    /// </summary>
    [Fact]
    public void The_list_of_all_vendors_endpoints_costs_a_start_next_to_nothing()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();

        var allowed = new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints).Allows(
            new Uri("https://s3.eu-central-1.amazonaws.com")
        );

        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allowed);
        Assert.InRange(bytes, 0, 512 * 1024);
    }
}
