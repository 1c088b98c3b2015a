using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Commands;

public sealed partial class BucketRequestTests
{
    [Theory]
    [InlineData("options over file", "i", "k", "t", File, "i k t")]
    [InlineData("no other account's token", "i", "k", null, File, "i k ")]
    [InlineData("file", null, null, null, File, "file-id file-secret file-token")]
    [InlineData("each of the two by itself", null, "k", null, File, "file-id k file-token")]
    [InlineData("environment last", null, null, null, "", "env-id env-secret env-token")]
    [InlineData("a token may be added", null, null, "t", "", "env-id env-secret t")]
    public void Keys_come_from_the_options_then_the_file_then_the_environment(
        string what,
        string? id,
        string? secret,
        string? token,
        string file,
        string expected
    )
    {
        var given = Get with { AccessKeyId = id, AccessKeySecret = secret, StsToken = token, Region = "cn-hangzhou" };

        var key = Read(
            given,
            file,
            "OSS_ACCESS_KEY_ID=env-id",
            "OSS_ACCESS_KEY_SECRET=env-secret",
            "OSS_SESSION_TOKEN=env-token",
            "ALIBABA_CLOUD_ACCESS_KEY_ID=no"
        ).Key;

        Assert.Equal((what, expected), (what, $"{key.Id} {key.Secret} {key.SecurityToken}"));
    }

    [Theory]
    [InlineData(
        "oss://b-one",
        "ALIBABA_CLOUD_ACCESS_KEY_ID=i",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET=k",
        "ALIBABA_CLOUD_SECURITY_TOKEN=t"
    )]
    [InlineData("obs://b-one", "OBS_ACCESS_KEY_ID=i", "OBS_SECRET_ACCESS_KEY=k", "OBS_SECURITY_TOKEN=t")]
    [InlineData("s3://b-one", "AWS_ACCESS_KEY_ID=i", "AWS_SECRET_ACCESS_KEY=k", "AWS_SESSION_TOKEN=t")]
    public void Each_vendor_has_its_own_variables(string url, string id, string secret, string token)
    {
        var key = Read(Get with { Words = [url], Region = "cn-north-1" }, "", id, secret, token).Key;

        Assert.Equal(("i", "k", "t"), (key.Id, key.Secret, key.SecurityToken));
    }

    [Fact]
    public void A_vendor_without_variables_of_its_own_gets_nobody_elses_key() =>
        Assert.Equal(
            "invalid accessKeyID, accessKeyID is empty: give -i, accessKeyID in the config file",
            Assert
                .Throws<UsageException>(() =>
                    Read(
                        Get with
                        {
                            Words = ["s3://b-one"],
                            Vendor = "jdcloud",
                            Region = "cn-north-1",
                        },
                        "",
                        "AWS_ACCESS_KEY_ID=i",
                        "AWS_SECRET_ACCESS_KEY=k"
                    )
                )
                .Message
        );

    [Fact]
    public void Mode_AK_leaves_the_token_out() => Assert.Null(Read(Get with { Mode = "ak" }, File).Key.SecurityToken);

    [Theory]
    [InlineData(
        "the file's",
        null,
        null,
        "oss://b-thr",
        "https://oss-cn-hangzhou.aliyuncs.com/ VirtualHost cn-hangzhou V4"
    )]
    [InlineData(
        "the bucket's own",
        null,
        null,
        "oss://b-one",
        "https://oss-cn-shanghai.aliyuncs.com/ VirtualHost cn-shanghai V4"
    )]
    [InlineData("a name of its own first", null, null, "oss://b-two", "https://two.example.com/ CName  V1")]
    [InlineData(
        "-e leaves out both sections",
        "oss-cn-beijing.aliyuncs.com",
        null,
        "oss://b-two",
        "https://oss-cn-beijing.aliyuncs.com/ VirtualHost cn-beijing V4"
    )]
    [InlineData(
        "a region makes version 4",
        "http://127.0.0.1:9000",
        "cn-x",
        "oss://b-one",
        "http://127.0.0.1:9000/ Path cn-x V4"
    )]
    [InlineData(
        "a finance cloud's region is not in the name",
        "oss-cn-shanghai-finance-1-pub.aliyuncs.com",
        null,
        "oss://b-one",
        "https://oss-cn-shanghai-finance-1-pub.aliyuncs.com/ VirtualHost cn-shanghai-finance-1 V4"
    )]
    [InlineData(
        "an IPv6 address",
        "http://[fd00::5]:9000",
        "cn-x",
        "oss://b-one",
        "http://[fd00::5]:9000/ Path cn-x V4"
    )]
    [InlineData(
        "an IPv6 address without a scheme",
        "[fd00::5]:9000",
        "cn-x",
        "oss://b-one",
        "https://[fd00::5]:9000/ Path cn-x V4"
    )]
    [InlineData("none makes version 1", "http://[::1]:9000", null, "oss://b-one", "http://[::1]:9000/ Path  V1")]
    public void The_endpoint_and_the_region_come_from_the_nearest_source(
        string what,
        string? endpoint,
        string? region,
        string url,
        string expected
    )
    {
        var address = Read(
            GetWithKeys with
            {
                Words = [url],
                Endpoint = endpoint,
                Region = region,
            },
            File + BucketSections
        ).Address;

        var options = address.Options.ToString()!;
        Assert.Equal(
            (what, expected),
            (
                what,
                $"{address.Endpoint} {address.Addressing} {address.Region} "
                    + $"{(options.Contains("V4", StringComparison.Ordinal) ? "V4" : "V1")}"
            )
        );
    }

    [Theory]
    [InlineData("obs://b-one", null, "cn-north-4", "https://obs.cn-north-4.myhuaweicloud.com/ VirtualHost")]
    [InlineData("s3://b-one", null, "us-east-1", "https://s3.us-east-1.amazonaws.com/ VirtualHost")]
    [InlineData("s3://b-one", null, "eusc-de-east-1", "https://s3.eusc-de-east-1.amazonaws.eu/ VirtualHost")]
    [InlineData("oss://b-one", null, "cn-shenzhen-finance-1", "https://oss-cn-szfinance.aliyuncs.com/ VirtualHost")]
    [InlineData(
        "obs://b-one",
        null,
        "eu-west-0",
        "https://oss.eu-west-0.prod-cloud-ocb.orange-business.com/ VirtualHost"
    )]
    [InlineData("s3://b.one", null, "us-east-1", "https://s3.us-east-1.amazonaws.com/ Path")]
    [InlineData("S3://b-one", "jdcloud", "cn-north-1", "https://s3.cn-north-1.jdcloud-oss.com/ VirtualHost")]
    [InlineData("s3://b-one/", "JDCloudOSS", "cn-north-1", "https://s3.cn-north-1.jdcloud-oss.com/ VirtualHost")]
    public void The_vendor_goes_by_the_scheme_unless_it_is_named(
        string url,
        string? vendor,
        string region,
        string expected
    )
    {
        var address = Read(GetWithKeys with { Words = [url], Vendor = vendor, Region = region }).Address;

        Assert.Equal(expected, $"{address.Endpoint} {address.Addressing}");
    }

    [Fact]
    public void Force_path_style_puts_the_bucket_into_the_path() =>
        Assert.Equal(Addressing.Path, Read(Put with { ForcePathStyle = true }).Address.Addressing);

    [Fact]
    public void The_environments_region_serves_where_nothing_nearer_names_one()
    {
        var far = Read(GetWithKeys with { Endpoint = "store.example.com" }, "", "OSS_REGION=cn-far");
        var near = Read(GetWithKeys, File + "region=cn-far", "OSS_REGION=cn-farther");

        Assert.Equal(("cn-far", "cn-hangzhou"), (far.Address.Region, near.Address.Region));
    }
}
