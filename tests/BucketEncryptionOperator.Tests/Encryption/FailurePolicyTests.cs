using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

public sealed class FailurePolicyTests
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    private static readonly Outcome InSync = new Outcome.InSync(new BucketEncryption.Aes256());
    private static readonly Outcome Confirming = new Outcome.Unconfirmed(null, new WriteHistory("AES256", 1, default));
    private static readonly Outcome FuseBlown = new Outcome.Unconfirmed(null, new WriteHistory("AES256", 3, default));

    private static readonly Dictionary<string, Case> Table = new(StringComparer.Ordinal)
    {
        ["in sync: at the next resync"] = new([InSync], "after 00:10:00"),
        ["no bucket at all: at the next resync"] = new([], "after 00:10:00"),
        ["written, not seen yet: in 3 s"] = new([Confirming], "after 00:00:03"),
        ["fuse blown: at the next resync"] = new([FuseBlown], "after 00:10:00"),
        ["Transient: back-off, 1 s at least"] = new([Fail(FailureKind.Transient)], "back off 00:00:01"),
        ["Throttled: back-off, 1 s at least"] = new([Fail(FailureKind.Throttled)], "back off 00:00:01"),
        ["Throttled with a word on when: not before"] = new([Throttled(TimeSpan.FromSeconds(30))], "back off 00:00:30"),
        ["Throttled with an absurd word: an hour at most"] = new(
            [Throttled(TimeSpan.FromDays(20_000))],
            "back off 01:00:00"
        ),
        ["Conflict: back-off alone"] = new([Fail(FailureKind.Conflict)], "back off 00:00:00"),
        ["Bug: back-off, 1 s at least"] = new([Fail(FailureKind.Bug)], "back off 00:00:01"),
        ["Denied: at the next resync"] = new([Fail(FailureKind.Denied)], "after 00:10:00"),
        ["Denied for the key's sake: every 5 s"] = new(
            [Fail(FailureKind.Denied, concernsCredentials: true)],
            "after 00:00:05"
        ),
        ["Missing, within grace: when grace ends"] = new([Fail(FailureKind.Missing)], "after 00:05:00"),
        ["Missing, grace over: at the next resync"] = new([Fail(FailureKind.Missing)], "after 00:10:00")
        {
            Grace = TimeSpan.Zero,
        },
        ["Missing, grace longer than resync: at the next resync"] = new([Fail(FailureKind.Missing)], "after 00:01:00")
        {
            Resync = TimeSpan.FromMinutes(1),
        },
        ["Missing Secret: every 5 s"] = new([Fail(FailureKind.Missing, concernsCredentials: true)], "after 00:00:05"),
        ["Invalid: on a change only"] = new([Fail(FailureKind.Invalid)], "on change"),
        ["Refused: in an hour"] = new([Fail(FailureKind.Refused)], "after 01:00:00"),
        ["Refused with a longer resync: then"] = new([Fail(FailureKind.Refused)], "after 02:00:00")
        {
            Resync = TimeSpan.FromHours(2),
        },

        ["the earliest fixed time wins"] = new([Fail(FailureKind.Refused), InSync, Confirming], "after 00:00:03"),
        ["the order of the buckets does not matter"] = new(
            [Confirming, Fail(FailureKind.Refused), InSync],
            "after 00:00:03"
        ),
        ["any time is before no time"] = new([Fail(FailureKind.Invalid), InSync], "after 00:10:00"),
        ["a back-off goes before a fixed time"] = new([Confirming, Fail(FailureKind.Transient)], "back off 00:00:01"),
        ["and before it in the other order too"] = new([Fail(FailureKind.Transient), Confirming], "back off 00:00:01"),
        ["of two back-offs the longer lower bound counts"] = new(
            [Throttled(TimeSpan.FromSeconds(30)), Fail(FailureKind.Transient)],
            "back off 00:00:30"
        ),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    public static TheoryData<string> Kinds => new(Enum.GetNames<FailureKind>());

    [Theory]
    [MemberData(nameof(Sentences))]
    public void Next_follows_the_table(string sentence)
    {
        var @case = Table[sentence];

        var next = FailurePolicy.Next(@case.Outcomes, @case.Resync, @case.Grace);

        Assert.Equal(@case.Expected, Say(next));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_has_a_line_in_the_table(string kind) =>
        Assert.Contains(Table.Keys, k => k.StartsWith(kind, StringComparison.Ordinal));

    /// <summary>
    /// What answers in the store's place is waited out for an hour. Then a person is called for, and the store is asked
    /// all the same.
    /// </summary>
    [Theory]
    [InlineData("the first answer", 0, false)]
    [InlineData("almost an hour", 59, false)]
    [InlineData("an hour", 60, true)]
    [InlineData("a month", 60 * 24 * 30, true)]
    public void What_is_not_the_store_for_an_hour_calls_for_a_person(string sentence, int minutes, bool isNotTheStore)
    {
        var (since, now) = (
            new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).AddMinutes(minutes)
        );
        var foreign = new Failure(FailureKind.Transient, "GetBucketEncryption", "HTTP_404")
        {
            HttpStatus = 404,
            IsForeign = true,
        };

        Assert.True(isNotTheStore == FailurePolicy.IsNotTheStore(foreign, since, now), sentence);
        Assert.False(FailurePolicy.IsNotTheStore(foreign with { IsForeign = false }, since, now), sentence);
        Assert.True(foreign.PassesByItself);
    }

    private static Outcome.Failed Fail(FailureKind kind, bool concernsCredentials = false) =>
        new(
            new Failure(kind, "GetBucketEncryption", "Code") { ConcernsCredentials = concernsCredentials },
            Observed: null
        );

    private static Outcome.Failed Throttled(TimeSpan retryAfter) =>
        new(
            new Failure(FailureKind.Throttled, "GetBucketEncryption", "SlowDown") { RetryAfter = retryAfter },
            Observed: null
        );

    private static string Say(RequeueDecision next) =>
        next switch
        {
            { Delay: null } => "on change",
            { BackOff: true } => $"back off {next.Delay}",
            _ => $"after {next.Delay}",
        };

    private sealed record Case(IReadOnlyList<Outcome> Outcomes, string Expected)
    {
        public TimeSpan Resync { get; init; } = FailurePolicyTests.Resync;

        public TimeSpan Grace { get; init; } = FailurePolicyTests.Grace;
    }
}
