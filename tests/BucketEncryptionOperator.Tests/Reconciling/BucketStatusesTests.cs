using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class BucketStatusesTests
{
    private const string Bucket = "finance-archive";

    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly WriteHistory Once = new("AES256", 1, Now);

    private static readonly Dictionary<string, (Outcome Outcome, string State, Standing Standing)> Table = new(
        StringComparer.Ordinal
    )
    {
        ["in sync"] = (new Outcome.InSync(new BucketEncryption.Aes256()), "InSync", Standing.Good),
        ["written, not seen"] = (new Outcome.Unconfirmed(None, Once), "Drifted", Standing.Confirming),
        ["written, could not be read"] = (new Outcome.Unconfirmed(null, Once), "Drifted", Standing.Confirming),
        ["fuse blown"] = (new Outcome.Unconfirmed(None, Once with { Count = 3 }), "Drifted", Standing.Stuck),
        ["transient"] = (Fail(FailureKind.Transient), "Unknown", Standing.Unread),
        ["throttled"] = (Fail(FailureKind.Throttled), "Unknown", Standing.Unread),
        ["conflict"] = (Fail(FailureKind.Conflict), "Unknown", Standing.Unread),
        ["denied"] = (Fail(FailureKind.Denied), "Failed", Standing.Stuck),
        ["missing"] = (Fail(FailureKind.Missing), "Failed", Standing.Missing),
        ["invalid"] = (Fail(FailureKind.Invalid), "Failed", Standing.Stuck),
        ["refused by the vendor"] = (Fail(FailureKind.Refused), "Failed", Standing.Stuck),
        ["refused by us"] = (Fail(FailureKind.Refused, "DowngradeRefused"), "Drifted", Standing.Stuck),
    };

    private static readonly Dictionary<string, (BucketEncryption Encryption, ObservedEncryption Expected)> Encryptions =
        new(StringComparer.Ordinal)
        {
            ["none"] = (None, new ObservedEncryption { Algorithm = "None" }),
            ["AES256"] = (new BucketEncryption.Aes256(), new ObservedEncryption { Algorithm = "AES256" }),
            ["SM4"] = (new BucketEncryption.Sm4(), new ObservedEncryption { Algorithm = "SM4" }),
            ["the vendor's key"] = (
                new BucketEncryption.Kms(null, DataCipher.Aes256),
                new ObservedEncryption { Algorithm = "KMS" }
            ),
            ["a key and SM4"] = (
                new BucketEncryption.Kms("k", DataCipher.Sm4),
                new ObservedEncryption
                {
                    Algorithm = "KMS",
                    KmsKeyId = "k",
                    KmsDataEncryption = "SM4",
                }
            ),
            ["a key of a project, and a bucket key"] = (
                new BucketEncryption.Kms("k", DataCipher.Aes256, "p", BucketKeyEnabled: true),
                new ObservedEncryption
                {
                    Algorithm = "KMS",
                    KmsKeyId = "k",
                    KmsProjectId = "p",
                    BucketKeyEnabled = true,
                }
            ),
            ["a cipher that is not known"] = (
                new BucketEncryption.Kms("k", DataCipher.Other),
                new ObservedEncryption
                {
                    Algorithm = "KMS",
                    KmsKeyId = "k",
                    KmsDataEncryption = "Other",
                }
            ),
            ["DSSE with the vendor's key"] = (
                new BucketEncryption.Dsse(null),
                new ObservedEncryption { Algorithm = "DSSE" }
            ),
            ["DSSE with a key, and SSE-C blocked"] = (
                new BucketEncryption.Dsse("k") { Blocked = BlockedTypes.Of("SSE-C") },
                new ObservedEncryption
                {
                    Algorithm = "DSSE",
                    KmsKeyId = "k",
                    BlockedEncryptionTypes = ["SSE-C"],
                }
            ),
            ["nothing blocked"] = (
                new BucketEncryption.Aes256 { Blocked = BlockedTypes.Of() },
                new ObservedEncryption { Algorithm = "AES256", BlockedEncryptionTypes = ["NONE"] }
            ),
            ["an algorithm that is not known"] = (
                new BucketEncryption.Other("AES512"),
                new ObservedEncryption { Algorithm = "AES512" }
            ),
        };

    public static TheoryData<string> Sentences => new(Table.Keys);

    public static TheoryData<string> EncryptionSentences => new(Encryptions.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void An_outcome_gives_state_and_standing_and_the_row_alone_remembers_them(string sentence)
    {
        var (outcome, state, standing) = Table[sentence];

        var next = BucketStatuses.Next(
            before: null,
            new BucketResult(Bucket, outcome),
            tolerated: false,
            wasStalled: false,
            Now
        );

        Assert.Equal((state, standing), (next.Row.State, next.Standing));
        Assert.Equal(standing, BucketStatuses.StandingOf(next.Row, wasStalled: standing == Standing.Stuck));
    }

    [Theory]
    [MemberData(nameof(EncryptionSentences))]
    public void What_was_observed_is_shown(string sentence)
    {
        var (encryption, expected) = Encryptions[sentence];

        Assert.Equal(
            expected,
            BucketStatuses
                .Next(
                    null,
                    new BucketResult(Bucket, new Outcome.InSync(encryption)),
                    tolerated: false,
                    wasStalled: false,
                    Now
                )
                .Row.Observed
        );
    }

    [Theory]
    [InlineData("other texts and request ids are the same failure", true)]
    [InlineData("another code is another", false)]
    [InlineData("another status is another", false)]
    [InlineData("another hint is another", false)]
    [InlineData("another observation is another", false)]
    public void An_equal_failure_keeps_its_first_error(string sentence, bool same)
    {
        var failure = new Failure(FailureKind.Denied, "PutBucketEncryption", "AccessDenied")
        {
            HttpStatus = 403,
            Hint = "Do.",
            Message = "first",
            RequestId = "r-1",
        };
        var before = BucketStatuses
            .Next(
                null,
                new BucketResult(Bucket, new Outcome.Failed(failure, None)),
                tolerated: false,
                wasStalled: false,
                Now
            )
            .Row;
        var next = failure with { Message = "second", RequestId = "r-2" };
        next = sentence.Split(' ')[1] switch
        {
            "code" => next with { Code = "Other" },
            "status" => next with { HttpStatus = 401 },
            "hint" => next with { Hint = "Do that." },
            _ => next,
        };
        BucketEncryption observed = sentence.Contains("observation", StringComparison.Ordinal)
            ? new BucketEncryption.Aes256()
            : None;

        var standing = BucketStatuses.Next(
            before,
            new BucketResult(Bucket, new Outcome.Failed(next, observed)),
            tolerated: false,
            wasStalled: true,
            Now
        );

        Assert.True(same == (standing.Row.Error == before.Error), sentence);
        Assert.Equal(!same, standing.HasNewError);
    }

    /// <summary>Such a row would be written, and its event sent, at every resync.</summary>
    [Fact]
    public void A_release_that_fails_as_before_keeps_its_row()
    {
        var failure = new Failure(FailureKind.Denied, "GetBucketEncryption", "AccessDenied") { HttpStatus = 403 };
        var first = Leaving(before: null, failure with { RequestId = "r-1", Message = "first" });

        var again = Leaving(first.Row, failure with { RequestId = "r-2", Message = "second" });
        var other = Leaving(first.Row, failure with { Code = "InvalidArgument" });

        Assert.Equal((first.Row, false), (again.Row, again.HasNewError));
        Assert.Equal(("InvalidArgument", true), (other.Row.Error?.Code, other.HasNewError));
    }

    [Fact]
    public void A_release_is_Stalled_for_answers_that_are_not_the_stores_under_the_same_name_as_any_bucket()
    {
        var foreign = new Failure(FailureKind.Transient, "GetBucketEncryption", "HTTP_502")
        {
            HttpStatus = 502,
            IsForeign = true,
        };

        var row = Leaving(before: null, foreign, foreignSince: Now.AddHours(-1));

        Assert.Equal((Standing.Stuck, true), (row.Standing, row.IsNotTheStore));
    }

    private static StatusStanding Leaving(BucketStatus? before, Failure failure, DateTimeOffset? foreignSince = null) =>
        BucketStatuses.Leaving(
            BucketStatuses.Next(
                before,
                new BucketResult(Bucket, new Outcome.Failed(failure, Observed: null)) { ForeignSince = foreignSince },
                tolerated: false,
                wasStalled: false,
                Now
            )
        );

    [Fact]
    public void A_write_sets_its_time_and_a_read_keeps_it()
    {
        var written = BucketStatuses
            .Next(
                null,
                new BucketResult(Bucket, new Outcome.InSync(None), Given.Write(Now.AddMilliseconds(500))),
                tolerated: false,
                wasStalled: false,
                Now
            )
            .Row;
        var read = BucketStatuses
            .Next(written, new BucketResult(Bucket, new Outcome.InSync(None)), tolerated: false, wasStalled: false, Now)
            .Row;

        Assert.Equal(Now, written.LastAppliedTime);
        Assert.Equal(written, read);
    }

    [Fact]
    public void A_tolerated_failure_after_a_write_shows_for_the_write_must_not_be_lost()
    {
        var before = new BucketStatus
        {
            Name = Bucket,
            State = BucketStatus.InSync,
            Observed = new ObservedEncryption { Algorithm = "AES256" },
        };

        var next = BucketStatuses.Next(
            before,
            new BucketResult(Bucket, Fail(FailureKind.Transient), Given.Write(Now)),
            tolerated: true,
            wasStalled: false,
            Now
        );

        Assert.Equal(Now, next.Row.LastAppliedTime);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_claim_that_goes_on_record_names_its_partition_even_where_the_row_says_nothing_else_that_is_new(
        bool wasRead
    )
    {
        var state = wasRead ? BucketStatus.InSync : BucketStatus.Unknown;
        var before = BucketStatuses.NotLookedAt(Bucket, before: null) with { State = state };
        var confirming = new Failure(FailureKind.Conflict, "Confirm", "Confirming");
        Outcome outcome = wasRead
            ? new Outcome.Waiting(None, confirming, TimeSpan.FromSeconds(3))
            : Fail(FailureKind.Conflict);
        var result = new BucketResult(Bucket, outcome) { Claim = Claim.Open };

        var claimed = BucketStatuses.Next(before, result, tolerated: true, wasStalled: false, Now, "minio").Row;
        var again = BucketStatuses.Next(claimed, result, tolerated: true, wasStalled: false, Now, "minio");

        Assert.Equal(before with { ClaimedTime = Now, Partition = "minio" }, claimed);
        Assert.Equal((claimed, true), (again.Row, again.IsKept));
    }

    private static Outcome.Failed Fail(FailureKind kind, string code = "SomeCode") =>
        new(new Failure(kind, "GetBucketEncryption", code), Observed: null);

    /// <summary>
    /// A vendor may say "none" in a document, by an algorithm of that name or by an empty configuration.
    /// </summary>
    [Theory]
    [InlineData("None", null, true)]
    [InlineData("None", "<SSEAlgorithm>None</SSEAlgorithm>", true)]
    [InlineData("AES256", "<SSEAlgorithm>AES256</SSEAlgorithm>", true)]
    [InlineData("AES256", null, false)]
    public void An_original_survives_its_row(string algorithm, string? document, bool isRecorded)
    {
        var encryption = ObservedEncryptions.Read(new ObservedEncryption { Algorithm = algorithm });
        var row = new BucketStatus
        {
            Name = Bucket,
            State = BucketStatus.InSync,
            Original = BucketMemory.Row(new Original.Recorded(encryption, document, Now)),
        };

        var original = BucketMemory.Of(row, sameSpec: true).Original;

        Assert.Equal(
            isRecorded ? new Original.Recorded(encryption, document, Now) : new Original.Unavailable(),
            original
        );
    }
}
