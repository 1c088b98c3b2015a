using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Specs;

/// <summary>Where a store's key service is, and what may be said of it.</summary>
public sealed class KeyServiceReaderTests
{
    private static readonly string[] Listed =
    [
        .. VendorCatalog.DefaultEndpointPatterns,
        "http://minio.storage.svc:9000",
        "archive.corp.example",
        "kms.corp.example",
        "oss.corp.example",
        "vpce-0a1-b2.kms.eu-central-1.vpce.amazonaws.com",
        "vpce-0a1-b2.s3.eu-central-1.vpce.amazonaws.com",
    ];

    [Theory]
    [InlineData("AlibabaOSS", "cn-hangzhou", null, "https://kms.cn-hangzhou.aliyuncs.com/")]
    [InlineData(
        "AlibabaOSS",
        "cn-hangzhou",
        "https://oss-cn-hangzhou-internal.aliyuncs.com",
        "https://kms.cn-hangzhou.aliyuncs.com/"
    )]
    [InlineData("AlibabaOSS", "cn-shanghai-finance-1", null, "https://kms.cn-shanghai-finance-1.aliyuncs.com/")]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://oss.corp.example", null)]
    [InlineData("S3", "eu-central-1", null, "https://kms.eu-central-1.amazonaws.com/")]
    [InlineData("S3", "cn-north-1", null, "https://kms.cn-north-1.amazonaws.com.cn/")]
    [InlineData("S3", "us-gov-west-1", null, "https://kms.us-gov-west-1.amazonaws.com/")]
    [InlineData("S3", "eusc-de-east-1", null, "https://kms.eusc-de-east-1.amazonaws.eu/")]
    [InlineData(
        "S3",
        "eu-central-1",
        "https://vpce-0a1-b2.s3.eu-central-1.vpce.amazonaws.com",
        "https://kms.eu-central-1.amazonaws.com/"
    )]
    [InlineData("S3", "us-east-1", "http://minio.storage.svc:9000", null)]
    [InlineData("HuaweiOBS", "cn-north-4", null, "https://kms.cn-north-4.myhuaweicloud.com/")]
    [InlineData("HuaweiOBS", "eu-west-101", null, "https://kms.eu-west-101.myhuaweicloud.eu/")]
    [InlineData("HuaweiOBS", "eu-de", null, "https://kms.eu-de.otc.t-systems.com/")]
    [InlineData("HuaweiOBS", "eu-west-0", null, "https://kms.eu-west-0.prod-cloud-ocb.orange-business.com/")]
    [InlineData("HuaweiOBS", "ae-ad-1", "https://obs.ae-ad-1.g42cloud.com", "https://kms.ae-ad-1.g42cloud.com/")]
    [InlineData("HuaweiOBS", "cn-north-4", "https://oss.corp.example", null)]
    [InlineData("JDCloudOSS", "cn-north-1", null, "https://kms.jdcloud-api.com/")]
    public void The_key_service_follows_from_the_region_where_the_endpoint_is_the_vendors(
        string vendor,
        string region,
        string? endpoint,
        string? service
    )
    {
        var (store, failure) = Read(Spec(vendor, region) with { Endpoint = endpoint });

        Assert.Null(failure);
        Assert.Equal(service, store?.KeyService?.Endpoint.AbsoluteUri);
        Assert.True(store?.KeyService is null || store.KeyService.Region == region);
        Assert.True(store?.KeyService is null || store.KeyService.Limit == KeyServiceAddress.DefaultLimit);
    }

    [Theory]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://kms-vpc.cn-hangzhou.aliyuncs.com", null, "DescribeKey")]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://kms.corp.example", "https://oss.corp.example", "DescribeKey")]
    [InlineData("S3", "eu-central-1", "https://kms-fips.eu-central-1.amazonaws.com", null, "DescribeKey")]
    [InlineData(
        "S3",
        "eu-central-1",
        "https://vpce-0a1-b2.kms.eu-central-1.vpce.amazonaws.com",
        "https://oss.corp.example",
        "DescribeKey"
    )]
    [InlineData("S3", "us-east-1", "http://minio.storage.svc:9000", "http://minio.storage.svc:9000", "KMSKeyStatus")]
    [InlineData("JDCloudOSS", "cn-north-1", "https://kms.corp.example", null, "DescribeKey")]
    public void A_store_may_name_its_key_service(
        string vendor,
        string region,
        string kmsEndpoint,
        string? endpoint,
        string operation
    )
    {
        var (store, failure) = Read(Spec(vendor, region) with { Endpoint = endpoint, KmsEndpoint = kmsEndpoint });

        Assert.Null(failure);
        Assert.Equal(new Uri(kmsEndpoint), store?.KeyService?.Endpoint);
        Assert.Equal(
            operation,
            VendorCatalog
                .Find(vendor)!
                .KeyService.Dialect.Ask(new KeyQuestion(store!.KeyService!, new KmsKeyName("k", "p")))
                .Operation
        );
    }

    [Fact]
    public void An_own_name_of_a_bucket_does_not_say_whose_cloud_it_is()
    {
        var spec = Spec("AlibabaOSS", "cn-hangzhou") with
        {
            Endpoint = "https://archive.corp.example",
            Addressing = "CName",
        };
        var named = spec with { KmsEndpoint = "https://kms.cn-hangzhou.aliyuncs.com" };

        Assert.Equal((null, null), (Read(spec).Value?.KeyService, Read(spec).Failure));
        Assert.NotNull(Read(named).Value?.KeyService);
    }

    [Fact]
    public void The_stores_own_authorities_are_trusted_for_its_key_service_too()
    {
        using var authority = new TestAuthority("corp");
        var spec = Spec("S3", "us-east-1") with
        {
            Endpoint = "http://minio.storage.svc:9000",
            KmsEndpoint = "http://minio.storage.svc:9000",
            CaBundle = authority.Pem,
        };

        Assert.Equal(authority.Pem, Read(spec).Value?.KeyService?.CaBundle);
    }

    [Theory]
    [InlineData("Disabled", true, false)]
    [InlineData("Enabled", true, true)]
    [InlineData(null, true, true)]
    [InlineData("Enabled", false, false)]
    [InlineData(null, false, false)]
    public void A_store_or_the_operator_may_be_set_not_to_ask(string? checks, bool flag, bool asks)
    {
        var (store, failure) = Read(Spec("AlibabaOSS", "cn-hangzhou") with { KeyChecks = checks }, flag);

        Assert.Null(failure);
        Assert.Equal(asks, store!.KeyService is not null);
    }

    [Fact]
    public void A_derived_key_service_that_is_not_allowed_is_not_asked()
    {
        var (store, failure) = Read(Spec("AlibabaOSS", "cn-hangzhou"), listed: ["oss-*.aliyuncs.com"]);

        Assert.Null(failure);
        Assert.Null(store!.KeyService);
    }

    [Theory]
    [InlineData("kms.corp.example", "must be scheme and host only, for example https://kms.cn-hangzhou.aliyuncs.com.")]
    [InlineData("https://kms.corp.example/v1", "must be scheme and host only")]
    [InlineData("https://a:b@kms.corp.example", "must be scheme and host only")]
    [InlineData("ftp://kms.corp.example", "must be scheme and host only")]
    [InlineData("https://oss-cn-hangzhou.aliyuncs.com", "is an object store; give the key service's endpoint.")]
    [InlineData("https://kms.oss-cn-hangzhou.aliyuncs.com", "is an object store; give the key service's endpoint.")]
    [InlineData("https://kms.s3.amazonaws.com", "is an object store; give the key service's endpoint.")]
    [InlineData("https://kms.s3-website-us-east-1.amazonaws.com", "is an object store")]
    [InlineData("https://kms.cn-shanghai.aliyuncs.com", "is not in region cn-hangzhou, which spec.region names")]
    [InlineData("https://kms.elsewhere.example", "https://kms.elsewhere.example is not allowed.", "EndpointNotAllowed")]
    [InlineData("http://kms.corp.example", "http://kms.corp.example is not allowed.", "EndpointNotAllowed")]
    public void An_endpoint_that_cannot_be_a_key_service_is_refused(
        string endpoint,
        string message,
        string code = "InvalidSpec"
    )
    {
        var (_, failure) = Read(Spec("AlibabaOSS", "cn-hangzhou") with { KmsEndpoint = endpoint });

        Assert.Equal((FailureKind.Invalid, code), (failure?.Kind, failure?.Code));
        Assert.Contains("the store, spec.kmsEndpoint: ", failure?.Message, StringComparison.Ordinal);
        Assert.Contains(message, failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_word_for_the_checks_that_is_not_known_is_refused() =>
        Assert.Equal(
            "the store, spec.keyChecks: \"Off\" is not known; allowed are Enabled and Disabled.",
            Read(Spec("AlibabaOSS", "cn-hangzhou") with { KeyChecks = "Off" }).Failure?.Message
        );

    [Fact]
    public void A_CloudBox_has_no_keys()
    {
        var spec = Spec("AlibabaOSS", "cn-hangzhou") with
        {
            Endpoint = "https://cb-a1b2.cn-hangzhou.oss-cloudbox.aliyuncs.com",
            Alibaba = new AlibabaSpec { CloudBoxId = "cb-a1b2" },
        };

        Assert.Equal((null, null), (Read(spec).Value?.KeyService, Read(spec).Failure));
        Assert.Equal(
            "the store, spec.kmsEndpoint: the store has no KMS keys; remove it.",
            Read(spec with { KmsEndpoint = "https://kms.cn-hangzhou.aliyuncs.com" }).Failure?.Message
        );
    }

    [Theory]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://kms.cn-hangzhou.aliyuncs.com")]
    [InlineData("AlibabaOSS", "cn-hangzhou", "https://kms-vpc.cn-hangzhou.aliyuncs.com")]
    [InlineData("S3", "eu-central-1", "https://kms.eu-central-1.amazonaws.com")]
    [InlineData("HuaweiOBS", "cn-north-4", "https://kms.cn-north-4.myhuaweicloud.com")]
    [InlineData("JDCloudOSS", "cn-north-1", "https://kms.jdcloud-api.com")]
    public void A_key_service_is_no_object_store(string vendor, string region, string endpoint)
    {
        var (_, failure) = Read(Spec(vendor, region) with { Endpoint = endpoint });

        Assert.Equal("InvalidSpec", failure?.Code);
        Assert.Contains(
            "is a key service; give the object store's endpoint.",
            failure?.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Every_vendors_derived_key_service_is_on_the_default_list_and_in_its_region() =>
        Assert.All(
            VendorCatalog.All,
            v =>
            {
                var list = new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints);
                var endpoint = new Uri(v.KeyService.Endpoints.Default("cn-north-1"));
                Assert.True(list.Allows(endpoint), endpoint.ToString());
                Assert.True(VendorCatalog.IsKeyService(endpoint), endpoint.ToString());
                Assert.False(v.KeyService.Endpoints.IsOfAnotherRegion(endpoint, "cn-north-1"), endpoint.ToString());
            }
        );

    private static BucketStoreSpec Spec(string vendor, string region) => Given.Store(vendor, region).Spec;

    private static Result<Store> Read(BucketStoreSpec spec, bool flag = true, string[]? listed = null) =>
        new StoreReader(
            new EndpointAllowList(listed ?? Listed, VendorCatalog.Endpoints),
            Partitions.None,
            new KeySourceReader(AmbientRules.None)
        )
        {
            KeyChecks = flag,
        }.Read("the store", spec, new StoreScope(Given.Namespace, IsNamespaced: true, "oss"));
}
