using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Tests.Policies;

public sealed class PolicyReaderTests
{
    private static readonly PolicyReader Reader = new(new StoreReader(new EndpointAllowList(
    [
        .. VendorCatalog.DefaultEndpointPatterns, "http://127.0.0.1:9000", "http://[::1]:9000", "https://oss.corp.example", "http://oss.corp.example:8080",
    ])));

    /// <summary>What is wrong → the kind, the code, and what the message and hint must say: field, value, what to do.</summary>
    private static readonly Dictionary<string, Refusal> Refusals = new(StringComparer.Ordinal)
    {
        ["no such store"] = new(Given.Policy(), null, FailureKind.Missing, "StoreNotFound", ["spec.storeRef", "\"hangzhou\"", "Create it"]),
        ["a kind of store that is not known"] = Bad(
            p => p with { Spec = p.Spec with { StoreRef = new StoreReference { Kind = "Bucket", Name = "hangzhou" } } }, "spec.storeRef.kind", "\"Bucket\"", "ObjectStore"),
        ["an algorithm that is not known"] = Bad(p => p.With(new EncryptionSpec { Algorithm = "AES512" }), "spec.encryption.algorithm", "\"AES512\"", "AES256, KMS, SM4 and None"),
        ["algorithms are told apart by case"] = Bad(p => p.With(new EncryptionSpec { Algorithm = "kms" }), "spec.encryption.algorithm", "\"kms\""),
        ["a cipher that is not known"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsDataEncryption = "SM9" }), "spec.encryption.kmsDataEncryption", "\"SM9\"", "AES256 and SM4"),
        ["a cipher without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", KmsDataEncryption = "SM4" }), "spec.encryption.kmsDataEncryption", "AES256", "only with algorithm KMS"),
        ["a key without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "SM4", KmsKey = new KmsKeySpec { Id = "k" } }), "spec.encryption.kmsKey", "SM4", "only with algorithm KMS"),
        ["a key that is neither"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec() }), "spec.encryption.kmsKey", "exactly one of id and vendorDefault"),
        ["a key that is both"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k", VendorDefault = true } }), "spec.encryption.kmsKey", "exactly one of id and vendorDefault"),
        ["a key id with a blank"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k 1" } }), "spec.encryption.kmsKey.id", "\"k 1\"", "letters, digits"),
        ["a bucket that would leave the endpoint"] = Bad(p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "evil.example/" }] } }, "spec.buckets", "\"evil.example/\"", "3 to 63"),
        ["a bucket that would be a user name"] = Bad(p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "x@evil" }] } }, "spec.buckets", "\"x@evil\""),
        ["a bucket with capitals"] = Bad(p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "Finance" }] } }, "spec.buckets", "\"Finance\""),
        ["no buckets"] = Bad(p => p with { Spec = p.Spec with { Buckets = [] } }, "spec.buckets", "at least one"),
        ["buckets that nobody set"] = Bad(p => p with { Spec = p.Spec with { Buckets = default } }, "spec.buckets", "at least one"),
        ["a bucket named twice"] = Bad(p => p with { Spec = p.Spec with { Buckets = [new BucketReference { Name = "abc" }, new BucketReference { Name = "abc" }] } }, "spec.buckets", "\"abc\"", "once"),
        ["an interval that is none"] = Bad(p => p with { Spec = p.Spec with { ResyncInterval = "often" } }, "spec.resyncInterval", "\"often\"", "10m"),
        ["an interval of nothing"] = Bad(p => p with { Spec = p.Spec with { ResyncInterval = "0s" } }, "spec.resyncInterval", "\"0s\"", "at most 24h"),
        ["an interval that is too long"] = Bad(p => p with { Spec = p.Spec with { ResyncInterval = "24h1s" } }, "spec.resyncInterval", "\"24h1s\"", "at most 24h"),
        ["an interval that no clock counts"] = Bad(p => p with { Spec = p.Spec with { ResyncInterval = "2147483647h" } }, "spec.resyncInterval", "at most 24h"),
        ["a vendor that is not known"] = BadStore(s => s with { Spec = s.Spec with { Vendor = "Floppy" } }, "InvalidSpec", "\"hangzhou\"", "spec.vendor", "\"Floppy\"", "AlibabaOSS"),
        ["an addressing that is not known"] = BadStore(s => s.At(null, "Sideways"), "InvalidSpec", "spec.addressing", "\"Sideways\"", "VirtualHost, Path, CName"),
        ["an endpoint that is no URL"] = BadStore(s => s.At("oss-cn-hangzhou.aliyuncs.com"), "InvalidSpec", "spec.endpoint", "\"oss-cn-hangzhou.aliyuncs.com\"", "https://oss-cn-hangzhou.aliyuncs.com"),
        ["an endpoint with a path"] = BadStore(s => s.At("https://oss.corp.example/path"), "InvalidSpec", "spec.endpoint", "\"https://oss.corp.example/path\"", "scheme and host only"),
        ["an endpoint with a query"] = BadStore(s => s.At("https://oss.corp.example/?a=b"), "InvalidSpec", "spec.endpoint", "scheme and host only"),
        ["an endpoint with a fragment"] = BadStore(s => s.At("https://oss.corp.example/#a"), "InvalidSpec", "spec.endpoint", "scheme and host only"),
        ["an endpoint with a user"] = BadStore(s => s.At("https://user@oss.corp.example"), "InvalidSpec", "spec.endpoint", "scheme and host only"),
        ["an endpoint of another scheme"] = BadStore(s => s.At("ftp://oss.corp.example"), "InvalidSpec", "spec.endpoint", "\"ftp://oss.corp.example\""),
        ["an endpoint that is a file"] = BadStore(s => s.At("/etc/passwd"), "InvalidSpec", "spec.endpoint", "scheme and host only"),
        ["a region that would move the endpoint"] = BadStore(s => s with { Spec = s.Spec with { Region = "x@evil.example/" } }, "InvalidSpec", "spec.region", "\"x@evil.example/\"", "cn-hangzhou"),
        ["an empty region"] = BadStore(s => s.At("https://oss.corp.example") with { Spec = s.Spec with { Region = "" } }, "InvalidSpec", "spec.region", "cn-hangzhou"),
        ["an endpoint that is not listed"] = BadStore(s => s.At("https://evil.example"), "EndpointNotAllowed", "spec.endpoint", "https://evil.example", "--allowed-endpoints"),
        ["a port that is not listed"] = BadStore(s => s.At("https://oss.corp.example:8443"), "EndpointNotAllowed", "https://oss.corp.example:8443", "--allowed-endpoints"),
        ["plain http where https is listed"] = BadStore(s => s.At("http://oss.corp.example"), "EndpointNotAllowed", "http://oss.corp.example", "plain http"),
    };

    private static readonly Dictionary<string, (EncryptionSpec Spec, DesiredEncryption Desired)> Encryptions = new(StringComparer.Ordinal)
    {
        ["none"] = (new() { Algorithm = "None" }, new DesiredEncryption.None()),
        ["AES256"] = (new() { Algorithm = "AES256" }, new DesiredEncryption.Aes256()),
        ["SM4"] = (new() { Algorithm = "SM4" }, new DesiredEncryption.Sm4()),
        ["KMS with any key"] = (new() { Algorithm = "KMS" }, new DesiredEncryption.Kms(new KeyRequirement.Any(), null)),
        ["KMS with the vendor's key"] = (
            new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { VendorDefault = true } }, new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), null)),
        ["KMS with a key and SM4"] = (
            new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k-1" }, KmsDataEncryption = "SM4" }, new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), DataCipher.Sm4)),
        ["KMS with AES256"] = (new() { Algorithm = "KMS", KmsDataEncryption = "AES256" }, new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Aes256)),
        ["KMS with an ARN"] = (
            new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "acs:kms:cn-hangzhou:1:key/k_1.x" } }, new DesiredEncryption.Kms(new KeyRequirement.Named("acs:kms:cn-hangzhou:1:key/k_1.x"), null)),
    };

    public static TheoryData<string> RefusalSentences => new(Refusals.Keys);

    public static TheoryData<string> EncryptionSentences => new(Encryptions.Keys);

    [Theory]
    [MemberData(nameof(RefusalSentences))]
    public void A_refusal_names_the_field_the_value_and_what_to_do(string sentence)
    {
        var (policy, store, kind, code, words) = Refusals[sentence];

        var (value, failure) = Reader.Read(policy, store);

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

        var (value, failure) = Reader.Read(Given.Policy().With(spec), Given.Store());

        Assert.Null(failure);
        Assert.Equal(expected, value?.Encryption);
    }

    [Theory]
    [InlineData("no endpoint: the vendor's for the region", null, null, "https://oss-cn-hangzhou.aliyuncs.com/", "VirtualHost")]
    [InlineData("its internal endpoint", "https://oss-cn-hangzhou-internal.aliyuncs.com", null, "https://oss-cn-hangzhou-internal.aliyuncs.com/", "VirtualHost")]
    [InlineData("upper case is no other host", "https://OSS-CN-HANGZHOU.aliyuncs.com", null, "https://oss-cn-hangzhou.aliyuncs.com/", "VirtualHost")]
    [InlineData("a slash at the end is no path", "https://oss.corp.example/", null, "https://oss.corp.example/", "VirtualHost")]
    [InlineData("a host with Path", "https://oss.corp.example", "Path", "https://oss.corp.example/", "Path")]
    [InlineData("a host with VirtualHost", "https://oss.corp.example", "VirtualHost", "https://oss.corp.example/", "VirtualHost")]
    [InlineData("an IPv4 address always means Path", "http://127.0.0.1:9000", "VirtualHost", "http://127.0.0.1:9000/", "Path")]
    [InlineData("an IPv6 address always means Path", "http://[::1]:9000", "VirtualHost", "http://[::1]:9000/", "Path")]
    [InlineData("a name of the bucket's own", "https://oss.corp.example", "CName", "https://oss.corp.example/", "CName")]
    [InlineData("which may be an IP address", "http://127.0.0.1:9000", "CName", "http://127.0.0.1:9000/", "CName")]
    [InlineData("dual stack", "https://cn-hangzhou.oss.aliyuncs.com", null, "https://cn-hangzhou.oss.aliyuncs.com/", "VirtualHost")]
    [InlineData("acceleration goes with any region", "https://oss-accelerate.aliyuncs.com", null, "https://oss-accelerate.aliyuncs.com/", "VirtualHost")]
    public void An_endpoint_gives_address_and_style(string sentence, string? endpoint, string? addressing, string expected, string expectedAddressing)
    {
        var (value, failure) = Reader.Read(Given.Policy("bucket-a", "bucket-b"), Given.Store().At(endpoint, addressing));

        Assert.True(failure is null && value is not null, $"{sentence}: {failure?.Message}");
        Assert.Equal(["bucket-a", "bucket-b"], value.Buckets.Select(b => b.Bucket));
        Assert.All(value.Buckets, b => Assert.Equal((new Uri(expected), "cn-hangzhou", expectedAddressing), (b.Endpoint, b.Region, b.Addressing.ToString())));
    }

    [Theory]
    [InlineData("absent: 10 minutes", null, 600)]
    [InlineData("the shortest of the CRD", "30s", 30)]
    [InlineData("the shortest of an installation that lowers the CRD's bound", "1s", 1)]
    [InlineData("the longest", "24h", 86_400)]
    public void The_interval_is_read(string sentence, string? text, int seconds)
    {
        var policy = Given.Policy();

        var (value, _) = Reader.Read(policy with { Spec = policy.Spec with { ResyncInterval = text } }, Given.Store());

        Assert.True(value?.Resync == TimeSpan.FromSeconds(seconds), sentence);
    }

    [Theory]
    [InlineData("absent means no", null, false)]
    [InlineData("false means no", false, false)]
    [InlineData("true means yes", true, true)]
    public void Consent_is_given_and_never_taken_for_granted(string sentence, bool? declared, bool expected)
    {
        var policy = Given.Policy();

        var (value, _) = Reader.Read(policy with { Spec = policy.Spec with { AllowDowngrade = declared } }, Given.Store());

        Assert.True(value?.AllowDowngrade == expected, sentence);
    }

    private static Refusal Bad(Func<BucketEncryptionPolicy, BucketEncryptionPolicy> spoil, params string[] words) =>
        new(spoil(Given.Policy()), Given.Store(), FailureKind.Invalid, "InvalidSpec", words);

    private static Refusal BadStore(Func<ObjectStore, ObjectStore> spoil, string code, params string[] words) =>
        new(Given.Policy(), spoil(Given.Store()), FailureKind.Invalid, code, words);

    private sealed record Refusal(BucketEncryptionPolicy Policy, ObjectStore? Store, FailureKind Kind, string Code, string[] Words);
}
