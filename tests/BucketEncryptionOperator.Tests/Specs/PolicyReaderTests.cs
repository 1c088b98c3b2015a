using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed partial class PolicyReaderTests
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
    private static readonly Dictionary<string, Refusal> RefusedPolicies = new(StringComparer.Ordinal)
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
            "AES256, KMS, DSSE, SM4 and None"
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
        ["a bucket key with DSSE"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "DSSE", BucketKeyEnabled = true }),
            "spec.encryption.bucketKeyEnabled",
            "only with algorithm KMS",
            "DSSE"
        ),
        ["a cipher with DSSE"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "DSSE", KmsDataEncryption = "AES256" }),
            "spec.encryption.kmsDataEncryption",
            "only with algorithm KMS",
            "DSSE"
        ),
        ["an unknown algorithm with a key"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "kms",
                        KmsKey = new KmsKeySpec { Id = "k" },
                    }
                ),
            "spec.encryption.algorithm",
            "\"kms\""
        ),
        ["something blocked with None"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec { Algorithm = "None", BlockedEncryptionTypes = ["SSE-C"] }
                ),
            "spec.encryption.blockedEncryptionTypes",
            "None",
            "AES256"
        ),
        ["an empty list of what is blocked"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = [] }),
            "spec.encryption.blockedEncryptionTypes",
            "[]",
            "NONE alone"
        ),
        ["something blocked and nothing"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = ["SSE-C", "NONE"] }),
            "spec.encryption.blockedEncryptionTypes",
            "[SSE-C, NONE]",
            "NONE alone"
        ),
        ["a type that cannot be blocked"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = ["SSE-S3"] }),
            "spec.encryption.blockedEncryptionTypes",
            "[SSE-S3]",
            "SSE-C"
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
        ["DSSE with any key"] = (new() { Algorithm = "DSSE" }, new DesiredEncryption.Dsse(new KeyRequirement.Any())),
        ["DSSE with the vendor's key"] = (
            new()
            {
                Algorithm = "DSSE",
                KmsKey = new KmsKeySpec { VendorDefault = true },
            },
            new DesiredEncryption.Dsse(new KeyRequirement.VendorDefault())
        ),
        ["DSSE with a key, and SSE-C blocked"] = (
            new()
            {
                Algorithm = "DSSE",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                BlockedEncryptionTypes = ["SSE-C"],
            },
            new DesiredEncryption.Dsse(new KeyRequirement.Named("k-1")) { Blocked = BlockedTypes.Of("SSE-C") }
        ),
        ["AES256 with nothing blocked"] = (
            new() { Algorithm = "AES256", BlockedEncryptionTypes = ["NONE"] },
            new DesiredEncryption.Aes256 { Blocked = BlockedTypes.Of() }
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

    private static IEnumerable<KeyValuePair<string, Refusal>> Refusals => RefusedPolicies.Concat(RefusedStores);

    public static TheoryData<string> RefusalSentences => new(Refusals.Select(r => r.Key));

    public static TheoryData<string> EncryptionSentences => new(Encryptions.Keys);

    [Theory]
    [MemberData(nameof(RefusalSentences))]
    public void A_refusal_names_the_field_the_value_and_what_to_do(string sentence)
    {
        var (policy, store, kind, code, words) = Refusals.Single(r => r.Key == sentence).Value;

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

        // No vendor has all.
        var store = spec switch
        {
            { Algorithm: "DSSE" } or { BlockedEncryptionTypes: not null } => Given.Store("S3", "eu-west-1"),
            { KmsProjectId: null, BucketKeyEnabled: null } => Given.Store(),
            _ => Given.Store("HuaweiOBS", "cn-north-4"),
        };

        var (value, failure) = Reader.ReadWith(Given.Policy().With(spec), store);

        Assert.Null(failure);
        Assert.Equal(expected, value?.Terms.Goal.Encryption);
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
