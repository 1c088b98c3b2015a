using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed partial class PolicyReaderTests
{
    [Theory]
    [InlineData(
        "no endpoint: the vendor's for the region",
        null,
        null,
        "https://oss-cn-hangzhou.aliyuncs.com/",
        "VirtualHost"
    )]
    [InlineData(
        "its internal endpoint",
        "https://oss-cn-hangzhou-internal.aliyuncs.com",
        null,
        "https://oss-cn-hangzhou-internal.aliyuncs.com/",
        "VirtualHost"
    )]
    [InlineData(
        "upper case is no other host",
        "https://OSS-CN-HANGZHOU.aliyuncs.com",
        null,
        "https://oss-cn-hangzhou.aliyuncs.com/",
        "VirtualHost"
    )]
    [InlineData(
        "a slash at the end is no path",
        "https://oss.corp.example/",
        null,
        "https://oss.corp.example/",
        "VirtualHost"
    )]
    [InlineData("a host with Path", "https://oss.corp.example", "Path", "https://oss.corp.example/", "Path")]
    [InlineData(
        "a host with VirtualHost",
        "https://oss.corp.example",
        "VirtualHost",
        "https://oss.corp.example/",
        "VirtualHost"
    )]
    [InlineData(
        "an IPv4 address always means Path",
        "http://127.0.0.1:9000",
        "VirtualHost",
        "http://127.0.0.1:9000/",
        "Path"
    )]
    [InlineData("an IPv6 address always means Path", "http://[::1]:9000", "VirtualHost", "http://[::1]:9000/", "Path")]
    [InlineData(
        "a name of the bucket's own",
        "https://oss.corp.example",
        "CName",
        "https://oss.corp.example/",
        "CName"
    )]
    [InlineData("which may be an IP address", "http://127.0.0.1:9000", "CName", "http://127.0.0.1:9000/", "CName")]
    [InlineData(
        "dual stack",
        "https://cn-hangzhou.oss.aliyuncs.com",
        null,
        "https://cn-hangzhou.oss.aliyuncs.com/",
        "VirtualHost"
    )]
    [InlineData(
        "acceleration goes with any region",
        "https://oss-accelerate.aliyuncs.com",
        null,
        "https://oss-accelerate.aliyuncs.com/",
        "VirtualHost"
    )]
    public void An_endpoint_gives_address_and_style(
        string sentence,
        string? endpoint,
        string? addressing,
        string expected,
        string expectedAddressing
    )
    {
        var (value, failure) = Reader.ReadWith(
            Given.Policy("bucket-a", "bucket-b"),
            Given.Store().At(endpoint, addressing)
        );

        Assert.True(failure is null && value is not null, $"{sentence}: {failure?.Message}");
        Assert.Equal(["bucket-a", "bucket-b"], value.Addresses().Select(b => b.Bucket));
        Assert.All(
            value.Addresses(),
            b =>
                Assert.Equal(
                    (new Uri(expected), "cn-hangzhou", expectedAddressing),
                    (b.Endpoint, b.Region, b.Addressing.ToString())
                )
        );
    }

    /// <summary>AWS stores any text as a key, and refuses every upload afterwards.</summary>
    [Theory]
    [InlineData("aws/s3", null, "\"aws/s3\" is not a key id: use \"alias/aws/s3\", or vendorDefault: true")]
    [InlineData("key/k-1", null, "\"key/k-1\" is not a key id: use the id alone, an ARN, or \"alias/NAME\"")]
    [InlineData("k-1", null, null)]
    [InlineData("alias/finance", null, null)]
    [InlineData("alias/aws/s3", null, null)]
    [InlineData("arn:aws-cn:kms:cn-north-1:111122223333:key/k-1", null, null)]
    [InlineData("arn:aws-cn:kms:cn-north-1:111122223333:alias/aws/s3", null, null)]
    [InlineData(
        "alias/aws/s3",
        "https://oss.corp.example",
        "\"alias/aws/s3\" is AWS's own key, and this endpoint is not AWS"
    )]
    [InlineData("aws/s3", "https://oss.corp.example", null)]
    [InlineData("arn:aws:kms:k-1", "https://oss.corp.example", null)]
    public void What_can_be_no_key_of_an_S3_store_is_refused_with_the_right_value(
        string id,
        string? endpoint,
        string? problem
    )
    {
        var store = Given.Store("S3", "cn-north-1");

        var (_, failure) = Reader.ReadWith(
            Given
                .Policy()
                .With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = id },
                    }
                ),
            endpoint is null ? store : store.At(endpoint)
        );

        Assert.Equal(problem is null ? null : "InvalidSpec", failure?.Code);
        Assert.StartsWith(
            problem is null ? "" : "spec.encryption.kmsKey.id: " + problem,
            failure?.Message ?? "",
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("nothing said", null, null, null, 20, 40, 8)]
    [InlineData("one of them", 5, null, null, 5, 40, 8)]
    [InlineData("all of them", 1000, 1, 64, 1000, 1, 64)]
    public void A_stores_rate_limit_goes_with_every_address(
        string sentence,
        int? requests,
        int? burst,
        int? concurrency,
        int expectedRequests,
        int expectedBurst,
        int expectedConcurrency
    )
    {
        var (value, failure) = Reader.ReadWith(
            Given.Policy("bucket-a", "bucket-b"),
            Limited(requests, burst, concurrency)
        );

        Assert.True(failure is null, $"{sentence}: {failure?.Message}");
        Assert.All(
            value!.Addresses(),
            b => Assert.Equal(new RateLimit(expectedRequests, expectedBurst, expectedConcurrency), b.Limit)
        );
    }

    [Theory]
    [InlineData(0, 1, 1, "spec.rateLimit.requestsPerSecond: 0 is not from 1 to 1000.")]
    [InlineData(1001, 1, 1, "spec.rateLimit.requestsPerSecond: 1001")]
    [InlineData(1, 0, 1, "spec.rateLimit.burst: 0")]
    [InlineData(1, 1001, 1, "spec.rateLimit.burst: 1001 is not from 1 to 1000.")]
    [InlineData(1, 1, 0, "spec.rateLimit.maxConcurrency: 0")]
    [InlineData(1, 1, 65, "spec.rateLimit.maxConcurrency: 65 is not from 1 to 64.")]
    public void A_rate_limit_that_is_none_is_refused(int requests, int burst, int concurrency, string expected)
    {
        var failure = Reader.ReadWith(Given.Policy(), Limited(requests, burst, concurrency)).Failure;

        Assert.Contains(expected, failure?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AWS: the bucket in the host", "S3", null, null, "finance-archive", "VirtualHost")]
    [InlineData("AWS: a name with dots in the path", "S3", null, null, "finance.archive", "Path")]
    [InlineData(
        "another S3: the bucket in the path",
        "S3",
        "https://oss.corp.example",
        null,
        "finance-archive",
        "Path"
    )]
    [InlineData(
        "another S3 that wants it in the host",
        "S3",
        "https://oss.corp.example",
        "VirtualHost",
        "finance-archive",
        "VirtualHost"
    )]
    [InlineData("OBS: in the host", "HuaweiOBS", null, null, "finance-archive", "VirtualHost")]
    [InlineData("JD: in the host", "JDCloudOSS", null, null, "finance-archive", "VirtualHost")]
    [InlineData("JD: in the path, if so said", "JDCloudOSS", null, "Path", "finance-archive", "Path")]
    public void A_vendor_has_its_own_addressing(
        string sentence,
        string vendor,
        string? endpoint,
        string? addressing,
        string bucket,
        string expected
    )
    {
        var (value, failure) = Reader.ReadWith(
            Given.Policy(bucket).With(new EncryptionSpec { Algorithm = "KMS" }),
            Given.Store(vendor, "cn-north-1").At(endpoint, addressing)
        );

        Assert.True(expected == value?.Addresses()[0].Addressing.ToString(), $"{sentence}: {failure?.Message}");
    }

    [Fact]
    public void What_a_store_says_to_its_vendor_alone_reaches_it()
    {
        var oss = Given.Store().Spec with { Alibaba = new AlibabaSpec { SignatureVersion = "V1" } };
        var s3 = Given.Store("S3", "eu-west-1").Spec with { S3 = new S3Spec { ExpectedBucketOwner = "111122223333" } };

        var options = new[] { oss, s3 }.Select(spec =>
            Reader.ReadWith(Given.Policy(), Given.Store() with { Spec = spec }).Value?.Addresses()[0].Options
        );

        Assert.Equal([new OssOptions(OssSignature.V1, CloudBoxId: null), new S3Options("111122223333")], options);
    }

    [Theory]
    [InlineData("S3", null, true)]
    [InlineData("S3", "https://oss.corp.example", false)]
    [InlineData("AlibabaOSS", null, false)]
    public void Where_every_bucket_is_encrypted_none_means_AES256(string vendor, string? endpoint, bool means)
    {
        var (value, _) = Reader.ReadWith(
            Given.Policy().With(new EncryptionSpec { Algorithm = "None" }),
            Given.Store(vendor, "eu-west-1").At(endpoint)
        );

        Assert.Equal(new DesiredEncryption.None(means), value?.Terms.Goal.Encryption);
    }

    /// <summary>
    /// What a store cannot do is refused before anything is sent: the field, whose store it is, and what goes.
    /// </summary>
    [Theory]
    [InlineData(
        "JDCloudOSS",
        "AES256",
        "",
        "spec.encryption.algorithm: JDCloudOSS does not offer AES256; allowed are KMS and None."
    )]
    [InlineData("JDCloudOSS", "SM4", "", "spec.encryption.algorithm: JDCloudOSS does not offer SM4")]
    [InlineData(
        "HuaweiOBS",
        "SM4",
        "",
        "spec.encryption.algorithm: HuaweiOBS does not offer SM4; allowed are AES256, KMS and None."
    )]
    [InlineData("S3", "SM4", "", "spec.encryption.algorithm: S3 does not offer SM4")]
    [InlineData(
        "AlibabaOSS",
        "KMS",
        "cloudbox",
        "spec.encryption.algorithm: AlibabaOSS on a CloudBox does not offer KMS; allowed are AES256 and None."
    )]
    [InlineData("S3", "KMS", "cipher", "spec.encryption.kmsDataEncryption: S3 does not offer it")]
    [InlineData("JDCloudOSS", "KMS", "cipher", "spec.encryption.kmsDataEncryption: JDCloudOSS")]
    [InlineData("AlibabaOSS", "KMS", "project", "spec.encryption.kmsProjectId: AlibabaOSS")]
    [InlineData("JDCloudOSS", "KMS", "project", "spec.encryption.kmsProjectId: JDCloudOSS")]
    [InlineData("S3", "KMS", "project", "spec.encryption.kmsProjectId: S3 does not keep keys in projects")]
    [InlineData("AlibabaOSS", "KMS", "bucketKey", "spec.encryption.bucketKeyEnabled: AlibabaOSS")]
    [InlineData("JDCloudOSS", "KMS", "bucketKey", "spec.encryption.bucketKeyEnabled: JDCloudOSS")]
    [InlineData(
        "AlibabaOSS",
        "DSSE",
        "key",
        "spec.encryption.algorithm: AlibabaOSS does not offer DSSE; allowed are AES256, KMS, SM4 and None."
    )]
    [InlineData("HuaweiOBS", "DSSE", "", "spec.encryption.algorithm: HuaweiOBS does not offer DSSE")]
    [InlineData("JDCloudOSS", "DSSE", "", "spec.encryption.algorithm: JDCloudOSS does not offer DSSE")]
    [InlineData(
        "S3",
        "DSSE",
        "minio",
        "spec.encryption.algorithm: S3 outside AWS does not offer DSSE; allowed are AES256, KMS and None."
    )]
    [InlineData("S3", "DSSE", "project", "spec.encryption.kmsProjectId: S3 does not keep keys in projects; remove it.")]
    [InlineData(
        "AlibabaOSS",
        "AES256",
        "blocked",
        "spec.encryption.blockedEncryptionTypes: \"SSE-C\": AlibabaOSS blocks no encryption types; remove it."
    )]
    [InlineData("HuaweiOBS", "KMS", "blocked", "spec.encryption.blockedEncryptionTypes: \"SSE-C\": HuaweiOBS")]
    [InlineData("JDCloudOSS", "KMS", "blocked", "spec.encryption.blockedEncryptionTypes: \"SSE-C\": JDCloudOSS")]
    [InlineData(
        "S3",
        "AES256",
        "minio blocked",
        "spec.encryption.blockedEncryptionTypes: \"SSE-C\": S3 outside AWS blocks no encryption types; remove it."
    )]
    [InlineData("S3", "DSSE", "key blocked", null)]
    [InlineData("S3", "KMS", "key bucketKey blocked", null)]
    [InlineData("S3", "AES256", "blocked", null)]
    [InlineData("S3", "KMS", "minio bucketKey", null)]
    [InlineData("AlibabaOSS", "SM4", "", null)]
    [InlineData("AlibabaOSS", "KMS", "cipher", null)]
    [InlineData("AlibabaOSS", "AES256", "cloudbox", null)]
    [InlineData("HuaweiOBS", "AES256", "", null)]
    [InlineData("HuaweiOBS", "KMS", "cipher project bucketKey", null)]
    [InlineData("JDCloudOSS", "KMS", "key", null)]
    [InlineData("S3", "KMS", "key bucketKey", null)]
    [InlineData("S3", "AES256", "dotted", null)]
    [InlineData(
        "HuaweiOBS",
        "AES256",
        "dotted",
        "spec.buckets: \"finance.archive\" has a dot, which HuaweiOBS does not take here."
    )]
    public void What_a_store_cannot_do_is_refused(string vendor, string algorithm, string with, string? problem)
    {
        var policy = Given
            .Policy(with == "dotted" ? "finance.archive" : "finance-archive")
            .With(
                new EncryptionSpec
                {
                    Algorithm = algorithm,
                    KmsKey =
                        with.Contains("key", StringComparison.Ordinal)
                        || with.Contains("project", StringComparison.Ordinal)
                            ? new KmsKeySpec { Id = "k-1" }
                            : null,
                    KmsDataEncryption = with.Contains("cipher", StringComparison.Ordinal) ? "SM4" : null,
                    KmsProjectId = with.Contains("project", StringComparison.Ordinal) ? "p-1" : null,
                    BucketKeyEnabled = with.Contains("bucketKey", StringComparison.Ordinal) ? true : null,
                    BlockedEncryptionTypes = with.Contains("blocked", StringComparison.Ordinal) ? ["SSE-C"] : null,
                }
            );
        var store = Given.Store(vendor, "cn-north-1");
        if (with.Contains("minio", StringComparison.Ordinal))
            store = store.At("http://127.0.0.1:9000");
        if (with == "cloudbox")
            store = store.At("https://cb-1.cn-north-1.oss-cloudbox.aliyuncs.com") with
            {
                Spec = store.Spec with
                {
                    Endpoint = "https://cb-1.cn-north-1.oss-cloudbox.aliyuncs.com",
                    Alibaba = new AlibabaSpec { CloudBoxId = "cb-1" },
                },
            };

        var (_, failure) = Reader.ReadWith(policy, store);

        Assert.Equal(problem is null ? null : "InvalidSpec", failure?.Code);
        Assert.StartsWith(problem ?? "", failure?.Message ?? "", StringComparison.Ordinal);
    }
}
