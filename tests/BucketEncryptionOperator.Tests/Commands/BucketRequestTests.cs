using BucketEncryptionOperator.Commands;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// From what was typed, the config file and the environment to one request: the rules of
/// docs/bucket-encryption-command.md.
/// </summary>
public sealed class BucketRequestTests
{
    private const string File =
        "[Credentials]\nendpoint=oss-cn-hangzhou.aliyuncs.com\naccessKeyID=file-id\naccessKeySecret=file-secret\n"
        + "stsToken=file-token\n";
    private const string BucketSections =
        "[Bucket-Endpoint]\nb-one=oss-cn-shanghai.aliyuncs.com\nb-two=oss-cn-shanghai.aliyuncs.com\n[Bucket-Cname]\n"
        + "b-two=two.example.com\n";

    private static readonly BucketEncryptionArguments Get = new() { Method = "get", Words = ["oss://b-one"] };
    private static readonly BucketEncryptionArguments GetWithKeys = Get with
    {
        AccessKeyId = "i",
        AccessKeySecret = "k",
    };
    private static readonly BucketEncryptionArguments Put = GetWithKeys with
    {
        Method = "put",
        SseAlgorithm = "AES256",
        Endpoint = "oss-cn-hangzhou.aliyuncs.com",
    };

    private static readonly (string Message, BucketEncryptionArguments Given)[] Refused =
    [
        ("unknown option --acess-key-secret", Get with { Words = ["oss://b-one", "--acess-key-secret=marked"] }),
        ("the command needs one bucket, for example oss://my-bucket", Get with { Words = [] }),
        ("the command needs one bucket, for example oss://my-bucket", Get with { Words = ["oss://b-one", "marked"] }),
        ("--method value is empty", Get with { Method = null }),
        ("--method value is empty", Get with { Method = "" }),
        ("--method value is not in the optional value:put|get|delete", Get with { Method = "list" }),
        ("--method value is not in the optional value:put|get|delete", Get with { Method = "1" }),
        ("--method value is not in the optional value:put|get|delete", Get with { Method = "get,put" }),
        ("the bucket must be given as oss://bucket, obs://bucket, s3://bucket", Get with { Words = ["b-one"] }),
        ("the bucket must be given as oss://bucket, obs://bucket, s3://bucket", Get with { Words = ["http://b-one"] }),
        ("the bucket must be given as s3://bucket", Get with { Vendor = "jdcloud" }),
        ("--vendor is none of alibaba, huawei, jdcloud, s3", Get with { Vendor = "marked" }),
        (
            "the bucket's name is none: it has 3 to 63 lower-case letters, digits, hyphens and dots, and no object "
                + "follows it",
            Get with
            {
                Words = ["oss://b-one/key"],
            }
        ),
        (
            "the bucket's name is none: it has 3 to 63 lower-case letters, digits, hyphens and dots, and no object "
                + "follows it",
            Get with
            {
                Words = ["oss://user@evil"],
            }
        ),
        (
            "invalid accessKeyID, accessKeyID is empty: give -i, accessKeyID in the config file, or OSS_ACCESS_KEY_ID "
                + "in the environment",
            Get with
            {
                Endpoint = "h",
            }
        ),
        (
            "invalid accessKeySecret, accessKeySecret is empty: give -k, accessKeySecret in the config file, or "
                + "OSS_ACCESS_KEY_SECRET in the environment",
            Get with
            {
                AccessKeyId = "i",
            }
        ),
        ("accessKeyID and stsToken must be printable ASCII", GetWithKeys with { StsToken = "a\nb" }),
        (
            "value EcsRamRole of option --mode is not supported here (AK and StsToken are): assume the role "
                + "elsewhere, and pass its temporary keys with -i, -k and -t",
            GetWithKeys with
            {
                Mode = "EcsRamRole",
            }
        ),
        (
            "value of option --mode is not supported here (AK and StsToken are): assume the role elsewhere, and pass "
                + "its temporary keys with -i, -k and -t",
            GetWithKeys with
            {
                Mode = "marked",
            }
        ),
        (
            "invalid stsToken, stsToken is empty, and --mode is StsToken: give -t, or stsToken in the config file",
            GetWithKeys with
            {
                Mode = "StsToken",
            }
        ),
        (
            "option --proxy-pwd is not supported: set HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment",
            Get with
            {
                Unsupported = ["--proxy-pwd"],
            }
        ),
        ("invalid endpoint, endpoint is empty: give -e, --region, or endpoint in the config file", GetWithKeys),
        (
            "invalid endpoint: it must be a host, or scheme and host, for example https://oss-cn-hangzhou.aliyuncs.com",
            GetWithKeys with
            {
                Endpoint = "ftp://h",
            }
        ),
        (
            "invalid endpoint: it must be a host, or scheme and host, for example https://oss-cn-hangzhou.aliyuncs.com",
            GetWithKeys with
            {
                Endpoint = "https://marked@h",
            }
        ),
        (
            "endpoint oss-cn-hangzhou.aliyuncs.com is not in region cn-beijing: correct one of them",
            Put with
            {
                Region = "cn-beijing",
            }
        ),
        (
            "endpoint media.oss-cn-hangzhou.aliyuncs.com: the endpoint goes without the bucket: "
                + "https://oss-cn-hangzhou.aliyuncs.com",
            Put with
            {
                Endpoint = "media.oss-cn-hangzhou.aliyuncs.com",
            }
        ),
        (
            "endpoint media.s3.eu-west-1.amazonaws.com: the endpoint goes without the bucket: "
                + "https://s3.eu-west-1.amazonaws.com",
            Put with
            {
                Words = ["s3://b-one"],
                Endpoint = "https://media.s3.eu-west-1.amazonaws.com",
                Region = "eu-west-1",
            }
        ),
        ("oss-cn-hangzhou is not a region id: give cn-hangzhou", Put with { Region = "oss-cn-hangzhou" }),
        ("oss-cn-hangzhou is not a region id: give cn-hangzhou", GetWithKeys with { Region = "oss-cn-hangzhou" }),
        (
            "cn-beijing-internal is not a region id: give cn-beijing",
            GetWithKeys with
            {
                Region = "cn-beijing-internal",
            }
        ),
        ("cn-hzfinance is not a region id: give cn-hangzhou-finance", GetWithKeys with { Region = "cn-hzfinance" }),
        ("endpoint -a.example is not a host name or an IP address", Put with { Endpoint = "-a.example" }),
        (
            "--region is no region: it has lower-case letters, digits and hyphens, for example cn-hangzhou",
            Put with
            {
                Region = "a.b/c",
            }
        ),
        (
            "--sign-version v4 needs a region, and the endpoint names none: give --region, or OSS_REGION in the "
                + "environment",
            GetWithKeys with
            {
                Endpoint = "h",
                SignVersion = "v4",
            }
        ),
        ("value of option --sign-version must be v1 or v4", Put with { SignVersion = "v3" }),
        (
            "--sign-version and --cloudbox-id are not for obs:// buckets: leave them out",
            GetWithKeys with
            {
                Words = ["obs://b-one"],
                Endpoint = "h",
                SignVersion = "v4",
            }
        ),
        (
            "the signature needs a region, and the endpoint names none: give --region, or AWS_REGION in the "
                + "environment",
            GetWithKeys with
            {
                Words = ["s3://b-one"],
                Endpoint = "h",
            }
        ),
        (
            "the signature needs a region, and the endpoint names none: give --region",
            GetWithKeys with
            {
                Words = ["s3://b-one"],
                Vendor = "JDCloud",
                Endpoint = "h",
            }
        ),
        (
            "HuaweiOBS wants the bucket in the host: give an endpoint with a name, and no --force-path-style",
            GetWithKeys with
            {
                Words = ["obs://b-one"],
                Endpoint = "127.0.0.1",
            }
        ),
        ("value of option --read-timeout must be a number of seconds, 1 to 3600", Put with { ReadTimeout = "0" }),
        ("value of option --connect-timeout must be a number of seconds, 1 to 3600", Put with { ConnectTimeout = "x" }),
        ("value of option --sse-algorithm must be AES256, KMS or SM4", Put with { SseAlgorithm = null }),
        ("value of option --sse-algorithm must be AES256, KMS or SM4", Put with { SseAlgorithm = "None" }),
        (
            "value of option --kms-masterkey-id must be empty if value of option --sse-algorithm is AES256",
            Put with
            {
                KmsKeyId = "k-1",
            }
        ),
        (
            "value of option --kms-data-encryption must be empty if value of option --sse-algorithm is SM4",
            Put with
            {
                SseAlgorithm = "SM4",
                KmsDataEncryption = "SM4",
            }
        ),
        (
            "value of option --kms-data-encryption must be SM4 or AES256",
            Put with
            {
                SseAlgorithm = "KMS",
                KmsDataEncryption = "DES",
            }
        ),
        (
            "--sse-algorithm: JDCloudOSS does not offer AES256; allowed are KMS.",
            Put with
            {
                Words = ["s3://b-one"],
                Vendor = "jdcloud",
                Endpoint = null,
                Region = "cn-north-1",
            }
        ),
        (
            "--kms-data-encryption: S3 does not offer it; remove it.",
            Put with
            {
                Words = ["s3://b-one"],
                Endpoint = null,
                Region = "us-east-1",
                SseAlgorithm = "KMS",
                KmsDataEncryption = "SM4",
            }
        ),
        (
            "--sse-algorithm: AlibabaOSS on a CloudBox does not offer KMS; allowed are AES256.",
            Put with
            {
                CloudBoxId = "cb-1",
                SseAlgorithm = "KMS",
            }
        ),
        ("bucket: \"b.one\" has a dot, which AlibabaOSS does not take here.", Put with { Words = ["oss://b.one"] }),
    ];

    public static TheoryData<int> Refusals => [.. Enumerable.Range(0, Refused.Length)];

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Read_refuses_and_repeats_no_strangers_word(int at)
    {
        var (message, given) = Refused[at];

        var refusal = Assert.Throws<UsageException>(() => Read(given));

        Assert.Equal(message, refusal.Message);
    }

    [Theory]
    [InlineData(
        "[AkService]\necsAk=http://x",
        "ecsAk in section [AkService] of the config file is not supported here: assume the role elsewhere, and pass "
            + "its temporary keys with -i, -k and -t"
    )]
    [InlineData(
        "[Credentials]\nmode=RamRoleArn\naccessKeyID=i\naccessKeySecret=k",
        "value RamRoleArn of option --mode is not supported here (AK and StsToken are): assume the role elsewhere, "
            + "and pass its temporary keys with -i, -k and -t"
    )]
    [InlineData(
        File + "region=A",
        "region in the config file is no region: it has lower-case letters, digits and hyphens, for example cn-hangzhou"
    )]
    public void Read_refuses_what_the_config_file_asks_for_in_vain(string file, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(Get, file)).Message);

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

    [Theory]
    [InlineData("aes256", null, null, "AES256")]
    [InlineData("SM4", null, "", "SM4")]
    [InlineData("kms", null, null, "KMS/vendorDefault/Aes256")]
    [InlineData("KMS", "k-1", null, "KMS/id:k-1/Aes256")]
    [InlineData("KMS", "k-1", "sm4", "KMS/id:k-1/Sm4")]
    public void A_put_says_the_whole_rule(string algorithm, string? keyId, string? cipher, string fingerprint) =>
        Assert.Equal(
            fingerprint,
            Read(
                Put with
                {
                    SseAlgorithm = algorithm,
                    KmsKeyId = keyId,
                    KmsDataEncryption = cipher,
                }
            ).Desired!.Fingerprint
        );

    [Theory]
    [InlineData("obs://b-one", null, "KMS/id:k-1/Aes256")]
    [InlineData("s3://b-one", null, "KMS/id:k-1/any")]
    [InlineData("s3://b-one", "jdcloud", "KMS/id:k-1/any")]
    public void A_put_says_nothing_that_its_vendor_has_no_word_for(string url, string? vendor, string fingerprint) =>
        Assert.Equal(
            fingerprint,
            Read(
                Put with
                {
                    Words = [url],
                    Vendor = vendor,
                    Endpoint = null,
                    Region = "cn-north-1",
                    SseAlgorithm = "KMS",
                    KmsKeyId = "k-1",
                }
            ).Desired!.Fingerprint
        );

    [Fact]
    public void The_timeouts_add_up() =>
        Assert.Equal(
            (TimeSpan.FromSeconds(70), TimeSpan.FromSeconds(3)),
            (
                Read(GetWithKeys, File).Timeout,
                Read(GetWithKeys with { ReadTimeout = "2", ConnectTimeout = "1" }, File).Timeout
            )
        );

    [Fact]
    public void What_was_typed_is_not_printed() =>
        Assert.Equal("BucketEncryptionArguments (redacted)", GetWithKeys.ToString());

    private static BucketRequest Read(BucketEncryptionArguments given, string file = "", params string[] environment)
    {
        var variables = environment
            .Select(v => v.Split('='))
            .ToDictionary(v => v[0], v => v[1], StringComparer.Ordinal);
        return BucketRequest.Read(
            BucketRequest.ReadTask(given),
            given,
            OssutilConfig.Parse(file),
            variables.GetValueOrDefault
        );
    }
}
