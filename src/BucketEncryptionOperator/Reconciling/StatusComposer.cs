using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a reconcile found: one result a bucket, or why the buckets were not looked at.</summary>
/// <param name="Attempt">Tries in a row before this one that ended in a failure which passes by itself.</param>
internal sealed record Findings(ImmutableArray<BucketResult> Buckets, Failure? Failure, int Attempt)
{
    /// <summary>Buckets that are not the policy's any more.</summary>
    public ImmutableArray<BucketResult> Releases { get; init; } = [];

    /// <summary>Somebody wants the policy to rest.</summary>
    public bool IsSuspended { get; init; }

    /// <summary>Results of earlier passes of a suspended policy that no status has yet.</summary>
    public ImmutableArray<BucketResult> Unreported { get; init; } = [];

    /// <summary>The policy has written to buckets before, and its status does not know of it.</summary>
    public bool WasLost { get; init; }

    /// <summary>Nothing is left to be done for buckets that are not the policy's any more.</summary>
    public bool IsReleased => Failure is null && !IsSuspended && Releases.All(r => r.Outcome is Outcome.Released);

    /// <summary>What was looked with; null where nothing was.</summary>
    public string? Inputs { get; init; }

    /// <summary>Whether the pass came to all buckets.</summary>
    public PassEnd End { get; init; }

    /// <summary>Buckets that were written to.</summary>
    public IReadOnlySet<string> Written =>
        Buckets.Where(b => b.Applied is not null).Select(b => b.Bucket).ToHashSet(StringComparer.Ordinal);

    /// <summary>Where the store's buckets are; null where the store is not known.</summary>
    public string? Partition { get; init; }

    /// <summary>For the requeue: a policy-wide failure counts as any bucket's.</summary>
    public IEnumerable<Outcome> OutcomesAt(DateTimeOffset now) =>
        Failure is not null
            ? [new Outcome.Failed(Failure, Observed: null)]
            : Buckets
                .Concat(Releases)
                .Select(b =>
                    b is { Outcome: Outcome.Failed { Failure: var failure }, ForeignSince: { } since }
                    && FailurePolicy.IsNotTheStore(failure, since, now)
                        ? new Outcome.Waiting(Observed: null, failure, FailurePolicy.ForeignProbe)
                        : b.Outcome
                );

    /// <summary>Every bucket of the spec was read.</summary>
    public bool IsVerified =>
        Failure is null
        && !IsSuspended
        && Buckets.All(b =>
            b.Outcome switch
            {
                Outcome.Failed failed => failed.Observed is not null,
                Outcome.Unconfirmed unconfirmed => unconfirmed.Observed is not null,
                Outcome.Waiting waiting => waiting.Observed is not null,
                _ => true,
            }
        );

    /// <summary>Whether a status of the same spec need not speak of the failure yet.</summary>
    public bool Tolerates(Failure failure) =>
        failure.PassesByItself && Attempt + 1 < FailurePolicy.ShowsAt(failure.Kind);

    /// <summary>
    /// The findings, with the time since when each bucket had nothing but answers that are not the store's. After an
    /// hour a person is called for, and the store is asked every five minutes.
    /// </summary>
    public Findings WithForeignTimes(PolicyStatus? last, DateTimeOffset now)
    {
        var rows = (last?.Buckets ?? []).ToDictionary(b => b.Name, StringComparer.Ordinal);
        return this with { Buckets = [.. Buckets.Select(Timed)], Releases = [.. Releases.Select(Timed)] };

        BucketResult Timed(BucketResult result) =>
            result.Outcome is Outcome.Failed { Failure.IsForeign: true }
                ? result with
                {
                    ForeignSince =
                        rows.GetValueOrDefault(result.Bucket)?.Error?.Since ?? KubeTimeConverter.Truncate(now),
                }
                : result;
    }
}

/// <summary>
/// The one place that says what a status is: a pure function of the last status, what was found, and the time. It lives
/// here and not in Encryption because conditions are Kubernetes' words.
/// <list type="bullet">
/// <item>
/// Ready: True when the operator has done what the policy asks; False when a person is (or will be) needed; else
/// Unknown.
/// </item>
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

    /// <summary>
    /// The reason while the vendor rejects the access key itself; which code it says is in the rows and in the message.
    /// </summary>
    public const string CredentialsRejected = "CredentialsRejected";

    public const string Suspended = "Suspended";
    public const string Audited = "Audited";
    public const string Releasing = "Releasing";

    private const int NamedBuckets = 10;
    private const int MaxReason = 128;

    /// <summary>Characters, of all documents that are planned and not sent.</summary>
    private const int MaxPlans = 256 * 1024;

    /// <param name="evidence">How old <c>lastVerifiedTime</c> may get while nothing else changes.</param>
    public static PolicyStatus Compose(
        BucketEncryptionPolicy policy,
        Findings findings,
        TimeSpan evidence,
        DateTimeOffset time
    )
    {
        var now = KubeTimeConverter.Truncate(time);
        var last = policy.Status ?? new PolicyStatus();
        var sameSpec = last.ObservedGeneration == policy.Metadata.Generation;
        var status = last with
        {
            LastHandledReconcileAt = Schedule.RequestedAtOf(policy) ?? last.LastHandledReconcileAt,
        };
        if (findings.Failure is { } passing && sameSpec && findings.Tolerates(passing))
            return status;
        ImmutableArray<StatusStanding> rows = findings.IsSuspended
            ? [.. Resting(policy, findings, last, now)]
            : [.. Rows(policy, findings, last, sameSpec, now)];
        var wanted = findings.IsSuspended
            ? SuspendedConditions(policy, last)
            : Conditions(rows, Judge(rows, findings.Failure), last, policy.Metadata.Generation, now);
        status = status with
        {
            ObservedGeneration = policy.Metadata.Generation,
            Inputs = findings.Inputs ?? last.Inputs,
            Conditions = ConditionSet.Reconcile(last.Conditions, wanted, now),
            Summary = Summary(rows.Select(r => r.Row)),
            Buckets = Bounded(
                rows.Select(r =>
                    findings.WasLost && r.Row.Original is null
                        ? r.Row with
                        {
                            Original = BucketMemory.Row(new Original.Unavailable()),
                        }
                        : r.Row
                )
            ),
        };
        var news =
            last.LastVerifiedTime is not { } verified
            || Schedule.HasPassed(policy.Metadata.Uid, evidence, verified, now)
            || !StatusWriter.IsSame(last, status);
        return findings.IsVerified && news ? status with { LastVerifiedTime = now } : status;
    }

    /// <summary>The status as it is but for some rows: what must be on record before something is done.</summary>
    public static PolicyStatus WithRows(BucketEncryptionPolicy policy, IReadOnlyList<BucketStatus> rows)
    {
        var last = policy.Status ?? new PolicyStatus();
        var changed = rows.ToDictionary(r => r.Name, StringComparer.Ordinal);
        var known = last.Buckets.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        ImmutableArray<BucketStatus> all =
        [
            .. last.Buckets.Select(b => changed.GetValueOrDefault(b.Name) ?? b),
            .. rows.Where(r => !known.Contains(r.Name)),
        ];
        return last with { Summary = Summary(all), Buckets = all };
    }

    private static IEnumerable<StatusStanding> Rows(
        BucketEncryptionPolicy policy,
        Findings findings,
        PolicyStatus last,
        bool sameSpec,
        DateTimeOffset now
    )
    {
        var remembered = last.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal);
        if (findings.Failure is { } failure)
        {
            var leaving = policy.Metadata.DeletionTimestamp is not null;
            var spec = leaving ? [] : policy.Spec.Buckets.Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var bucket in spec)
                yield return Unlooked(bucket, remembered.GetValueOrDefault(bucket), failure, sameSpec, IsStalled(last));
            foreach (
                var row in last.Buckets.Where(b =>
                    b.HeldTime is not null && !spec.Contains(b.Name) && !PolicyReader.LeavesBucketsAlone(policy)
                )
            )
                yield return BucketStatuses.Leaving(Unlooked(row.Name, row, failure, sameSpec, IsStalled(last)));
            yield break;
        }
        foreach (var result in findings.Buckets)
            yield return Looked(result, remembered.GetValueOrDefault(result.Bucket), sameSpec, findings, last, now);
        foreach (var result in findings.Releases.Where(r => r.Outcome is not Outcome.Released))
            yield return BucketStatuses.Leaving(
                Looked(result, remembered.GetValueOrDefault(result.Bucket), sameSpec, findings, last, now)
            );
    }

    /// <summary>The rows that are there; a bucket that was never looked at has none to keep.</summary>
    private static IEnumerable<StatusStanding> Resting(
        BucketEncryptionPolicy policy,
        Findings findings,
        PolicyStatus last,
        DateTimeOffset now
    )
    {
        var remembered = last.Buckets.ToDictionary(b => b.Name, StringComparer.Ordinal);
        foreach (var result in findings.Unreported)
        {
            var before = remembered.GetValueOrDefault(result.Bucket);
            remembered[result.Bucket] = BucketStatuses.Next(before, result, tolerated: false, IsStalled(last), now).Row;
        }
        var spec = policy.Spec.Buckets.Select(b => b.Name).ToList();
        var rows = spec.Select(b =>
                remembered.GetValueOrDefault(b) is { State: not BucketStatus.Releasing } row
                    ? row
                    : BucketStatuses.NotLookedAt(b, remembered.GetValueOrDefault(b))
            )
            .Concat(
                last.Buckets.Where(b =>
                        b.HeldTime is not null
                        && !spec.Contains(b.Name, StringComparer.Ordinal)
                        && !PolicyReader.LeavesBucketsAlone(policy)
                    )
                    .Select(b => b with { State = BucketStatus.Releasing })
            );
        return rows.Select(r => new StatusStanding(r, Standing.Unread));
    }

    /// <summary>How long from now until a missing thing is no longer waited for.</summary>
    public static TimeSpan UntilMissingStalls(PolicyStatus status, DateTimeOffset now) =>
        status.Conditions.Find(Ready) is { Status: Condition.False } ready
            ? ready.LastTransitionTime + FailurePolicy.MissingGrace - now
            : FailurePolicy.MissingGrace;

    /// <summary>Of a row that speaks of an older spec, what happened stays true: writes and when.</summary>
    private static StatusStanding Looked(
        BucketResult result,
        BucketStatus? remembered,
        bool sameSpec,
        Findings findings,
        PolicyStatus last,
        DateTimeOffset now
    )
    {
        // A row of a bucket elsewhere is another bucket's: nothing of it holds here.
        var before =
            remembered?.Partition is { } partition && findings.Partition is { } here && partition != here
                ? null
                : remembered;
        if (before?.Denied is not null && findings.Inputs is { } inputs && inputs != last.Inputs)
            before = before with { Denied = null };
        var failure = (result.Outcome as Outcome.Failed)?.Failure;
        var next = BucketStatuses.Next(
            sameSpec || before is null ? before : BucketStatuses.NotLookedAt(before.Name, before),
            result,
            tolerated: sameSpec
                && failure is not null
                && findings.Tolerates(failure)
                && !(result.ForeignSince is { } since && FailurePolicy.IsNotTheStore(failure, since, now)),
            IsStalled(last),
            now,
            findings.Partition
        );
        var kept = ReferenceEquals(next.Row, before);
        return next with
        {
            KeyRejected = kept
                ? last.Conditions.Find(Ready)?.Reason == CredentialsRejected
                : failure is { ConcernsCredentials: true },
        };
    }

    private static StatusStanding Unlooked(
        string bucket,
        BucketStatus? last,
        Failure failure,
        bool sameSpec,
        bool wasStalled
    ) =>
        failure.Kind == FailureKind.Bug && sameSpec && last is not null
            ? new StatusStanding(last, BucketStatuses.StandingOf(last, wasStalled))
            : new StatusStanding(BucketStatuses.NotLookedAt(bucket, last), Standing.Unread);

    private static bool IsStalled(PolicyStatus status) => status.Conditions.Find(Stalled) is { Status: Condition.True };

    private static Verdict Judge(ImmutableArray<StatusStanding> rows, Failure? failure)
    {
        if (failure is not null)
        {
            var standing =
                failure.PassesByItself || failure.Kind == FailureKind.Bug ? Standing.Unread
                : failure.Kind == FailureKind.Missing ? Standing.Missing
                : Standing.Stuck;
            return new Verdict(
                standing,
                Legal(failure.Code, failure.HttpStatus),
                Sentence(failure.Message, failure.Hint)
            )
            {
                IsBug = failure.Kind == FailureKind.Bug,
            };
        }
        if (rows.All(r => r.Standing == Standing.Good))
            return new Verdict(
                Standing.Good,
                "InSync",
                rows.Length == 1
                    ? "The bucket is encrypted as declared."
                    : $"All {rows.Length} buckets are encrypted as declared."
            );
        if (rows.All(r => r.Standing <= Standing.Noted))
            return new Verdict(
                Standing.Noted,
                Audited,
                $"{Listing(rows)} Mode Audit writes nothing; status.buckets[].planned says what Enforce would send."
            );
        var worst = rows.Max(r => r.Standing);
        // Those that a person must see to name the reason; the ones that may pass do so only when they are alone.
        var telling =
            worst >= Standing.Missing
                ? rows.Where(r => r.Standing >= Standing.Missing)
                : rows.Where(r => r.Standing != Standing.Good);
        var reasons = telling.Select(ReasonOf).Distinct(StringComparer.Ordinal).ToList();
        var hints = telling.Select(r => r.Row.Error?.Hint).Distinct(StringComparer.Ordinal).ToList();
        var message = Sentence(Listing(rows), hints is [{ } hint] ? hint : null);
        return new Verdict(worst, reasons is [var one] ? one : "MultipleErrors", message);
    }

    private static string ReasonOf(StatusStanding row) =>
        row.KeyRejected ? CredentialsRejected
        : row.IsNotTheStore ? FailurePolicy.NotTheStore
        : row.Row.Error is { } error ? Legal(error.Code, error.HttpStatus)
        : row.Row.State == BucketStatus.Releasing ? Releasing
        : "Pending";

    private static IEnumerable<Condition> Conditions(
        ImmutableArray<StatusStanding> rows,
        Verdict verdict,
        PolicyStatus last,
        long generation,
        DateTimeOffset now
    )
    {
        Condition Make(string type, string status, string reason, string message) =>
            new()
            {
                Type = type,
                Status = status,
                Reason = reason,
                Message = message,
                ObservedGeneration = generation,
            };

        yield return Make(
            Ready,
            verdict.Worst switch
            {
                <= Standing.Noted => Condition.True,
                >= Standing.Missing => Condition.False,
                _ => Condition.Unknown,
            },
            verdict.Reason,
            verdict.Message
        );
        var ours = rows.Where(r => r.Row.State != BucketStatus.Releasing).Select(r => r.Row).ToList();
        var differ = ours.Count(r => r is { State: not BucketStatus.InSync, Observed: not null });
        yield return differ > 0
            ? Make(
                Compliant,
                Condition.False,
                "NotAsDeclared",
                $"{differ} of {ours.Count} buckets are not encrypted as declared."
            )
        : ours.All(r => r.State == BucketStatus.InSync)
            ? Make(Compliant, Condition.True, "AsDeclared", "Every bucket is encrypted as declared.")
        : Make(
            Compliant,
            Condition.Unknown,
            "NotRead",
            $"{ours.Count(r => r.State != BucketStatus.InSync)} of {ours.Count} buckets could not be read."
        );

        if (verdict.Worst <= Standing.Noted)
            yield break;
        var stalled =
            verdict.Worst == Standing.Stuck
            || (verdict.Worst == Standing.Missing && UntilMissingStalls(last, now) <= TimeSpan.Zero)
            // Our mistake mends nothing: the rows that called for a person are kept
            || (verdict.IsBug && IsStalled(last));
        yield return Make(stalled ? Stalled : Reconciling, Condition.True, verdict.Reason, verdict.Message);
    }

    /// <summary>What was known stays, and nothing is being done: neither Reconciling nor Stalled.</summary>
    private static IEnumerable<Condition> SuspendedConditions(BucketEncryptionPolicy policy, PolicyStatus last)
    {
        const string Message = "The policy is suspended (spec.suspend): nothing is read or written.";
        var generation = policy.Metadata.Generation;
        var ready =
            last.Conditions.Find(Ready)
            ?? new Condition
            {
                Type = Ready,
                Status = Condition.Unknown,
                Reason = Suspended,
            };
        yield return ready with
        {
            ObservedGeneration = generation,
            Reason = Suspended,
            Message = Message,
        };
        yield return new Condition
        {
            Type = Compliant,
            Status = Condition.Unknown,
            Reason = Suspended,
            Message = Message,
            ObservedGeneration = generation,
        };
    }

    /// <summary>Names and codes only: what the vendor's texts add may change from one answer to the next.</summary>
    private static string Listing(ImmutableArray<StatusStanding> rows)
    {
        // Those for a person first, and then as in the spec: no finer, for a row that is kept does not remember more.
        var failing = rows.Where(r => r.Standing != Standing.Good)
            .OrderByDescending(r => r.Standing >= Standing.Missing)
            .ToList();
        var named = string.Join(
            ", ",
            failing.Take(NamedBuckets).Select(r => $"{r.Row.Name}: {r.Row.Error?.Code ?? Word(r)}")
        );
        var more = failing.Count > NamedBuckets ? $", and {failing.Count - NamedBuckets} more" : "";
        var ours = rows.Where(r => r.Row.State != BucketStatus.Releasing).ToList();
        return $"{ours.Count(r => r.Row.State == BucketStatus.InSync)} of {ours.Count} buckets are as declared. "
            + $"{named}{more}.";

        static string Word(StatusStanding row) =>
            row.Row.State == BucketStatus.Releasing ? Releasing
            : row.Standing == Standing.Noted ? "Drift"
            : "Pending";
    }

    private static string Sentence(string? what, string? hint) =>
        string.Join(' ', new[] { what, hint }.Where(t => !string.IsNullOrEmpty(t)));

    /// <summary>
    /// A vendor's code as a condition reason, which must be one word: <c>KMS.NotFoundException</c> becomes
    /// <c>KMS_NotFoundException</c>.
    /// </summary>
    internal static string Legal(string code, int? httpStatus)
    {
        var word = string.Concat(code.Take(MaxReason).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')).Trim('_');
        return word.Length > 0 && char.IsAsciiLetter(word[0]) ? word
            : httpStatus is { } status ? $"HTTP_{status}"
            : "Unspecified";
    }

    /// <summary>
    /// An object may have a megabyte and a half in all: of many large plans the last ones lose their document.
    /// </summary>
    private static ImmutableArray<BucketStatus> Bounded(IEnumerable<BucketStatus> rows)
    {
        var room = MaxPlans;
        return
        [
            .. rows.Select(row =>
                row.Planned is not { Document: { } document } plan || (room -= document.Length) >= 0
                    ? row
                    : row with
                    {
                        Planned = plan with { Document = null },
                    }
            ),
        ];
    }

    /// <summary>Of the policy's own buckets; such as are being released do not count.</summary>
    private static BucketSummary Summary(IEnumerable<BucketStatus> rows)
    {
        var ours = rows.Where(r => r.State != BucketStatus.Releasing).ToList();
        int Count(string state) => ours.Count(r => r.State == state);
        return new BucketSummary
        {
            Total = ours.Count,
            InSync = Count(BucketStatus.InSync),
            Drifted = Count(BucketStatus.Drifted),
            Failed = Count(BucketStatus.Failed),
            Unknown = Count(BucketStatus.Unknown),
            Text = $"{Count(BucketStatus.InSync)}/{ours.Count}",
        };
    }

    private sealed record Verdict(Standing Worst, string Reason, string Message)
    {
        public bool IsBug { get; init; }
    }
}
