using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class StatusComposerTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Evidence = TimeSpan.FromHours(24);
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption None = new BucketEncryption.None();

    private BucketEncryptionPolicy _policy = Given.Policy("bucket-a", "bucket-b");
    private DateTimeOffset _now = Start;

    /// <summary>One bucket fails so, the other is in sync, on a policy that was never looked at.</summary>
    [Theory]
    [InlineData("Transient", false, "Unknown", "Unknown", "Reconciling", "Unknown")]
    [InlineData("Throttled", false, "Unknown", "Unknown", "Reconciling", "Unknown")]
    [InlineData("Conflict", false, "Unknown", "Unknown", "Reconciling", "Unknown")]
    [InlineData("Denied", false, "False", "Unknown", "Stalled", "Failed")]
    [InlineData("Denied", true, "False", "False", "Stalled", "Failed")]
    [InlineData("Missing", false, "False", "Unknown", "Reconciling", "Failed")]
    [InlineData("Invalid", false, "False", "Unknown", "Stalled", "Failed")]
    [InlineData("Refused", true, "False", "False", "Stalled", "Failed")]
    [InlineData("Bug", false, "False", "Unknown", "Stalled", "Failed")]
    public void A_bucket_that_fails_decides_the_conditions(
        string kind,
        bool observed,
        string ready,
        string compliant,
        string third,
        string state
    )
    {
        var status = Compose([
            Good("bucket-a"),
            Fail("bucket-b", Enum.Parse<FailureKind>(kind), "SomeCode", observed ? None : null),
        ]);

        Assert.Equal(
            (ready, "SomeCode"),
            (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason)
        );
        Assert.Equal(compliant, status.Conditions.Find("Compliant")!.Status);
        Assert.Equal(["Ready", "Compliant", third], status.Conditions.Select(c => c.Type));
        Assert.Equal(state, status.Buckets[1].State);
        Assert.Equal("1/2", status.Summary!.Text);
    }

    [Theory]
    [InlineData("Transient", "Unknown", "Reconciling")]
    [InlineData("Throttled", "Unknown", "Reconciling")]
    [InlineData("Denied", "False", "Stalled")]
    [InlineData("Missing", "False", "Reconciling")]
    [InlineData("Invalid", "False", "Stalled")]
    [InlineData("Refused", "False", "Stalled")]
    [InlineData("Bug", "Unknown", "Reconciling")]
    public void A_policy_wide_failure_decides_the_conditions_and_nothing_is_claimed_of_the_buckets(
        string kind,
        string ready,
        string third
    )
    {
        Compose([Good("bucket-a"), Good("bucket-b")]);
        _policy = _policy.NextGeneration();

        var status = Compose(
            new Failure(Enum.Parse<FailureKind>(kind), "ReadStore", "SomeCode") { Message = "What.", Hint = "Do." }
        );

        Assert.Equal(
            (ready, "SomeCode", "What. Do."),
            (
                status.Conditions.Find("Ready")!.Status,
                status.Conditions.Find("Ready")!.Reason,
                status.Conditions.Find("Ready")!.Message
            )
        );
        Assert.Equal(["Ready", "Compliant", third], status.Conditions.Select(c => c.Type));
        Assert.All(status.Buckets, b => Assert.Equal((BucketStatus.Unknown, null), (b.State, b.Observed)));
    }

    [Fact]
    public void All_in_sync_is_ready_and_says_how_many()
    {
        var status = Compose([Good("bucket-a"), Good("bucket-b")]);

        Assert.Equal("All 2 buckets are encrypted as declared.", status.Conditions.Find("Ready")?.Message);
        Assert.Equal(("2/2", 1L), (status.Summary!.Text, status.ObservedGeneration));
    }

    [Theory]
    [InlineData("transient shows at the third in a row", "Transient", 2)]
    [InlineData("throttling is given more time", "Throttled", 11)]
    [InlineData("so is a change under way", "Conflict", 11)]
    public void What_passes_by_itself_does_not_show_at_first(string sentence, string kind, int tolerated)
    {
        var before = Compose([Good("bucket-a"), Good("bucket-b")]);
        for (var attempt = 0; attempt < tolerated; attempt++)
        {
            var same = Compose(
                [Good("bucket-a"), Fail("bucket-b", Enum.Parse<FailureKind>(kind), "SomeCode")],
                attempt
            );
            AssertSame(before, same);
        }

        var shown = Compose([Good("bucket-a"), Fail("bucket-b", Enum.Parse<FailureKind>(kind), "SomeCode")], tolerated);

        Assert.True(shown.Conditions.Find("Ready") is { Status: Condition.Unknown, Reason: "SomeCode" }, sentence);
        Assert.Equal(BucketStatus.Unknown, shown.Buckets[1].State);
    }

    [Fact]
    public void A_tolerated_failure_keeps_a_stalled_policy_stalled()
    {
        var stalled = Compose([Good("bucket-a"), Fail("bucket-b", FailureKind.Denied, "AccessDenied")]);

        var same = Compose([
            Fail("bucket-a", FailureKind.Transient, "Timeout"),
            Fail("bucket-b", FailureKind.Transient, "Timeout"),
        ]);

        AssertSame(stalled, same);
    }

    [Fact]
    public void A_tolerated_policy_wide_failure_keeps_everything()
    {
        var missing = Compose(
            new Failure(FailureKind.Missing, "ReadSecret", "SecretNotFound") { Message = "No Secret." }
        );

        var same = Compose(
            new Failure(FailureKind.Transient, "ReadSecret", "SecretUnreadable") { Message = "No answer." }
        );
        var shown = Compose(
            new Failure(FailureKind.Transient, "ReadSecret", "SecretUnreadable") { Message = "No answer." },
            attempt: 2
        );

        AssertSame(missing, same);
        Assert.Equal(
            ("Unknown", "SecretUnreadable"),
            (shown.Conditions.Find("Ready")!.Status, shown.Conditions.Find("Ready")!.Reason)
        );
    }

    [Fact]
    public void A_failure_of_a_new_spec_shows_at_once()
    {
        Compose([Good("bucket-a"), Good("bucket-b")]);
        _policy = _policy.NextGeneration();

        var status = Compose([Good("bucket-a"), Fail("bucket-b", FailureKind.Transient, "Timeout")]);

        Assert.Equal(
            ("Unknown", "Timeout"),
            (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason)
        );
        Assert.Equal(2, status.ObservedGeneration);
    }

    [Theory]
    [InlineData("Denied")]
    [InlineData("Refused")]
    [InlineData("Missing")]
    [InlineData("Transient")]
    public void A_failure_that_repeats_changes_nothing_whatever_its_texts(string kind)
    {
        var first = Compose(
            [Good("bucket-a"), Fail("bucket-b", Enum.Parse<FailureKind>(kind), "SomeCode", None, "first")],
            attempt: 5
        );

        for (var i = 0; i < 3; i++)
        {
            _now += TimeSpan.FromSeconds(61.5);
            var again = Compose(
                [Good("bucket-a"), Fail("bucket-b", Enum.Parse<FailureKind>(kind), "SomeCode", None, "text " + i)],
                attempt: 5 + i
            );
            AssertSame(first, again);
        }
    }

    [Fact]
    public void Missing_is_waited_for_five_minutes_and_then_stalls_with_the_time_of_the_first()
    {
        ImmutableArray<BucketResult> missing =
        [
            Good("bucket-a"),
            Fail("bucket-b", FailureKind.Missing, "NoSuchBucket"),
        ];
        var first = Compose(missing);
        _now += TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1);
        var before = Compose(missing);
        var wait = PolicyConditions.UntilMissingStalls(before, _now);
        _now += TimeSpan.FromSeconds(1);

        var after = Compose(missing);

        AssertSame(first, before);
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
        Assert.Null(before.Conditions.Find("Stalled"));
        Assert.Equal(_now, after.Conditions.Find("Stalled")?.LastTransitionTime);
        Assert.Equal(Start, after.Conditions.Find("Ready")?.LastTransitionTime);
        Assert.True(PolicyConditions.UntilMissingStalls(after, _now) <= TimeSpan.Zero);
    }

    [Fact]
    public void A_write_that_does_not_show_is_confirming_and_then_not_converging()
    {
        var history = new WriteHistory("AES256", 1, Start.AddSeconds(10));
        var confirming = Compose([
            Good("bucket-a"),
            new BucketResult("bucket-b", new Outcome.Unconfirmed(None, history), Given.Write(_now)),
        ]);
        _now += TimeSpan.FromMinutes(1);
        var blown = Compose([
            Good("bucket-a"),
            new BucketResult("bucket-b", new Outcome.Unconfirmed(None, history with { Count = 3 }), Given.Write(_now)),
        ]);
        _now += TimeSpan.FromMinutes(20);
        var looked = Compose([
            Good("bucket-a"),
            new BucketResult("bucket-b", new Outcome.Unconfirmed(None, history with { Count = 3 })),
        ]);

        Assert.Equal(
            ("Unknown", "Confirming", "Reconciling"),
            (confirming.Conditions[0].Status, confirming.Conditions[0].Reason, confirming.Conditions[2].Type)
        );
        Assert.Equal(
            ("False", "NotConverging", "Stalled"),
            (blown.Conditions[0].Status, blown.Conditions[0].Reason, blown.Conditions[2].Type)
        );
        Assert.Equal(
            new WriteRecord
            {
                Hash = "AES256",
                Count = 3,
                NotBefore = Start.AddSeconds(10),
            },
            blown.Buckets[1].Writes
        );
        AssertSame(blown, looked);
    }

    [Fact]
    public void A_bug_keeps_what_is_known_of_the_buckets()
    {
        var good = Compose([Good("bucket-a"), Good("bucket-b")]);

        var status = Compose(new Failure(FailureKind.Bug, "Reconcile", "InternalError") { Message = "A bug." });

        Assert.Equal(
            ("Unknown", "InternalError"),
            (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason)
        );
        Assert.Equal(good.Buckets.AsEnumerable(), status.Buckets);
        Assert.Equal("True", status.Conditions.Find("Compliant")?.Status);
    }

    [Fact]
    public void What_was_written_outlives_a_change_of_the_spec_and_a_missing_Secret()
    {
        Compose([
            Good("bucket-a"),
            new BucketResult(
                "bucket-b",
                new Outcome.Unconfirmed(None, new WriteHistory("AES256", 2, Start)),
                Given.Write(_now)
            ),
        ]);
        _policy = _policy.NextGeneration();
        var noSecret = Compose(new Failure(FailureKind.Missing, "ReadSecret", "SecretNotFound") { Message = "m" });

        Assert.Equal((2, Start), (noSecret.Buckets[1].Writes?.Count, noSecret.Buckets[1].LastAppliedTime));
        Assert.Null(noSecret.Buckets[1].Observed);
    }

    /// <summary>
    /// Random histories of findings: every status on the way is legal, and composing the same again changes nothing.
    /// </summary>
    [Fact]
    public void Any_sequence_of_findings_gives_legal_statuses()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        var attempt = 0;
        for (var i = 0; i < RandomSeed.Cases(3_000); i++)
        {
            _now += TimeSpan.FromSeconds(random.Next(1, 400));
            if (random.Next(20) == 0)
                _policy = _policy.NextGeneration();
            attempt = random.Next(3) == 0 ? 0 : attempt + 1;
            var kind = (FailureKind)random.Next(8);
            var findings =
                random.Next(4) == 0
                    ? new Findings([], new Failure(kind, "ReadStore", "Wide" + kind) { Message = "m" }, attempt)
                    : new Findings([Any(random, "bucket-a"), Any(random, "bucket-b")], null, attempt);
            var at =
                $"seed {Seed}, step {i}, {findings.Failure} {string.Join(' ', findings.Buckets)}, attempt {attempt}";

            var before = _policy.Status ?? new PolicyStatus();
            var status = StatusComposer.Compose(_policy, findings, Evidence, _now).Status;
            var broken = StatusRules.Broken(_policy, status, _now).ToList();
            Assert.True(broken.Count == 0, $"{at}: {string.Join("; ", broken)}");
            _policy = _policy with { Status = status };

            var again = StatusComposer.Compose(_policy, findings, Evidence, _now).Status;
            Assert.True(Json(status) == Json(again), $"{at}:\n{Json(before)}\n{Json(status)}\n{Json(again)}");
        }
    }

    private BucketResult Any(Random random, string bucket)
    {
        BucketEncryption? observed = random.Next(2) == 0 ? None : null;
        return random.Next(4) switch
        {
            0 => Good(bucket),
            1 => new BucketResult(
                bucket,
                new Outcome.Unconfirmed(observed, new WriteHistory("AES256", random.Next(1, 5), _now)),
                random.Next(2) == 0 ? Given.Write(_now) : null
            ),
            _ => Fail(bucket, (FailureKind)random.Next(8), "Code" + random.Next(3), observed, random.Next().ToString()),
        };
    }

    private static BucketResult Good(string bucket) => new(bucket, new Outcome.InSync(Aes));

    private static BucketResult Fail(
        string bucket,
        FailureKind kind,
        string code,
        BucketEncryption? observed = null,
        string message = "m",
        string? hint = null
    ) =>
        new(
            bucket,
            new Outcome.Failed(
                new Failure(kind, "GetBucketEncryption", code)
                {
                    HttpStatus = 400,
                    Message = message,
                    Hint = hint,
                    RequestId = Guid.NewGuid().ToString(),
                },
                observed
            )
        );

    private static void AssertSame(PolicyStatus a, PolicyStatus b) => Assert.Equal(Json(a), Json(b));

    private static string Json(PolicyStatus status) =>
        System.Text.Json.JsonSerializer.Serialize(
            new StatusPatch
            {
                Metadata = new PatchMeta { ResourceVersion = "" },
                Status = status,
            },
            ApiJsonContext.Default.StatusPatch
        );

    private PolicyStatus Compose(ImmutableArray<BucketResult> results, int attempt = 0) =>
        Compose(new Findings(results, null, attempt));

    private PolicyStatus Compose(Failure failure, int attempt = 0) => Compose(new Findings([], failure, attempt));

    private PolicyStatus Compose(Findings findings)
    {
        var status = StatusComposer.Compose(_policy, findings, Evidence, _now).Status;
        StatusRules.Check(_policy, status, _now);
        _policy = _policy with { Status = status };
        return status;
    }
}
