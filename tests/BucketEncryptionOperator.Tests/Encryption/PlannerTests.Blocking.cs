using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>
/// Two layers (DSSE), and what is blocked: the rest of the table. Properties, for the order in which the fields of two
/// files are set is nowhere said.
/// </summary>
public sealed partial class PlannerTests
{
    private static DesiredEncryption WantDsse => new DesiredEncryption.Dsse(new KeyRequirement.Any());
    private static DesiredEncryption WantDsseKey1 => new DesiredEncryption.Dsse(new KeyRequirement.Named("k-1"));
    private static DesiredEncryption WantDsseVendorKey =>
        new DesiredEncryption.Dsse(new KeyRequirement.VendorDefault());
    private static BucketEncryption Dsse => new BucketEncryption.Dsse(null);
    private static BucketEncryption DsseKey1 => new BucketEncryption.Dsse("k-1");
    private static BlockedTypes Sse => BlockedTypes.Of("SSE-C");
    private static BlockedTypes Nothing => BlockedTypes.Of();
    private static DesiredEncryption WantBlocked => WantAes with { Blocked = Sse };
    private static DesiredEncryption WantUnblocked => WantAes with { Blocked = Nothing };

    private static Dictionary<string, Case> TableOfLayers =>
        new(StringComparer.Ordinal)
        {
            ["DSSE on DSSE is kept"] = new(WantDsse, Dsse, "keep"),
            ["DSSE with any key is met by a named one"] = new(WantDsse, DsseKey1, "keep"),
            ["DSSE with a named key is met by its ARN"] = new(WantDsseKey1, new BucketEncryption.Dsse(Arn), "keep"),
            ["DSSE with the vendor's key is met by its alias"] = new(
                WantDsseVendorKey,
                new BucketEncryption.Dsse(ManagedArn),
                "keep"
            ),
            ["DSSE goes on an open bucket"] = new(WantDsse, None, "apply DSSE with the vendor's key"),
            ["DSSE goes on AES256"] = new(WantDsseKey1, Aes, "apply DSSE with key k-1"),
            ["DSSE replaces KMS and keeps its key"] = new(WantDsse, Key1, "apply DSSE with key k-1"),
            ["DSSE on KMS keeps the spelling of the key"] = new(WantDsseKey1, Live(Arn), $"apply DSSE with key {Arn}"),
            ["DSSE has no bucket key"] = new(WantDsse, WithBucketKey, "apply DSSE with key k-1"),
            ["DSSE with another key is replaced"] = new(
                WantDsseKey1,
                new BucketEncryption.Dsse("k-2"),
                "apply DSSE with key k-1"
            ),
            ["DSSE with the vendor's key gets the named one"] = new(WantDsseKey1, Dsse, "apply DSSE with key k-1"),
            ["DSSE with a named key does not lose it without consent"] = new(
                WantDsseVendorKey,
                DsseKey1,
                "refuse DowngradeRefused"
            ),
            ["DSSE with a named key loses it with consent"] = new(
                WantDsseVendorKey,
                DsseKey1,
                "apply DSSE with the vendor's key",
                Consent: true
            ),
            ["a second layer does not make up for a named key"] = new(
                WantDsseVendorKey,
                Key1,
                "refuse DowngradeRefused"
            ),
            ["KMS on DSSE is a downgrade"] = new(WantAnyKey, DsseKey1, "refuse DowngradeRefused"),
            ["a named key does not make up for a layer"] = new(WantKey1, Dsse, "refuse DowngradeRefused"),
            ["KMS on DSSE with consent keeps the key"] = new(
                WantAnyKey,
                DsseKey1,
                "apply KMS with key k-1",
                Consent: true
            ),
            ["AES256 on DSSE is a downgrade"] = new(WantAes, Dsse, "refuse DowngradeRefused"),
            ["AES256 on DSSE with consent is applied"] = new(WantAes, DsseKey1, "apply AES256", Consent: true),
            ["a removal of DSSE is a downgrade"] = new(WantNone, Dsse, "refuse DowngradeRefused"),
            ["DSSE never replaces an unknown algorithm without consent"] = new(
                WantDsseKey1,
                Unknown,
                "refuse DowngradeRefused"
            ),
            ["the vendor's key on a named key is a downgrade under an unknown cipher too"] = new(
                WantVendorKey,
                Live("k-1", DataCipher.Other),
                "refuse DowngradeRefused"
            ),
            ["and is applied with consent"] = new(
                WantVendorKey,
                Live("k-1", DataCipher.Other),
                "apply KMS with the vendor's key and a data encryption that is not known",
                Consent: true
            ),

            ["what is blocked and not declared is met by anything"] = new(WantAes, Aes with { Blocked = Sse }, "keep"),
            ["what is not declared is met where nothing is blocked"] = new(
                WantAes,
                Aes with
                {
                    Blocked = Nothing,
                },
                "keep"
            ),
            ["what is blocked and not declared stays"] = new(
                WantKey1,
                Aes with
                {
                    Blocked = Sse,
                },
                "apply KMS with key k-1 and SSE-C blocked"
            ),
            ["what is declared as blocked is met by itself"] = new(WantBlocked, Aes with { Blocked = Sse }, "keep"),
            ["what is declared as blocked gets blocked"] = new(
                WantBlocked,
                Aes with
                {
                    Blocked = Nothing,
                },
                "apply AES256 and SSE-C blocked"
            ),
            ["also where the bucket says nothing"] = new(WantBlocked, Aes, "apply AES256 and SSE-C blocked"),
            ["also with a new default"] = new(
                Kms(new KeyRequirement.Named("k-1")) with
                {
                    Blocked = Sse,
                },
                None,
                "apply KMS with key k-1 and SSE-C blocked"
            ),
            ["nothing blocked is met by nothing blocked"] = new(WantUnblocked, Aes with { Blocked = Nothing }, "keep"),
            ["nothing blocked is met by a bucket that says nothing"] = new(WantUnblocked, Aes, "keep"),
            ["to unblock is a downgrade"] = new(WantUnblocked, Aes with { Blocked = Sse }, "refuse DowngradeRefused"),
            ["to unblock goes with consent"] = new(
                WantUnblocked,
                Aes with
                {
                    Blocked = Sse,
                },
                "apply AES256",
                Consent: true
            ),
            ["a type that is not known is never unblocked without consent"] = new(
                WantBlocked,
                Aes with
                {
                    Blocked = BlockedTypes.Of("SSE-X"),
                },
                "refuse DowngradeRefused"
            ),
        };

    /// <summary>With <c>match: AtLeast</c>.</summary>
    private static Dictionary<string, Case> TableOfAtLeast =>
        new(StringComparer.Ordinal)
        {
            ["DSSE is as good as KMS with that key"] = new(WantKey1, DsseKey1, "keep"),
            ["DSSE is as good as AES256"] = new(WantAes, Dsse, "keep"),
            ["DSSE with the vendor's key is not as good as a named one"] = new(
                WantKey1,
                Dsse,
                "refuse DowngradeRefused"
            ),
            ["KMS with a named key is not as good as DSSE"] = new(WantDsseVendorKey, Key1, "refuse DowngradeRefused"),
            ["a named key is as good as the vendor's"] = new(WantDsseVendorKey, DsseKey1, "keep"),
            ["more that is blocked is as good"] = new(WantUnblocked, Aes with { Blocked = Sse }, "keep"),
            ["less is not"] = new(WantBlocked, Aes with { Blocked = Nothing }, "apply AES256 and SSE-C blocked"),
            ["what is stronger stays where only the block is missing"] = new(
                WantBlocked,
                DsseKey1,
                "apply DSSE with key k-1 and SSE-C blocked"
            ),
            ["so does what is not known"] = new(WantBlocked, Unknown, "apply AES512 and SSE-C blocked"),
        };

    public static TheoryData<string> SentencesOfLayers => new(TableOfLayers.Keys);

    public static TheoryData<string> SentencesOfAtLeast => new(TableOfAtLeast.Keys);

    [Theory]
    [MemberData(nameof(SentencesOfLayers))]
    public void Decide_follows_the_table_of_layers_and_blocks(string sentence) =>
        AssertDecides(TableOfLayers[sentence], atLeast: false);

    [Theory]
    [MemberData(nameof(SentencesOfAtLeast))]
    public void Decide_with_AtLeast_follows_the_table(string sentence) =>
        AssertDecides(TableOfAtLeast[sentence], atLeast: true);

    [Fact]
    public void A_refusal_to_unblock_says_what_is_blocked()
    {
        var plan = Decide(new Goal.Declared(WantUnblocked, AtLeast: false, Consent: false), Aes with { Blocked = Sse });

        Assert.Equal(
            "The bucket has AES256 and SSE-C blocked; AES256 would be weaker.",
            Assert.IsType<Plan.Refuse>(plan).Failure.Message
        );
    }

    [Theory]
    [InlineData("what the original did not say may stay", null, "SSE-C", true, "keep")]
    [InlineData("what it said is put back", "SSE-C", "NONE", true, "apply AES256 and SSE-C blocked")]
    [InlineData("what it said is put back, to unblock too", "NONE", "SSE-C", true, "apply AES256")]
    [InlineData("not without consent", "NONE", "SSE-C", false, "refuse DowngradeRefused")]
    public void An_original_that_was_put_back_is_compared_with_what_it_blocked(
        string sentence,
        string? original,
        string observed,
        bool consent,
        string expected
    )
    {
        var was = Aes with { Blocked = original is null ? null : BlockedTypes.Of(original) };
        var goal = new Goal.PutBack(new Original.Recorded(was, "<was/>", Now), consent);

        var plan = Decide(
            goal,
            Aes with
            {
                Blocked = BlockedTypes.Of(observed),
            },
            new WriteHistory(goal.Fingerprint, 2, Now.AddMinutes(-1))
        );

        Assert.True(expected == Say(plan), $"{sentence}: {Say(plan)}");
    }

    /// <summary>A version without DSSE has recorded it as an algorithm that it does not know.</summary>
    [Fact]
    public void The_very_document_of_an_original_is_the_original()
    {
        var original = new Original.Recorded(new BucketEncryption.Other("aws:kms:dsse"), "<dsse/>", Now);

        var plan = Planner.Decide(
            new Goal.PutBack(original, Consent: false),
            new Observation(DsseKey1, "<dsse/>") { Repeated = "<dsse/>" },
            remembered: null,
            wasInSync: false,
            Now
        );

        Assert.Equal("keep", Say(plan));
    }

    private static void AssertDecides(Case row, bool atLeast) =>
        Assert.Equal(
            row.Expected,
            Say(Decide(new Goal.Declared(row.Desired, atLeast, row.Consent), row.Observed, row.History))
        );

    private static Plan Decide(Goal goal, BucketEncryption observed, WriteHistory? history = null) =>
        Planner.Decide(goal, new Observation(observed, Document: null), history, wasInSync: false, Now);
}
