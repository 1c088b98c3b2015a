using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The last step of a reconcile: the status (<see cref="StatusReporter"/>) or the end of the policy
/// (<see cref="PolicyFinalizer"/>), and the other policies that should reconcile because of it
/// (<see cref="AffectedPolicies"/>).
/// </summary>
internal sealed class PolicyReporter(
    StatusReporter status,
    PolicyFinalizer finalizer,
    AffectedPolicies affected,
    PolicyMemory memory,
    TimeProvider time
)
{
    /// <summary>Reports what was found.</summary>
    /// <exception cref="KubeApiException">The status was not written.</exception>
    public async Task<ReconcileResult> ReportAsync(
        StoredPolicy policy,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        memory.Remember(policy.Uid, findings.Buckets);
        var before = policy.Now;
        findings = findings with { WasLost = policy.WasStatusLost, SelectableBuckets = policy.SelectableBuckets };
        var report = await status.ReportAsync(policy, findings, cancellationToken);
        memory.Reported(policy.Uid);
        affected.EnqueueAfter(before, report, findings);
        return report.Next;
    }

    /// <summary>Reports that the policy is suspended, with what passes have written before they were stopped.</summary>
    /// <exception cref="KubeApiException">The status was not written.</exception>
    public Task<ReconcileResult> ReportSuspendedAsync(
        StoredPolicy policy,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        var findings = new Findings([], Failure: null, attempt)
        {
            IsSuspended = true,
            Unreported = memory.Unreported(policy.Uid),
        };
        return ReportAsync(policy, findings, cancellationToken);
    }

    /// <summary>
    /// Every bucket of a deleted policy is released: reports it, and removes the finalizer, so that the policy goes.
    /// </summary>
    /// <exception cref="KubeApiException">The finalizer was not removed.</exception>
    public async Task<ReconcileResult> FinalizeAsync(
        StoredPolicy policy,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        var before = policy.Now;
        status.RecordDone(before, findings);
        await finalizer.RemoveAsync(policy, cancellationToken);
        memory.Released(policy.Uid);
        affected.EnqueueAfterRelease(before, findings);
        return ReconcileResult.OnChange;
    }

    /// <summary>
    /// The reconcile ended early. What it has written to buckets is reported now, and remembered until a status has it:
    /// nobody does it again.
    /// </summary>
    public void RecordInterrupted(ReconcileContext context)
    {
        if (context.Applied.IsEmpty)
            return;
        memory.Remember(context.Policy.Uid, context.Applied);
        status.RecordDone(context.Policy.Now, new Findings([.. context.Applied], Failure: null, Attempt: 0));
    }

    /// <summary>Nothing has changed since the last status: the policy reconciles at its own time.</summary>
    public ReconcileResult NextResync(StoredPolicy policy) =>
        new ReconcileResult.After(Schedule.UntilPhase(policy.Uid, policy.Resync, time.GetUtcNow()));

    /// <summary>The policy is gone.</summary>
    public void Forget(NamespacedName key) => memory.Forget(key);
}
