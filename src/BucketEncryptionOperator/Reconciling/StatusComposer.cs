using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using KubeRuntime.Conditions;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a reconcile found: one result a bucket, or why the buckets were not looked at.</summary>
/// <param name="Attempt">Tries in a row before this one that ended in a failure which passes by itself.</param>
internal sealed record Findings(ImmutableArray<BucketResult> Buckets, Failure? Failure, int Attempt)
{
    /// <summary>For the requeue: a policy-wide failure counts as any bucket's.</summary>
    public IEnumerable<Outcome> Outcomes => Failure is null ? Buckets.Select(b => b.Outcome) : [new Outcome.Failed(Failure, Observed: null)];

    /// <summary>Whether a status of the same spec need not speak of the failure yet.</summary>
    public bool Tolerates(Failure failure) => failure.PassesByItself && Attempt + 1 < FailurePolicy.ShowsAt(failure.Kind);
}

/// <summary>
/// The one place that says what a status is: a pure function of the last status, what was found, and the time. It lives here and
/// not in Encryption because conditions are Kubernetes' words.
/// <list type="bullet">
/// <item>Ready: True when every bucket is as declared; False when a person is (or will be) needed; else Unknown.</item>
/// <item>Compliant: what is known of the buckets, whatever the reason.</item>
/// <item>Stalled, only while True: waiting alone will not mend it. Reconciling, only while True: it may.</item>
/// </list>
/// </summary>
internal static class StatusComposer
{
    public const string Ready = "Ready";
    public const string Compliant = "Compliant";
    public const string Reconciling = "Reconciling";
    public const string Stalled = "Stalled";

    /// <summary>The reason while the vendor rejects the access key itself; which code it says is in the rows and in the message.</summary>
    public const string CredentialsRejected = "CredentialsRejected";

    private const int NamedBuckets = 10;
    private const int MaxReason = 128;

    public static PolicyStatus Compose(BucketEncryptionPolicy policy, Findings findings, DateTimeOffset time)
    {
        var now = KubeTimeConverter.Truncate(time);
        var last = policy.Status ?? new PolicyStatus();
        var sameSpec = last.ObservedGeneration == policy.Metadata.Generation;
        if (findings.Failure is { } passing && sameSpec && findings.Tolerates(passing))
            return last;
        var remembered = last.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal);
        ImmutableArray<StandingRow> rows = findings.Failure is { } failure
            ? [.. policy.Spec.Buckets.Select(b => Unlooked(b.Name, remembered.GetValueOrDefault(b.Name), keep: sameSpec && failure.Kind == FailureKind.Bug, IsStalled(last)))]
            : [.. findings.Buckets.Select(r => Looked(r, remembered.GetValueOrDefault(r.Bucket), sameSpec, findings, last))];
        var verdict = Judge(rows, findings.Failure);
        return new PolicyStatus
        {
            ObservedGeneration = policy.Metadata.Generation,
            Conditions = ConditionSet.Reconcile(last.Conditions, Conditions(rows, verdict, last, policy.Metadata.Generation, now), now),
            Summary = Summary(rows),
            Buckets = [.. rows.Select(r => r.Row)],
        };
    }

    /// <summary>How long from now until a missing thing is no longer waited for.</summary>
    public static TimeSpan UntilMissingStalls(PolicyStatus status, DateTimeOffset now) =>
        status.Conditions.Find(Ready) is { Status: Condition.False } ready ? ready.LastTransitionTime + FailurePolicy.MissingGrace - now : FailurePolicy.MissingGrace;

    /// <summary>Of a row that speaks of an older spec, what happened stays true: writes and when.</summary>
    private static StandingRow Looked(BucketResult result, BucketRow? before, bool sameSpec, Findings findings, PolicyStatus last)
    {
        var failure = (result.Outcome as Outcome.Failed)?.Failure;
        var next = BucketRows.Next(
            sameSpec || before is null ? before : BucketRows.NotLookedAt(before.Name, before),
            result,
            tolerated: sameSpec && failure is not null && findings.Tolerates(failure),
            IsStalled(last));
        var kept = ReferenceEquals(next.Row, before);
        return next with { KeyRejected = kept ? last.Conditions.Find(Ready)?.Reason == CredentialsRejected : failure is { ConcernsCredentials: true } };
    }

    private static StandingRow Unlooked(string bucket, BucketRow? last, bool keep, bool wasStalled) => keep && last is not null
        ? new StandingRow(last, BucketRows.StandingOf(last, wasStalled))
        : new StandingRow(BucketRows.NotLookedAt(bucket, last), Standing.Unread);

    private static bool IsStalled(PolicyStatus status) => status.Conditions.Find(Stalled) is { Status: Condition.True };

    private static Verdict Judge(ImmutableArray<StandingRow> rows, Failure? failure)
    {
        if (failure is not null)
        {
            var standing = failure.PassesByItself || failure.Kind == FailureKind.Bug ? Standing.Unread : failure.Kind == FailureKind.Missing ? Standing.Missing : Standing.Stuck;
            return new Verdict(standing, Legal(failure.Code, failure.HttpStatus), Sentence(failure.Message, failure.Hint)) { IsBug = failure.Kind == FailureKind.Bug };
        }
        if (rows.All(r => r.Standing == Standing.Good))
            return new Verdict(Standing.Good, "InSync", rows.Length == 1 ? "The bucket is encrypted as declared." : $"All {rows.Length} buckets are encrypted as declared.");
        var worst = rows.Max(r => r.Standing);
        // Those that a person must see to name the reason; the ones that may pass do so only when they are alone.
        var telling = worst >= Standing.Missing ? rows.Where(r => r.Standing >= Standing.Missing) : rows.Where(r => r.Standing != Standing.Good);
        var reasons = telling.Select(ReasonOf).Distinct(StringComparer.Ordinal).ToList();
        var hints = telling.Select(r => r.Row.Error?.Hint).Distinct(StringComparer.Ordinal).ToList();
        var message = Sentence(Listing(rows), hints is [{ } hint] ? hint : null);
        return new Verdict(worst, reasons is [var one] ? one : "MultipleErrors", message);
    }

    private static string ReasonOf(StandingRow row) =>
        row.KeyRejected ? CredentialsRejected : row.Row.Error is { } error ? Legal(error.Code, error.HttpStatus) : "Pending";

    private static IEnumerable<Condition> Conditions(ImmutableArray<StandingRow> rows, Verdict verdict, PolicyStatus last, long generation, DateTimeOffset now)
    {
        Condition Make(string type, string status, string reason, string message) =>
            new() { Type = type, Status = status, Reason = reason, Message = message, ObservedGeneration = generation };

        yield return Make(Ready, verdict.Worst switch
        {
            Standing.Good => Condition.True,
            >= Standing.Missing => Condition.False,
            _ => Condition.Unknown,
        }, verdict.Reason, verdict.Message);
        yield return rows.Any(r => r.Row is { State: not BucketRow.InSync, Observed: not null })
            ? Make(Compliant, Condition.False, "NotAsDeclared", $"{rows.Count(r => r.Row is { State: not BucketRow.InSync, Observed: not null })} of {rows.Length} buckets are not encrypted as declared.")
            : rows.All(r => r.Row.State == BucketRow.InSync)
                ? Make(Compliant, Condition.True, "AsDeclared", "Every bucket is encrypted as declared.")
                : Make(Compliant, Condition.Unknown, "NotRead", $"{rows.Count(r => r.Row.State != BucketRow.InSync)} of {rows.Length} buckets could not be read.");

        if (verdict.Worst == Standing.Good)
            yield break;
        var stalled = verdict.Worst == Standing.Stuck
            || (verdict.Worst == Standing.Missing && UntilMissingStalls(last, now) <= TimeSpan.Zero)
            || (verdict.IsBug && IsStalled(last)); // our mistake mends nothing: the rows that called for a person are kept
        yield return Make(stalled ? Stalled : Reconciling, Condition.True, verdict.Reason, verdict.Message);
    }

    /// <summary>Names and codes only: what the vendor's texts add may change from one answer to the next.</summary>
    private static string Listing(ImmutableArray<StandingRow> rows)
    {
        // Those for a person first, and then as in the spec: no finer, for a row that is kept does not remember more.
        var failing = rows.Where(r => r.Standing != Standing.Good).OrderByDescending(r => r.Standing >= Standing.Missing).ToList();
        var named = string.Join(", ", failing.Take(NamedBuckets).Select(r => $"{r.Row.Name}: {r.Row.Error?.Code ?? "Pending"}"));
        var more = failing.Count > NamedBuckets ? $", and {failing.Count - NamedBuckets} more" : "";
        return $"{rows.Length - failing.Count} of {rows.Length} buckets are as declared. {named}{more}.";
    }

    private static string Sentence(string? what, string? hint) => string.Join(' ', new[] { what, hint }.Where(t => !string.IsNullOrEmpty(t)));

    /// <summary>A vendor's code as a condition reason, which must be one word: <c>KMS.NotFoundException</c> becomes <c>KMS_NotFoundException</c>.</summary>
    internal static string Legal(string code, int? httpStatus)
    {
        var word = string.Concat(code.Take(MaxReason).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).Trim('_');
        return word.Length > 0 && char.IsAsciiLetter(word[0]) ? word : httpStatus is { } status ? $"HTTP_{status}" : "Unspecified";
    }

    private static BucketSummary Summary(ImmutableArray<StandingRow> rows)
    {
        int Count(string state) => rows.Count(r => r.Row.State == state);
        return new BucketSummary
        {
            Total = rows.Length,
            InSync = Count(BucketRow.InSync),
            Drifted = Count(BucketRow.Drifted),
            Failed = Count(BucketRow.Failed),
            Unknown = Count(BucketRow.Unknown),
            Text = $"{Count(BucketRow.InSync)}/{rows.Length}",
        };
    }

    private sealed record Verdict(Standing Worst, string Reason, string Message)
    {
        public bool IsBug { get; init; }
    }
}
