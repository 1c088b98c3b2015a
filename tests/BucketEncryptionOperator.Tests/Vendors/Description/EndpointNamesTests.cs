using BucketEncryptionOperator.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Description;

public sealed class EndpointNamesTests
{
    [Theory]
    [InlineData("AlibabaOSS", "oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou")]
    [InlineData("AlibabaOSS", "oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou")]
    [InlineData("AlibabaOSS", "cn-hangzhou.oss.aliyuncs.com", "cn-hangzhou")]
    [InlineData("AlibabaOSS", "cb-f8z7yvzgwfkl9q0h.cn-hangzhou.oss-cloudbox.aliyuncs.com", "cn-hangzhou")]
    [InlineData("AlibabaOSS", "OSS-CN-HANGZHOU.aliyuncs.com", "cn-hangzhou")]
    [InlineData("AlibabaOSS", "oss-accelerate.aliyuncs.com", null)]
    [InlineData("AlibabaOSS", "oss-.aliyuncs.com", null)]
    [InlineData("AlibabaOSS", "oss-cn-hangzhou.example.com", null)]
    [InlineData("AlibabaOSS", "a.oss-cn-hangzhou.aliyuncs.com", null)]
    [InlineData("AlibabaOSS", "127.0.0.1", null)]
    [InlineData("AlibabaOSS", "oss-cn-hzfinance.aliyuncs.com", "cn-hangzhou-finance")]
    [InlineData("AlibabaOSS", "oss-cn-hzfinance-internal.aliyuncs.com", "cn-hangzhou-finance")]
    [InlineData("AlibabaOSS", "OSS-CN-HZJBP-b-internal.aliyuncs.com", "cn-hangzhou-finance")]
    [InlineData("AlibabaOSS", "oss-cn-shanghai-finance-1-pub.aliyuncs.com", "cn-shanghai-finance-1")]
    [InlineData("AlibabaOSS", "oss-cn-shanghai-finance-1-internal.aliyuncs.com", "cn-shanghai-finance-1")]
    [InlineData("AlibabaOSS", "oss-cn-szfinance.aliyuncs.com", "cn-shenzhen-finance-1")]
    [InlineData("AlibabaOSS", "cn-shenzhen-finance.oss.aliyuncs.com", "cn-shenzhen-finance-1")]
    [InlineData("AlibabaOSS", "oss-cn-north-2-gov-1-internal.aliyuncs.com", "cn-north-2-gov-1")]
    [InlineData("HuaweiOBS", "oss.eu-west-0.prod-cloud-ocb.orange-business.com", "eu-west-0")]
    [InlineData("S3", "s3.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1")]
    [InlineData("HuaweiOBS", "obs.eu-west-101.myhuaweicloud.eu", "eu-west-101")]
    [InlineData("JDCloudOSS", "s3-internal.cn-north-1.jdcloud-oss.com", "cn-north-1")]
    [InlineData("S3", "s3.dualstack.us-east-1.amazonaws.com", "us-east-1")]
    [InlineData("S3", "s3.cn-north-1.amazonaws.com.cn", "cn-north-1")]
    [InlineData("S3", "s3.amazonaws.com", null)]
    public void RegionOf_reads_the_vendors_own_names_and_no_others(string vendor, string host, string? region) =>
        Assert.Equal(region, VendorCatalog.Find(vendor)!.Endpoints.RegionOf(new Uri($"http://{host}:8080")));

    /// <summary>Only what is known to be wrong is refused: the special clouds' host names follow no rule.</summary>
    [Theory]
    [InlineData("AlibabaOSS", "oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou", false)]
    [InlineData("AlibabaOSS", "oss-cn-beijing.aliyuncs.com", "cn-hangzhou", true)]
    [InlineData("AlibabaOSS", "oss-accelerate.aliyuncs.com", "cn-hangzhou", false)]
    [InlineData("AlibabaOSS", "oss-cn-hzjbp-b-internal.aliyuncs.com", "cn-hangzhou-finance", false)]
    [InlineData("AlibabaOSS", "oss-cn-shanghai-finance-1-pub.aliyuncs.com", "cn-shanghai-finance-1", false)]
    [InlineData("AlibabaOSS", "oss-cn-shanghai-finance-1.aliyuncs.com", "cn-shanghai-finance-1", false)]
    [InlineData("AlibabaOSS", "oss-cn-shanghai-finance-1-pub.aliyuncs.com", "cn-hangzhou-finance", true)]
    [InlineData("AlibabaOSS", "oss-cn-hzfinance.aliyuncs.com", "cn-hangzhou", true)]
    [InlineData("AlibabaOSS", "oss-cn-a-name-of-next-year.aliyuncs.com", "cn-chengdu-finance-1", false)]
    [InlineData("AlibabaOSS", "oss-cn-a-name-of-next-year.aliyuncs.com", "cn-chengdu-gov-1", false)]
    [InlineData("AlibabaOSS", "oss-cn-a-name-of-next-year.aliyuncs.com", "cn-chengdu", true)]
    [InlineData("S3", "s3.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false)]
    [InlineData("S3", "s3.eusc-de-east-1.amazonaws.eu", "eu-central-1", true)]
    [InlineData("S3", "minio.corp.example", "eu-central-1", false)]
    public void IsOfAnotherRegion_says_so_only_where_it_is_known(
        string vendor,
        string host,
        string region,
        bool isOfAnother
    ) =>
        Assert.Equal(
            isOfAnother,
            VendorCatalog.Find(vendor)!.Endpoints.IsOfAnotherRegion(new Uri($"https://{host}"), region)
        );
}
