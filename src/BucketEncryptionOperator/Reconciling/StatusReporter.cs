using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Controllers;
using KubeRuntime.Events;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="Evidence">Maximum age of a settled policy's <c>lastVerifiedTime</c>.</param>
internal sealed record StatusReporterOptions(TimeSpan Evidence);

/// <summary>What came of a report.</summary>
/// <param name="Policy">The policy as it is stored now.</param>
/// <param name="Written">Whether the status was written; one that says nothing new is not.</param>
/// <param name="Next">When to reconcile again.</param>
internal sealed record StatusReport(BucketEncryptionPolicy Policy, bool Written, ReconcileResult Next);

/// <summary>
/// Reports what was found, in this order: compose the status (<see cref="StatusComposer"/>); events and metrics of what
/// was done to buckets; write the status (<see cref="StatusWriter"/>); metrics, log and events of what is new in it.
/// </summary>
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
    /// <exception cref="KubeRuntime.Client.KubeApiException">The status was not written.</exception>
    public async Task<StatusReport> ReportAsync(
        StoredPolicy stored,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        var (policy, now) = (stored.Now, time.GetUtcNow());
        findings = findings.WithForeignTimes(policy.Status, now);
        var composed = StatusComposer.Compose(policy, findings, options.Evidence, now);
        RecordDone(policy, findings);
        var (after, written) = await writer.WriteAsync(policy, composed.Status, cancellationToken);
        stored.Replace(after);
        ownership.ForgetReported(after);
        metrics.RecordStatus(policy, composed, findings, written);
        if (written)
        {
            ownership.TrackSelected(after);
            LogChange(logger, policy.Status, composed);
            Record(PolicyEvents.Changes(policy, composed, findings.Written, now));
        }
        return new StatusReport(after, written, NextOf(stored, composed.Status, findings, now));
    }

    /// <summary>
    /// Records what was done to buckets, in events and metrics. It is not done again, so it is recorded whether or not
    /// a status can be written.
    /// </summary>
    public void RecordDone(BucketEncryptionPolicy policy, Findings findings)
    {
        metrics.RecordDone(policy, findings);
        Record(PolicyEvents.Done(policy, findings, time.GetUtcNow()));
    }

    private static ReconcileResult NextOf(
        StoredPolicy policy,
        PolicyStatus status,
        Findings findings,
        DateTimeOffset now
    )
    {
        if (findings.IsSuspended)
            return ReconcileResult.OnChange;
        var settled = Schedule.Next(policy.Uid, policy.Resync, now);
        var untilStalled = PolicyConditions.UntilMissingStalls(status, now);
        return (FailurePolicy.Next(findings.OutcomesAt(now), settled, untilStalled), findings.End) switch
        {
            ({ Delay: not null, BackOff: true }, PassEnd.Yielded) => ReconcileResult.Behind,
            // the pass continues, and has not failed
            ({ Delay: { } delay, BackOff: true }, PassEnd.RateLimited) => new ReconcileResult.After(delay),
            (var decision, _) => Requeues.Of(decision),
        };
    }

    private void Record(IEnumerable<Occurrence> occurrences)
    {
        foreach (var occurrence in occurrences)
            events.Record(occurrence);
    }

    /// <summary>Logs one line for each thing that changed with a status, and none for what stayed.</summary>
    private static void LogChange(ILogger logger, PolicyStatus? before, ComposedStatus composed)
    {
        var after = composed.Status;
        foreach (var row in after.Buckets)
        {
            if (composed.NewErrorOf(row) is { } error && !error.Has(ReasonTraits.NotLogged))
                LogFailed(logger, row.Name, error);
        }
        var keyWas = before?.Conditions.Find(ConditionTypes.KeyUsable);
        if (
            after.Conditions.Find(ConditionTypes.KeyUsable) is { } usable
            && (keyWas?.Status != usable.Status || keyWas.Reason != usable.Reason)
        )
            Log.KeyUsableChanged(
                logger,
                usable.Status == Condition.False ? LogLevel.Warning : LogLevel.Information,
                usable.Status,
                usable.Reason,
                usable.Message ?? ""
            );
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
