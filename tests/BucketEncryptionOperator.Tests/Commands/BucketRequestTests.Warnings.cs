namespace BucketEncryptionOperator.Tests.Commands;

public sealed partial class BucketRequestTests
{
    [Theory]
    [InlineData(
        "http://store.example.com",
        "cn-x",
        "",
        "http://store.example.com is not encrypted: signatures and session tokens can be read on the way"
    )]
    [InlineData("http://127.0.0.1:9000", "cn-x", "", "")]
    [InlineData(
        "store.example.com",
        null,
        "",
        "signed with version 1, for the endpoint names no region: give --region for version 4"
    )]
    [InlineData(
        "store.example.com",
        "cn-x",
        "[Default]\nproxyHost=http://p",
        "proxyHost of the config file is not read: set HTTPS_PROXY (HTTP_PROXY for plain http)"
    )]
    [InlineData("https://oss-cn-hangzhou.aliyuncs.com", null, "", "")]
    public void Read_warns(string endpoint, string? region, string file, string warning) =>
        Assert.Equal(
            warning,
            string.Join('|', Read(GetWithKeys with { Endpoint = endpoint, Region = region }, file).Warnings)
        );

    [Fact]
    public void An_endpoint_of_no_region_brings_a_warning_that_names_the_regions_own() =>
        Assert.Equal(
            "s3.amazonaws.com is not the endpoint of a region: if the request is refused, give "
                + "https://s3.eu-west-1.amazonaws.com",
            string.Join(
                '|',
                Read(
                    GetWithKeys with
                    {
                        Words = ["s3://b-one"],
                        Endpoint = "https://s3.amazonaws.com",
                        Region = "eu-west-1",
                    }
                ).Warnings
            )
        );
}
