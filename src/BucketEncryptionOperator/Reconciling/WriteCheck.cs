using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a pass was begun with: a write of it is wanted only while all of this holds.</summary>
/// <param name="Inputs">Store and key in the versions that they had.</param>
internal sealed record PassBasis(BucketEncryptionPolicy Policy, PolicyTerms Terms, string Inputs);

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

    public WriteCheck For(PassBasis basis, BucketTask task) => new(() => ProblemOf(basis, task));

    /// <summary>The change is in the queue already.</summary>
    private static Failure Changed { get; } =
        new(Reasons.SpecChanged, Planner.Step)
        {
            Message =
                "The policy, its store or its keys have changed since the bucket was looked at; nothing was written.",
        };

    private Failure? ProblemOf(PassBasis basis, BucketTask task)
    {
        if (!mayWrite())
            return NotLeading.Failure;
        var (meta, spec) = (basis.Policy.Metadata, basis.Policy.Spec);
        if (
            policies.Find(meta.Key) is not { } now
            || (now.Metadata.Uid, now.Metadata.Generation, now.Metadata.DeletionTimestamp)
                != (meta.Uid, meta.Generation, meta.DeletionTimestamp)
            || spec.Suspend == true
            || PolicyReader.IsAudit(spec)
            || inputsOf(now) != basis.Inputs
        )
            return Changed;
        if (task.IsRelease)
            return ownership.OwnerOf(task.Id) is null ? null : Ownership.ChangedHands;
        return
            meta.DeletionTimestamp is null
            && task.Goal is Goal.Declared goal
            && ownership.StandingOf(now, task.Id, goal) is not BucketStanding.Yields
            ? null
            : Ownership.ChangedHands;
    }
}

/// <summary>The last question before a write is sent.</summary>
internal sealed class WriteCheck(Func<Failure?> problem)
{
    /// <returns>Null where the write may be sent.</returns>
    public Failure? Problem() => problem();
}
