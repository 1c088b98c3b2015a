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
        new KeySourceReader(AmbientRules.None)
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

    private static IEnumerable<KeyValuePair<string, Refusal>> Refusals =>
        RefusedPolicies.Concat(RefusedEncryptions).Concat(RefusedStores);

    public static TheoryData<string> RefusalSentences => new(Refusals.Select(r => r.Key));

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
