using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Tests.Vendors;

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
    [InlineData("HuaweiOBS", "obs.eu-west-101.myhuaweicloud.eu", "eu-west-101")]
    [InlineData("JDCloudOSS", "s3-internal.cn-north-1.jdcloud-oss.com", "cn-north-1")]
    [InlineData("S3", "s3.dualstack.us-east-1.amazonaws.com", "us-east-1")]
    [InlineData("S3", "s3.cn-north-1.amazonaws.com.cn", "cn-north-1")]
    [InlineData("S3", "s3.amazonaws.com", null)]
    public void RegionOf_reads_the_vendors_own_names_and_no_others(string vendor, string host, string? region) =>
        Assert.Equal(region, VendorCatalog.Find(vendor)!.Endpoints.RegionOf(new Uri($"http://{host}:8080")));
}
