namespace BucketEncryptionOperator.Encryption;

/// <summary>When to come back, as plain data; the reconciler turns it into the runtime's word.</summary>
/// <param name="Delay">
/// At this time, or with <paramref name="BackOff"/> at this time at the earliest; null: only on a change.
/// </param>
internal readonly record struct RequeueDecision(TimeSpan? Delay, bool BackOff);

/// <summary>
/// What each kind of failure means for the next look. The table in CONTRIBUTING ("Errors") is this code.
/// </summary>
internal static class FailurePolicy
{
    /// <summary>A missing bucket, store or Secret is waited for this long before a person is called for.</summary>
    public static readonly TimeSpan MissingGrace = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Answers that are not the store's are waited out this long before a person is called for:
    /// <see cref="Reasons.NotTheStore"/>.
    /// </summary>
    public static readonly TimeSpan ForeignGrace = TimeSpan.FromHours(1);

    /// <summary>
    /// Between two tries while something else answers in the store's place, once a person was called for.
    /// </summary>
    public static readonly TimeSpan ForeignProbe = TimeSpan.FromMinutes(5);

    /// <summary>Between two tries of what failed, back-off or not.</summary>
    public static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest pause that a vendor or the API server may ask for; timers take no more than 49 days, people less.
    /// </summary>
    private static readonly TimeSpan LongestAskedFor = TimeSpan.FromHours(1);

    private static readonly TimeSpan RefusedPause = TimeSpan.FromHours(1);

    /// <summary>
    /// Secrets are not watched: while a key is rejected or its Secret is not there, look again this often.
    /// </summary>
    private static readonly TimeSpan CredentialsProbe = TimeSpan.FromSeconds(5);

    /// <summary>
    /// So many in a row, and the status speaks of a failure. Vendors throttle whoever starts with many buckets, and
    /// another change under way is no trouble: with the back-off's growth, 12 of these are about a minute.
    /// </summary>
    public static int ShowsAt(FailureKind kind) =>
        kind switch
        {
            FailureKind.Transient => 3,
            FailureKind.Throttled or FailureKind.Conflict => 12,
            _ => 1,
        };

    /// <summary>Whether waiting alone is no longer expected to help: what answers is not the store.</summary>
    /// <param name="since">When the first of the answers came that were all foreign.</param>
    public static bool IsNotTheStore(Failure failure, DateTimeOffset since, DateTimeOffset now) =>
        failure.IsForeign && now - since >= ForeignGrace;

    /// <summary>The other side's own word on when to come back, as far as it is believed.</summary>
    private static TimeSpan? Believed(TimeSpan? retryAfter) =>
        retryAfter is { } asked ? Durations.Min(asked, LongestAskedFor) : null;

    /// <summary>The earliest of what each bucket asks for; a back-off goes before a fixed time.</summary>
    /// <param name="resync">Until the next look at what is settled.</param>
    public static RequeueDecision Next(IEnumerable<Outcome> outcomes, TimeSpan resync, TimeSpan untilMissingStalls)
    {
        RequeueDecision? first = null;
        foreach (var next in outcomes.Select(o => Next(o, resync, untilMissingStalls)))
        {
            // A back-off goes before a fixed time: its delay is only a lower bound, the queue's back-off decides.
            if (
                first is not { } f
                || (next.BackOff && !f.BackOff)
                || (next.BackOff == f.BackOff && (next.BackOff ? next.Delay > f.Delay : Sooner(next.Delay, f.Delay)))
            )
                first = next;
        }
        return first ?? new RequeueDecision(resync, BackOff: false);
    }

    private static RequeueDecision Next(Outcome outcome, TimeSpan resync, TimeSpan untilMissingStalls) =>
        outcome switch
        {
            Outcome.Unconfirmed { IsStuck: false } => new RequeueDecision(WriteHistory.ReadLag, BackOff: false),
            Outcome.Waiting waiting => new RequeueDecision(waiting.For, BackOff: false),
            Outcome.Yielded { Why: { PassesByItself: true } why } => Next(why, resync, untilMissingStalls),
            Outcome.Failed failed => Next(failed.Failure, resync, untilMissingStalls),
            _ => new RequeueDecision(resync, BackOff: false),
        };

    private static RequeueDecision Next(Failure failure, TimeSpan resync, TimeSpan untilMissingStalls) =>
        failure.Kind switch
        {
            FailureKind.Conflict => new RequeueDecision(TimeSpan.Zero, BackOff: true),
            FailureKind.Throttled => new RequeueDecision(Believed(failure.RetryAfter) ?? ShortestRetry, BackOff: true),
            FailureKind.Transient or FailureKind.Bug => new RequeueDecision(ShortestRetry, BackOff: true),
            FailureKind.Denied or FailureKind.Missing when failure.ConcernsCredentials => new RequeueDecision(
                Durations.Min(CredentialsProbe, resync),
                BackOff: false
            ),
            FailureKind.Missing when untilMissingStalls > TimeSpan.Zero => new RequeueDecision(
                Durations.Min(resync, untilMissingStalls),
                BackOff: false
            ),
            FailureKind.Refused => new RequeueDecision(Durations.Max(resync, RefusedPause), BackOff: false),
            FailureKind.Invalid => new RequeueDecision(Delay: null, BackOff: false),
            _ => new RequeueDecision(resync, BackOff: false),
        };

    private static bool Sooner(TimeSpan? a, TimeSpan? b) => a is { } x && (b is not { } y || x < y);
}
