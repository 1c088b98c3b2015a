using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Tests.Credentials;

public sealed partial class AmbientIdentitiesTests
{
    [Theory]
    [InlineData("the region's own", "eu-west-1", "", "", "https://sts.eu-west-1.amazonaws.com/")]
    [InlineData("the environment's region", "eu-west-1", "us-east-1", "", "https://sts.us-east-1.amazonaws.com/")]
    [InlineData("China has a domain of its own", "cn-north-1", "", "", "https://sts.cn-north-1.amazonaws.com.cn/")]
    [InlineData("the one global endpoint", "eu-west-1", "", "legacy", "https://sts.amazonaws.com/")]
    [InlineData(
        "the European Sovereign Cloud too",
        "eusc-de-east-1",
        "",
        "",
        "https://sts.eusc-de-east-1.amazonaws.eu/"
    )]
    [InlineData("and the isolated partitions", "us-isob-east-1", "", "", "https://sts.us-isob-east-1.sc2s.sgov.gov/")]
    [InlineData(
        "GovCloud has no global endpoint",
        "us-gov-west-1",
        "",
        "legacy",
        "https://sts.us-gov-west-1.amazonaws.com/"
    )]
    [InlineData(
        "nor has the European Sovereign Cloud",
        "eusc-de-east-1",
        "",
        "legacy",
        "https://sts.eusc-de-east-1.amazonaws.eu/"
    )]
    [InlineData("which China does not have", "cn-north-1", "", "legacy", "https://sts.cn-north-1.amazonaws.com.cn/")]
    public void The_token_service_of_a_web_identity(
        string sentence,
        string region,
        string environment,
        string endpoints,
        string expected
    )
    {
        (_environment["AWS_REGION"], _environment["AWS_STS_REGIONAL_ENDPOINTS"]) = (environment, endpoints);

        Assert.True(expected == WebIdentitySource.Endpoint(Options, region).AbsoluteUri, sentence);
    }

    [Theory]
    [InlineData("the region's own", "", "", "", "https://sts.cn-hangzhou.aliyuncs.com/")]
    [InlineData("inside of a VPC", "", "", "true", "https://sts-vpc.cn-hangzhou.aliyuncs.com/")]
    [InlineData("the environment's region", "", "cn-beijing", "true", "https://sts-vpc.cn-beijing.aliyuncs.com/")]
    [InlineData(
        "the environment's endpoint",
        "sts-vpc.cn-shanghai.aliyuncs.com",
        "cn-beijing",
        "true",
        "https://sts-vpc.cn-shanghai.aliyuncs.com/"
    )]
    public void The_token_service_of_RRSA(string sentence, string endpoint, string region, string vpc, string expected)
    {
        (
            _environment["ALIBABA_CLOUD_STS_ENDPOINT"],
            _environment["ALIBABA_CLOUD_STS_REGION"],
            _environment["ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"]
        ) = (endpoint, region, vpc);

        Assert.True(expected == RrsaSource.Endpoint(Options, "cn-hangzhou").AbsoluteUri, sentence);
    }

    [Theory]
    [InlineData("http://sts.example.com")]
    [InlineData("sts.example.com/x")]
    [InlineData("user@sts.example.com")]
    public void An_endpoint_of_the_environment_is_the_name_of_a_host(string endpoint)
    {
        _environment["ALIBABA_CLOUD_STS_ENDPOINT"] = endpoint;

        Assert.Equal(
            "TokenServiceInvalid",
            Assert.Throws<KeySourceException>(() => RrsaSource.Endpoint(Options, "cn-hangzhou")).Failure.Code
        );
    }

    [Theory]
    [InlineData("the store's region", "eu-west-1", "", "https://sts.eu-west-1.amazonaws.com/", "eu-west-1")]
    [InlineData(
        "the operator's, which it reaches",
        "eu-west-1",
        "us-east-1",
        "https://sts.us-east-1.amazonaws.com/",
        "us-east-1"
    )]
    [InlineData(
        "but not one of another partition",
        "cn-north-1",
        "us-east-1",
        "https://sts.cn-north-1.amazonaws.com.cn/",
        "cn-north-1"
    )]
    public void The_token_service_of_a_role_is_in_the_partition_of_the_store(
        string sentence,
        string region,
        string environment,
        string expected,
        string signingRegion
    )
    {
        _environment["AWS_REGION"] = environment;

        var endpoint = AwsTokenEndpoint.Of(Options, region);

        Assert.True((expected, signingRegion) == (endpoint.Address.AbsoluteUri, endpoint.Region), sentence);
    }
}
