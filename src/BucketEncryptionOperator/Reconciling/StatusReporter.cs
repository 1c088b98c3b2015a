using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="Evidence">How old a settled policy's <c>lastVerifiedTime</c> may get.</param>
internal sealed record StatusReporterOptions(TimeSpan Evidence);

/// <summary>Says what was found: in the status, by events, in the log, in metrics, and to the queue.</summary>
internal sealed class StatusReporter(
    StatusWriter writer,
    BucketOwnership ownership,
    IEventRecorder events,
    PolicyMetrics metrics,
    StatusReporterOptions options,
    TimeProvider time,
    ILogger<StatusReporter> logger
)
{
    /// <returns>The policy as it is stored now, and when to come back.</returns>
    /// <exception cref="KubeRuntime.Client.KubeApiException">The status was not written.</exception>
    public async Task<(BucketEncryptionPolicy Policy, ReconcileResult Next)> TellAsync(
        BucketEncryptionPolicy policy,
        Findings findings,
        TimeSpan resync,
        CancellationToken cancellationToken
    )
    {
        var now = time.GetUtcNow();
        findings = findings.WithForeignTimes(policy.Status, now);
        var composed = StatusComposer.Compose(policy, findings, options.Evidence, now);
        TellDone(policy, findings);
        var (told, written) = await writer.WriteAsync(policy, composed.Status, cancellationToken);
        ownership.Reported(told);
        metrics.Told(policy, composed, findings, isNews: written);
        if (written)
        {
            LogChange(logger, policy.Status, composed);
            Record(PolicyEvents.Changes(policy, composed, findings.Written, now));
        }
        var settled = Schedule.Next(policy.Metadata.Uid, resync, now);
        return (
            told,
            findings.IsSuspended
                ? ReconcileResult.OnChange
                : FailurePolicy.Next(
                    findings.OutcomesAt(now),
                    settled,
                    PolicyConditions.UntilMissingStalls(composed.Status, now)
                ) switch
                {
                    { Delay: null } => ReconcileResult.OnChange,
                    { BackOff: true } when findings.End == PassEnd.GaveWay => ReconcileResult.Behind,
                    { Delay: { } delay, BackOff: true } when findings.End == PassEnd.RateLimited =>
                        new ReconcileResult.After(delay), // it goes on, and has not failed
                    { Delay: { } delay, BackOff: true } => new ReconcileResult.Retry(delay),
                    { Delay: { } delay } => new ReconcileResult.After(delay),
                }
        );
    }

    /// <summary>What was done, which is not done again, whether or not a status can be written.</summary>
    public void TellDone(BucketEncryptionPolicy policy, Findings findings)
    {
        metrics.Done(policy, findings);
        Record(PolicyEvents.Done(policy, findings, time.GetUtcNow()));
    }

    /// <summary>
    /// Other policies that should look now, because something is new: this one's claim changed hands, it has found
    /// drift that another one writes, or its writes are denied for long enough that another one may write. What stays
    /// as it was wakes nobody.
    /// </summary>
    public IReadOnlyCollection<NamespacedName> Concerned(
        BucketEncryptionPolicy before,
        BucketEncryptionPolicy told,
        Findings findings
    )
    {
        var woken = ConcernedByRelease(told, findings);
        if (before.Metadata.ResourceVersion == told.Metadata.ResourceVersion)
            return woken; // no status was written
        var rows = (before.Status?.Buckets ?? []).ToDictionary(b => b.Name, StringComparer.Ordinal);
        foreach (var row in told.Status?.Buckets ?? [])
        {
            if (row.Partition is not { } partition)
                continue;
            var (last, id) = (rows.GetValueOrDefault(row.Name), new BucketId(partition, row.Name));
            if (ClaimOf(last) != ClaimOf(row))
                woken.UnionWith(
                    IsOneMore(row, id)
                        ? ownership.Releasing(told, id).Select(p => p.Metadata.Key)
                        : ownership.Others(told, [row.Name])
                );
            else if (
                (Reasons.HeldByAnother.Is(row.Error?.Code) && !Reasons.HeldByAnother.Is(last?.Error?.Code))
                || Denials(row) != Denials(last)
            )
                Add(ownership.WriterOf(id));
        }
        return woken;

        // A claim behind an older one changes nothing for anybody but who waits for a successor.
        bool IsOneMore(BucketStatus row, BucketId id) =>
            row.ClaimedTime is not null && ownership.OwnerOf(id)?.Metadata.Uid != told.Metadata.Uid;

        void Add(BucketEncryptionPolicy? other)
        {
            if (other is not null && other.Metadata.Uid != told.Metadata.Uid)
                woken.Add(other.Metadata.Key);
        }
    }

    /// <summary>Policies that may have what this one has released.</summary>
    public HashSet<NamespacedName> ConcernedByRelease(BucketEncryptionPolicy policy, Findings findings)
    {
        var released = findings.Releases.Where(r => r.Outcome is Outcome.Released).Select(r => r.Bucket).ToList();
        return released.Count == 0 ? [] : ownership.Others(policy, released);
    }

    private static bool Denials(BucketStatus? row) => row?.Denied?.Count >= DeniedWrites.Enough;

    private static Claim ClaimOf(BucketStatus? row) =>
        row?.ClaimedTime is not null ? Claim.Open
        : row?.ClaimDeniedTime is not null ? Claim.Denied
        : Claim.None;

    private void Record(IEnumerable<Occurrence> occurrences)
    {
        foreach (var occurrence in occurrences)
            events.Record(occurrence);
    }

    /// <summary>One line for each thing that changed with a status, none for what stayed.</summary>
    private static void LogChange(ILogger logger, PolicyStatus? before, ComposedStatus composed)
    {
        var after = composed.Status;
        foreach (var row in after.Buckets)
        {
            if (composed.NewErrorOf(row) is { } error && !error.Has(ReasonTraits.NotLogged))
                LogFailed(logger, row.Name, error);
        }
        var was = before?.Conditions.Find(ConditionTypes.Ready);
        if (
            after.Conditions.Find(ConditionTypes.Ready) is { } ready
            && (was?.Status != ready.Status || was.Reason != ready.Reason)
        )
        {
            if (ready.Status != Condition.True && after.Buckets.All(b => b.Error is null))
                Log.PolicyFailed(logger, ready.Reason, ready.Message);
            else
                Log.ReadyChanged(logger, ready.Status, ready.Reason, after.Summary?.Text ?? "");
        }
    }

    private static void LogFailed(ILogger logger, string bucket, BucketError error)
    {
        if (error.HttpStatus is { } status)
            Log.BucketFailed(
                logger,
                bucket,
                error.Operation,
                error.Code,
                status,
                error.RequestId ?? "unknown",
                error.Hint ?? ""
            );
        else
            Log.BucketFailedUnanswered(
                logger,
                bucket,
                error.Operation,
                error.Code,
                error.Message ?? "",
                error.Hint ?? ""
            );
    }
}
