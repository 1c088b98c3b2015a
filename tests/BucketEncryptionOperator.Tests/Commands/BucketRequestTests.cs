using BucketEncryptionOperator.Commands;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>
/// From what was typed, the config file and the environment to one request: the rules of
/// docs/bucket-encryption-command.md.
/// </summary>
public sealed partial class BucketRequestTests
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
        ("--vendor must be one of alibaba, huawei, jdcloud, s3", Get with { Vendor = "marked" }),
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
        ("value of option --sse-algorithm must be AES256, KMS, SM4 or DSSE", Put with { SseAlgorithm = null }),
        ("value of option --sse-algorithm must be AES256, KMS, SM4 or DSSE", Put with { SseAlgorithm = "None" }),
        (
            "--sse-algorithm: AlibabaOSS does not offer DSSE; allowed are AES256, KMS, SM4.",
            Put with
            {
                SseAlgorithm = "DSSE",
                KmsKeyId = "k-1",
            }
        ),
        (
            "value of option --kms-data-encryption must be empty if value of option --sse-algorithm is DSSE",
            Put with
            {
                Words = ["s3://b-one"],
                Endpoint = null,
                Region = "us-east-1",
                SseAlgorithm = "DSSE",
                KmsDataEncryption = "AES256",
            }
        ),
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
        (
            "--sse-algorithm: HuaweiOBS does not offer SM4; allowed are AES256, KMS.",
            Put with
            {
                Words = ["obs://b-one"],
                Endpoint = null,
                Region = "cn-north-4",
                SseAlgorithm = "SM4",
            }
        ),
        (
            "--kms-masterkey-id: \"key/k-1\" is not a key id: use the id alone, an ARN, or \"alias/NAME\".",
            Put with
            {
                Words = ["s3://b-one"],
                Endpoint = null,
                Region = "us-east-1",
                SseAlgorithm = "KMS",
                KmsKeyId = "key/k-1",
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
            BucketRequest.ReadTarget(given),
            given,
            OssutilConfig.Parse(file),
            variables.GetValueOrDefault
        );
    }
}
