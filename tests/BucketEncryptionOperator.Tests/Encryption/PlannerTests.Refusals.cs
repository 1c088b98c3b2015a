using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

public sealed partial class PlannerTests
{
    [Fact]
    public void A_refusal_says_what_is_there_what_would_be_and_what_to_set()
    {
        var plan = Planner.Decide(
            new Goal.Declared(WantAes, AtLeast: false, Consent: false),
            new Observation(Key1, Document: null),
            remembered: null,
            wasInSync: false,
            Now
        );

        var failure = Assert.IsType<Plan.Refuse>(plan).Failure;
        Assert.Equal(FailureKind.Refused, failure.Kind);
        Assert.Equal("The bucket has KMS with key k-1; AES256 would be weaker.", failure.Message);
        Assert.Contains("spec.allowDowngrade", failure.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_of_the_vendors_key_says_that_the_store_may_have_named_its_own()
    {
        var plan = Planner.Decide(
            new Goal.Declared(WantVendorKey, AtLeast: false, Consent: false),
            new Observation(Key1, Document: null),
            remembered: null,
            wasInSync: false,
            Now
        );

        Assert.Contains(
            "leave spec.encryption.kmsKey out",
            Assert.IsType<Plan.Refuse>(plan).Failure.Hint,
            StringComparison.Ordinal
        );
    }

    /// <summary>KMS without a key is taken by such a store, and breaks every upload afterwards.</summary>
    [Theory]
    [InlineData("any key, where none is", false, "refuse KmsKeyRequired")]
    [InlineData("the vendor's key", true, "refuse KmsKeyRequired")]
    public void A_store_without_a_key_of_its_own_gets_no_KMS_without_a_key(
        string sentence,
        bool vendorDefault,
        string expected
    )
    {
        var (goal, named) = (
            new Goal.Declared(vendorDefault ? WantVendorKey : WantAnyKey, AtLeast: false, Consent: true),
            new Goal.Declared(WantKey1, AtLeast: false, Consent: true)
        );
        Plan Decide(Goal wanted, BucketEncryption live) =>
            Planner.Decide(
                wanted,
                new Observation(live, Document: null) { NeedsNamedKey = true },
                remembered: null,
                wasInSync: false,
                Now
            );

        Assert.True(expected == Say(Decide(goal, Aes)), sentence);
        Assert.Equal("apply KMS with key k-1", Say(Decide(named, Aes)));
        Assert.Equal("keep", Say(Decide(goal, VendorKey)));
        Assert.Equal(
            "apply KMS with the vendor's key",
            Say(Decide(new Goal.PutBack(new Original.Recorded(VendorKey, "x", Now), Consent: true), Aes))
        );
    }

    [Theory]
    [InlineData("a store that refuses uploads for it", true, "apply AES256", false)]
    [InlineData("another store, where it has no effect", false, "keep", true)]
    public void A_bucket_key_beside_AES256_goes_where_the_store_refuses_uploads_for_it(
        string sentence,
        bool refuses,
        string expected,
        bool keeps
    )
    {
        Plan Decide(BucketEncryption live) =>
            Planner.Decide(
                new Goal.Declared(WantAes, AtLeast: false, Consent: true),
                new Observation(live, Document: null) { RefusesIdleBucketKey = refuses },
                remembered: null,
                wasInSync: true,
                Now
            );

        Assert.True(expected == Say(Decide(Aes with { IdleBucketKey = true })), sentence);
        Assert.Equal("keep", Say(Decide(Aes)));
        var write = Assert.IsType<Plan.Write>(Decide(new BucketEncryption.Kms("k-1", DataCipher.Aes256, null, true)));
        Assert.True(keeps == write.Target.IdleBucketKey, sentence);
    }

    [Theory]
    [InlineData("a removal puts back nothing, in whatever words it was said", true, "keep")]
    [InlineData("another document of the same is put back once", false, "apply AES256")]
    public void An_original_is_compared_by_its_document_unless_it_is_none(string sentence, bool isNone, string expected)
    {
        var live = isNone ? None : Aes;

        var plan = Planner.Decide(
            new Goal.PutBack(new Original.Recorded(live, "<said in one way/>", Now), Consent: true),
            new Observation(live, "x") { Repeated = "<said in another/>" },
            remembered: null,
            wasInSync: false,
            Now
        );

        Assert.True(expected == Say(plan), sentence);
    }

    [Fact]
    public void What_is_applied_is_as_declared_for_every_pair()
    {
        DesiredEncryption[] desires =
        [
            WantNone,
            WantAes,
            WantSm4,
            WantAnyKey,
            WantVendorKey,
            WantKey1,
            WantKeyOfProject,
            WantBucketKey(true),
            WantBucketKey(false),
            Kms(new KeyRequirement.Any(), DataCipher.Sm4),
            WantDsse,
            WantDsseKey1,
            WantDsseVendorKey,
            WantBlocked,
            WantUnblocked,
            WantDsse with
            {
                Blocked = Sse,
            },
        ];
        BucketEncryption[] observations =
        [
            None,
            Aes,
            Sm4,
            VendorKey,
            Key1,
            Live(Arn, DataCipher.Sm4),
            Live("k-2"),
            InProject("k-1", "p-2"),
            WithBucketKey,
            Unknown,
            Dsse,
            DsseKey1,
            Aes with
            {
                Blocked = Sse,
            },
            DsseKey1 with
            {
                Blocked = Nothing,
            },
        ];

        var unmet =
            from desired in desires
            from observed in observations
            where !desired.IsMetBy(desired.TargetFrom(observed))
            select $"{desired.Fingerprint} on {observed}";

        Assert.Empty(unmet);
    }
}
