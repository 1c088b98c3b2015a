using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Reconciles one policy: resolve, observe, plan, record, apply, report; each once, in this order. It has no rule of
/// its own.
/// <list type="number">
/// <item>Resolve: spec, store and Secret become a <see cref="ReconcileContext"/> (<see cref="PolicyResolver"/>).</item>
/// <item>
/// Observe, plan, record, apply: the steps of each bucket (<see cref="BucketReconciler"/>, <see cref="BucketPass"/>).
/// </item>
/// <item>Report: status, events, log, metrics and the next reconcile, all from the same findings
/// (<see cref="PolicyReporter"/>).</item>
/// </list>
/// </summary>
internal sealed class PolicyReconciler(
    PolicyResolver resolver,
    BucketReconciler buckets,
    BucketDiscovery discovery,
    KeyChecks keys,
    PolicyFinalizer finalizer,
    PolicyReporter reporter,
    ILogger<PolicyReconciler> logger
) : IReconciler
{
    public async Task<ReconcileResult> ReconcileAsync(
        NamespacedName key,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (resolver.Find(key) is not { } policy)
        {
            reporter.Forget(key);
            discovery.Leave(key);
            keys.Leave(key);
            return ReconcileResult.OnChange;
        }
        using var scope = Log.Scope(logger, key, policy.Spec.StoreRef.Name, resolver.VendorOf(policy));
        try
        {
            return await ReconcileAsync(policy, attempt, cancellationToken);
        }
        catch (KubeApiException e) when (e.MissingObject == key.Name)
        {
            return ReconcileResult.OnChange; // deleted meanwhile, and the API server itself says so
        }
        catch (KubeApiException e)
        {
            var level = Requeues.LevelOfFailedWrite(e);
            Log.StatusNotWritten(logger, level, e.Failure, e.Message);
            return Requeues.AfterFailedWrite(e);
        }
    }

    private async Task<ReconcileResult> ReconcileAsync(
        StoredPolicy policy,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        // Retain, Audit, or deleted while suspended: nothing will be written, so nothing need keep the policy
        if (policy.HasFinalizer && policy.LeavesBucketsAlone)
            await finalizer.RemoveAsync(policy, cancellationToken);
        if (policy.IsBeingDeleted && !policy.HasFinalizer)
            return ReconcileResult.OnChange; // there is nothing to release
        if (policy.IsBeingDeleted && (policy.WasStatusLost || policy.WasStatusLostEarlier))
            return await reporter.FinalizeAsync(policy, ReleasePlanner.AfterLostStatus(policy), cancellationToken);
        if (policy.Spec.BucketSelector is null || policy.IsBeingDeleted || policy.Spec.Suspend == true)
            discovery.Leave(policy.Key);
        if (policy.Spec.Suspend == true)
        {
            keys.Leave(policy.Key);
            return await reporter.ReportSuspendedAsync(policy, attempt, cancellationToken);
        }

        var (context, problem) = await resolver.ResolveAsync(policy, cancellationToken);
        if (context is null)
        {
            discovery.Leave(policy.Key);
            keys.Leave(policy.Key);
        }
        // After a restart a settled policy is read at its own time, and not at once
        if (context is { IsFirst: true, IsSettled: true })
            return reporter.NextResync(policy);
        var findings = context is null
            ? new Findings([], problem, attempt)
            : await ReconcileBucketsAsync(context, attempt, cancellationToken);
        return policy.IsBeingDeleted && findings.IsReleased
            ? await reporter.FinalizeAsync(policy, findings, cancellationToken)
            : await reporter.ReportAsync(policy, findings, cancellationToken);
    }

    private async Task<Findings> ReconcileBucketsAsync(
        ReconcileContext context,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        var isComplete = false;
        try
        {
            var findings = await buckets.ReconcileAsync(context, attempt, cancellationToken);
            isComplete = true;
            return findings;
        }
        // One of the catch-alls (CONTRIBUTING, "Errors"): the status must say that it is our fault.
#pragma warning disable CA1031
        catch (Exception e) when (e is not (OperationCanceledException or KubeApiException))
#pragma warning restore CA1031
        {
            Log.Bug(logger, e);
            return new Findings(
                [],
                new Failure(Reasons.OperatorBug, "Reconcile")
                {
                    Message = "The operator has a bug; its log has the details.",
                },
                attempt
            );
        }
        finally
        {
            if (!isComplete)
                reporter.RecordInterrupted(context);
        }
    }
}
