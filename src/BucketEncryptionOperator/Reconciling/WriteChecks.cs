using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Whether a write is still wanted, from what the operator knows at this moment. It awaits nothing, so that nothing can
/// happen between its answer and the send.
/// </summary>
/// <param name="inputsOf">Store and key of a policy, in the versions that they have now.</param>
internal sealed class WriteChecks(
    ObjectCache<BucketEncryptionPolicy> policies,
    BucketOwnership ownership,
    Func<BucketEncryptionPolicy, string?> inputsOf,
    WriteGuard mayWrite
)
{
    /// <summary>Whether this process may write at all: else nothing need be put on record.</summary>
    public bool MayWrite => mayWrite();

    /// <summary>The change is in the queue already.</summary>
    private static Failure Changed { get; } =
        new(Reasons.SpecChanged, Planner.Step)
        {
            Message =
                "The policy, its store or its keys have changed since the bucket was looked at; nothing was written.",
        };

    /// <summary>
    /// Returns why the write may not be sent; null where it may. The policy, its store and its key must be those that
    /// the reconcile began with, and the bucket must still be the policy's.
    /// </summary>
    public Failure? ProblemOf(WriteScope scope, BucketTask task)
    {
        if (!mayWrite())
            return NotLeading.Failure;
        var began = scope.Context.Policy;
        if (
            policies.Find(began.Key) is not { } now
            || !began.IsUnchangedIn(now)
            || began.Spec.Suspend == true
            || PolicyReader.IsAudit(began.Spec)
            || inputsOf(now) != scope.Session.Inputs
        )
            return Changed;
        var isOurs = task switch
        {
            BucketEnforcement enforcement => !began.IsBeingDeleted
                && ownership.StandingOf(now, task.Id, enforcement.Declared) is not BucketStanding.NotOwner,
            BucketRelease => ownership.OwnerOf(task.Id) is null,
            _ => throw new InvalidOperationException(task.GetType().Name),
        };
        return isOurs ? null : OwnershipFailures.ChangedHands;
    }
}
