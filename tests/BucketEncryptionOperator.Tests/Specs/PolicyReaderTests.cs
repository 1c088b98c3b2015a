using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class PolicyReaderTests
{
    private static readonly StoreReader Reader = new(
        new EndpointAllowList(
            [
                .. VendorCatalog.DefaultEndpointPatterns,
                "http://127.0.0.1:9000",
                "http://[::1]:9000",
                "https://oss.corp.example",
                "http://oss.corp.example:8080",
            ],
            VendorCatalog.Endpoints
        ),
        Partitions.None,
        new KeySourceReader(ambientInNamespacedStores: false)
    );

    /// <summary>
    /// What is wrong → the kind, the code, and what the message and hint must say: field, value, what to do.
    /// </summary>
    private static readonly Dictionary<string, Refusal> Refusals = new(StringComparer.Ordinal)
    {
        ["no such store"] = new(
            Given.Policy(),
            null,
            FailureKind.Missing,
            "StoreNotFound",
            ["spec.storeRef", "\"hangzhou\"", "Create it"]
        ),
        ["a kind of store that is not known"] = Bad(
            p =>
                p with
                {
                    Spec = p.Spec with
                    {
                        StoreRef = new StoreReference { Kind = "Bucket", Name = "hangzhou" },
                    },
                },
            "spec.storeRef.kind",
            "\"Bucket\"",
            "BucketStore"
        ),
        ["an algorithm that is not known"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES512" }),
            "spec.encryption.algorithm",
            "\"AES512\"",
            "AES256, KMS, SM4 and None"
        ),
        ["algorithms are told apart by case"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "kms" }),
            "spec.encryption.algorithm",
            "\"kms\""
        ),
        ["a cipher that is not known"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsDataEncryption = "SM9" }),
            "spec.encryption.kmsDataEncryption",
            "\"SM9\"",
            "AES256 and SM4"
        ),
        ["a cipher without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", KmsDataEncryption = "SM4" }),
            "spec.encryption.kmsDataEncryption",
            "AES256",
            "only with algorithm KMS"
        ),
        ["a key without KMS"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "SM4",
                        KmsKey = new KmsKeySpec { Id = "k" },
                    }
                ),
            "spec.encryption.kmsKey",
            "SM4",
            "only with algorithm KMS"
        ),
        ["a key that is neither"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec() }),
            "spec.encryption.kmsKey",
            "exactly one of id and vendorDefault"
        ),
        ["a key that is both"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k", VendorDefault = true },
                    }
                ),
            "spec.encryption.kmsKey",
            "exactly one of id and vendorDefault"
        ),
        ["a key id with a blank"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k 1" },
                    }
                ),
            "spec.encryption.kmsKey.id",
            "\"k 1\"",
            "letters, digits"
        ),
        ["a project without a key"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsProjectId = "p-1" }),
            "spec.encryption.kmsProjectId",
            "kmsKey.id"
        ),
        ["a project with the vendor's key"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { VendorDefault = true },
                        KmsProjectId = "p-1",
                    }
                ),
            "spec.encryption.kmsProjectId",
            "kmsKey.id"
        ),
        ["a project that is none"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k" },
                        KmsProjectId = "p 1",
                    }
                ),
            "spec.encryption.kmsProjectId",
            "\"p 1\""
        ),
        ["a bucket key without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BucketKeyEnabled = false }),
            "spec.encryption.bucketKeyEnabled",
            "only with algorithm KMS"
        ),
        ["a bucket of dots"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "a..b" }] } },
            "spec.buckets",
            "\"a..b\""
        ),
        ["a bucket that is a path"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "..." }] } },
            "spec.buckets",
            "\"...\""
        ),
        ["a dotted name where it would go in the host"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "a.bucket" }] } },
            "spec.buckets",
            "\"a.bucket\"",
            "a dot"
        ),
        ["a bucket that would leave the endpoint"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "evil.example/" }] } },
            "spec.buckets",
            "\"evil.example/\"",
            "3 to 63"
        ),
        ["a bucket that would be a user name"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "x@evil" }] } },
            "spec.buckets",
            "\"x@evil\""
        ),
        ["a bucket with capitals"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "Finance" }] } },
            "spec.buckets",
            "\"Finance\""
        ),
        ["no buckets"] = Bad(p => p with { Spec = p.Spec with { Buckets = [] } }, "spec.buckets", "at least one"),
        ["buckets that nobody set"] = Bad(
            p => p with { Spec = p.Spec with { Buckets = default } },
            "spec.buckets",
            "at least one"
        ),
        ["a bucket named twice"] = Bad(
            p =>
                p with
                {
                    Spec = p.Spec with
                    {
                        Buckets = [new BucketReference { Name = "abc" }, new BucketReference { Name = "abc" }],
                    },
                },
            "spec.buckets",
            "\"abc\"",
            "once"
        ),
        ["an interval that is none"] = Bad(
            p => p with { Spec = p.Spec with { ResyncInterval = "often" } },
            "spec.resyncInterval",
            "\"often\"",
            "10m"
        ),
        ["an interval of nothing"] = Bad(
            p => p with { Spec = p.Spec with { ResyncInterval = "0s" } },
            "spec.resyncInterval",
            "\"0s\"",
            "at most 24h"
        ),
        ["an interval that is too long"] = Bad(
            p => p with { Spec = p.Spec with { ResyncInterval = "24h1s" } },
            "spec.resyncInterval",
            "\"24h1s\"",
            "at most 24h"
        ),
        ["an interval that no clock counts"] = Bad(
            p => p with { Spec = p.Spec with { ResyncInterval = "2147483647h" } },
            "spec.resyncInterval",
            "at most 24h"
        ),
        ["a vendor that is not known"] = BadStore(
            s => s with { Spec = s.Spec with { Vendor = "Floppy" } },
            "InvalidSpec",
            "\"hangzhou\"",
            "spec.vendor",
            "\"Floppy\"",
            "AlibabaOSS"
        ),
        ["an addressing that is not known"] = BadStore(
            s => s.At(null, "Sideways"),
            "InvalidSpec",
            "spec.addressing",
            "\"Sideways\"",
            "VirtualHost, Path, CName"
        ),
        ["an endpoint that is no URL"] = BadStore(
            s => s.At("oss-cn-hangzhou.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "\"oss-cn-hangzhou.aliyuncs.com\"",
            "https://oss-cn-hangzhou.aliyuncs.com"
        ),
        ["an endpoint with a path"] = BadStore(
            s => s.At("https://oss.corp.example/path"),
            "InvalidSpec",
            "spec.endpoint",
            "\"https://oss.corp.example/path\"",
            "scheme and host only"
        ),
        ["an endpoint with a query"] = BadStore(
            s => s.At("https://oss.corp.example/?a=b"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint with a fragment"] = BadStore(
            s => s.At("https://oss.corp.example/#a"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint with a user"] = BadStore(
            s => s.At("https://user@oss.corp.example"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["an endpoint of another scheme"] = BadStore(
            s => s.At("ftp://oss.corp.example"),
            "InvalidSpec",
            "spec.endpoint",
            "\"ftp://oss.corp.example\""
        ),
        ["an endpoint that is a file"] = BadStore(
            s => s.At("/etc/passwd"),
            "InvalidSpec",
            "spec.endpoint",
            "scheme and host only"
        ),
        ["a region that would move the endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "x@evil.example/" } },
            "InvalidSpec",
            "spec.region",
            "\"x@evil.example/\"",
            "cn-hangzhou"
        ),
        ["an empty region"] = BadStore(
            s => s.At("https://oss.corp.example") with { Spec = s.Spec with { Region = "" } },
            "InvalidSpec",
            "spec.region",
            "cn-hangzhou"
        ),
        ["an endpoint of another region"] = BadStore(
            s => s.At("https://oss-cn-beijing.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "oss-cn-beijing.aliyuncs.com",
            "region cn-hangzhou"
        ),
        ["an internal endpoint of another region"] = BadStore(
            s => s.At("https://oss-cn-beijing-internal.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region cn-hangzhou"
        ),
        ["a dual-stack endpoint of another region"] = BadStore(
            s => s.At("https://cn-beijing.oss.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region cn-hangzhou"
        ),
        ["an AWS endpoint of another region"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3.eu-west-3.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region eu-west-1"
        ),
        ["a CNAME without a name"] = BadStore(
            s => s.At(null, "CName"),
            "InvalidSpec",
            "spec.endpoint",
            "must be given"
        ),
        ["a setting that the vendor does not accept"] = BadStore(
            s => s with { Spec = s.Spec with { Alibaba = new AlibabaSpec { SignatureVersion = "v4" } } },
            "InvalidSpec",
            "spec.alibaba.signatureVersion",
            "\"v4\"",
            "use V4 or V1"
        ),
        ["a CloudBox without an endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Alibaba = new AlibabaSpec { CloudBoxId = "cb-1" } } },
            "InvalidSpec",
            "spec.endpoint",
            "must be given"
        ),
        ["a CNAME where there is none"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://oss.corp.example", "CName"),
            "InvalidSpec",
            "spec.addressing",
            "\"CName\"",
            "S3",
            "Path, VirtualHost"
        ),
        ["a path where the host is needed"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At(null, "Path"),
            "InvalidSpec",
            "spec.addressing",
            "HuaweiOBS",
            "VirtualHost"
        ),
        ["an IP address where the host is needed"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("http://127.0.0.1:9000"),
            "InvalidSpec",
            "spec.endpoint",
            "127.0.0.1",
            "give a name"
        ),
        ["an addressing by its number"] = BadStore(s => s.At(null, "1"), "InvalidSpec", "spec.addressing", "\"1\""),
        ["an endpoint with the bucket in it"] = BadStore(
            s => s.At("https://media.oss-cn-hangzhou.aliyuncs.com"),
            "InvalidSpec",
            "spec.endpoint",
            "the endpoint goes without the bucket: https://oss-cn-hangzhou.aliyuncs.com"
        ),
        ["an AWS endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://media.s3.eu-west-1.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["an OBS endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("https://media.obs.cn-north-4.myhuaweicloud.com"),
            "InvalidSpec",
            "spec.endpoint",
            "without the bucket: https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["an endpoint with a bucket of dots in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://my.media.s3.eu-west-1.amazonaws.com"),
            "InvalidSpec",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["another vendor's endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "cn-north-4").At("https://media.obs.cn-north-4.myhuaweicloud.com"),
            "InvalidSpec",
            "without the bucket: https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["the old global endpoint with the bucket in it"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://media.s3.amazonaws.com"),
            "InvalidSpec",
            "without the bucket: https://s3.eu-west-1.amazonaws.com"
        ),
        ["the old global endpoint"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3.amazonaws.com"),
            "EndpointNotAllowed",
            "https://s3.amazonaws.com",
            "https://s3.eu-west-1.amazonaws.com"
        ),
        ["an endpoint's old name"] = BadStore(
            _ => Given.Store("S3", "eu-west-1").At("https://s3-eu-west-1.amazonaws.com"),
            "EndpointNotAllowed",
            "https://s3.eu-west-1.amazonaws.com"
        ),
        ["the global endpoint of another vendor"] = BadStore(
            _ => Given.Store("HuaweiOBS", "cn-north-4").At("https://obs.myhuaweicloud.com"),
            "EndpointNotAllowed",
            "https://obs.cn-north-4.myhuaweicloud.com"
        ),
        ["a region with an SDK's prefix"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "oss-cn-hangzhou" } },
            "InvalidSpec",
            "spec.region",
            "\"oss-cn-hangzhou\"",
            "give cn-hangzhou"
        ),
        ["a region with an SDK's prefix at a name of one's own"] = BadStore(
            s =>
                s.At("https://oss.corp.example") with
                {
                    Spec = s.At("https://oss.corp.example").Spec with { Region = "oss-cn-hangzhou" },
                },
            "InvalidSpec",
            "spec.region",
            "give cn-hangzhou"
        ),
        ["a region of an internal endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-beijing-internal" } },
            "InvalidSpec",
            "spec.region",
            "\"cn-beijing-internal\"",
            "give cn-beijing"
        ),
        ["a region of a finance cloud's endpoint"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-shanghai-finance-1-pub" } },
            "InvalidSpec",
            "spec.region",
            "give cn-shanghai-finance-1"
        ),
        ["a region of a finance cloud's endpoint, of which the name is another"] = BadStore(
            s => s with { Spec = s.Spec with { Region = "cn-hzfinance" } },
            "InvalidSpec",
            "spec.region",
            "give cn-hangzhou-finance"
        ),
        ["a region that an old SDK has for FIPS"] = BadStore(
            _ => Given.Store("S3", "fips-us-east-1"),
            "InvalidSpec",
            "spec.region",
            "give us-east-1"
        ),
        ["a finance cloud's endpoint of another region"] = BadStore(
            s =>
                s.At("https://oss-cn-hzfinance.aliyuncs.com") with
                {
                    Spec = s.At("https://oss-cn-hzfinance.aliyuncs.com").Spec with { Region = "cn-shanghai-finance-1" },
                },
            "InvalidSpec",
            "spec.endpoint",
            "region cn-shanghai-finance-1"
        ),
        ["an AWS endpoint of another partition"] = BadStore(
            _ => Given.Store("S3", "eusc-de-east-1").At("https://s3.eu-central-1.amazonaws.com"),
            "InvalidSpec",
            "spec.endpoint",
            "region eusc-de-east-1"
        ),
        ["a host whose label begins with a hyphen"] = BadStore(
            s => s.At("https://a.-b.example"),
            "InvalidSpec",
            "spec.endpoint",
            "a.-b.example",
            "is not a host name"
        ),
        ["a host whose label is too long"] = BadStore(
            s => s.At($"https://{new string('a', 64)}.example"),
            "InvalidSpec",
            "spec.endpoint",
            "is not a host name"
        ),
        ["a host that leaves no room for a bucket"] = BadStore(
            s => s.At($"https://{string.Join('.', Enumerable.Repeat("abcdefghi", 22))}.example"),
            "InvalidSpec",
            "spec.endpoint",
            "at most 189 characters"
        ),
        ["an endpoint that is not listed"] = BadStore(
            s => s.At("https://evil.example"),
            "EndpointNotAllowed",
            "spec.endpoint",
            "https://evil.example",
            "--allowed-endpoints"
        ),
        ["a port that is not listed"] = BadStore(
            s => s.At("https://oss.corp.example:8443"),
            "EndpointNotAllowed",
            "https://oss.corp.example:8443",
            "--allowed-endpoints"
        ),
        ["plain http where https is listed"] = BadStore(
            s => s.At("http://oss.corp.example"),
            "EndpointNotAllowed",
            "http://oss.corp.example",
            "plain http"
        ),
    };

    private static readonly Dictionary<string, (EncryptionSpec Spec, DesiredEncryption Desired)> Encryptions = new(
        StringComparer.Ordinal
    )
    {
        ["none"] = (new() { Algorithm = "None" }, new DesiredEncryption.None()),
        ["AES256"] = (new() { Algorithm = "AES256" }, new DesiredEncryption.Aes256()),
        ["SM4"] = (new() { Algorithm = "SM4" }, new DesiredEncryption.Sm4()),
        ["KMS with any key"] = (new() { Algorithm = "KMS" }, new DesiredEncryption.Kms(new KeyRequirement.Any(), null)),
        ["KMS with the vendor's key"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { VendorDefault = true },
            },
            new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), null)
        ),
        ["KMS with a key and SM4"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsDataEncryption = "SM4",
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), DataCipher.Sm4)
        ),
        ["KMS with AES256"] = (
            new() { Algorithm = "KMS", KmsDataEncryption = "AES256" },
            new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Aes256)
        ),
        ["KMS with a key of a project"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsProjectId = "p-1",
                BucketKeyEnabled = true,
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("k-1", "p-1"), null, BucketKeyEnabled: true)
        ),
        ["KMS without a bucket key"] = (
            new() { Algorithm = "KMS", BucketKeyEnabled = false },
            new DesiredEncryption.Kms(new KeyRequirement.Any(), null, BucketKeyEnabled: false)
        ),
        ["KMS with an ARN"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "acs:kms:cn-hangzhou:1:key/k_1.x" },
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("acs:kms:cn-hangzhou:1:key/k_1.x"), null)
        ),
    };

    public static TheoryData<string> RefusalSentences => new(Refusals.Keys);

    public static TheoryData<string> EncryptionSentences => new(Encryptions.Keys);

    [Theory]
    [MemberData(nameof(RefusalSentences))]
    public void A_refusal_names_the_field_the_value_and_what_to_do(string sentence)
    {
        var (policy, store, kind, code, words) = Refusals[sentence];

        var (value, failure) = Reader.ReadWith(policy, store);

        Assert.Null(value);
        Assert.NotNull(failure);
        Assert.Equal((kind, code), (failure.Kind, failure.Code));
        var text = failure.Message + " " + failure.Hint;
        Assert.All(words, word => Assert.Contains(word, text, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(EncryptionSentences))]
    public void An_encryption_is_read_as_declared(string sentence)
    {
        var (spec, expected) = Encryptions[sentence];

        // The one vendor that has projects and bucket keys has no SM4.
        var store =
            spec.KmsProjectId is null && spec.BucketKeyEnabled is null
                ? Given.Store()
                : Given.Store("HuaweiOBS", "cn-north-4");

        var (value, failure) = Reader.ReadWith(Given.Policy().With(spec), store);

        Assert.Null(failure);
        Assert.Equal(expected, value?.Terms.Goal.Encryption);
    }

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
        Assert.Equal(["bucket-a", "bucket-b"], value.Buckets.Select(b => b.Bucket));
        Assert.All(
            value.Buckets,
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
                }
            );
        var store = Given.Store(vendor, "cn-north-1");
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
            value!.Buckets,
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

        Assert.True(expected == value?.Buckets[0].Addressing.ToString(), $"{sentence}: {failure?.Message}");
    }

    [Fact]
    public void What_a_store_says_to_its_vendor_alone_reaches_it()
    {
        var oss = Given.Store().Spec with { Alibaba = new AlibabaSpec { SignatureVersion = "V1" } };
        var s3 = Given.Store("S3", "eu-west-1").Spec with { S3 = new S3Spec { ExpectedBucketOwner = "111122223333" } };

        var options = new[] { oss, s3 }.Select(spec =>
            Reader.ReadWith(Given.Policy(), Given.Store() with { Spec = spec }).Value?.Buckets[0].Options
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

    [Theory]
    [InlineData("absent: 10 minutes", null, 600)]
    [InlineData("the shortest of the CRD", "30s", 30)]
    [InlineData("the shortest of an installation that lowers the CRD's bound", "1s", 1)]
    [InlineData("the longest", "24h", 86_400)]
    public void The_interval_is_read(string sentence, string? text, int seconds)
    {
        var policy = Given.Policy();

        var (value, _) = Reader.ReadWith(
            policy with
            {
                Spec = policy.Spec with { ResyncInterval = text },
            },
            Given.Store()
        );

        Assert.True(value?.Terms.Resync == TimeSpan.FromSeconds(seconds), sentence);
    }

    [Theory]
    [InlineData("absent means no", null, false)]
    [InlineData("false means no", false, false)]
    [InlineData("true means yes", true, true)]
    public void Consent_is_given_and_never_taken_for_granted(string sentence, bool? declared, bool expected)
    {
        var policy = Given.Policy();

        var (value, _) = Reader.ReadWith(
            policy with
            {
                Spec = policy.Spec with { AllowDowngrade = declared },
            },
            Given.Store()
        );

        Assert.True(value?.Terms.Goal.AllowDowngrade == expected, sentence);
    }

    private static Refusal Bad(Func<BucketEncryptionPolicy, BucketEncryptionPolicy> spoil, params string[] words) =>
        new(spoil(Given.Policy()), Given.Store(), FailureKind.Invalid, "InvalidSpec", words);

    private static Refusal BadStore(Func<BucketStore, BucketStore> spoil, string code, params string[] words) =>
        new(Given.Policy(), spoil(Given.Store()), FailureKind.Invalid, code, words);

    private sealed record Refusal(
        BucketEncryptionPolicy Policy,
        BucketStore? Store,
        FailureKind Kind,
        string Code,
        string[] Words
    );

    private static BucketStore Limited(int? requests, int? burst, int? concurrency) =>
        Given.Store() with
        {
            Spec = Given.Store().Spec with
            {
                RateLimit = new RateLimitSpec
                {
                    RequestsPerSecond = requests,
                    Burst = burst,
                    MaxConcurrency = concurrency,
                },
            },
        };
}
