using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Why a policy does not write a bucket that another policy owns.</summary>
internal static class OwnershipFailures
{
    public const string Step = "Claim";

    /// <summary>Between the read and the write; the next reconcile finds the new owner.</summary>
    public static Failure ChangedHands { get; } =
        new(Reasons.HeldByAnother, Step) { Message = "Another policy has just taken over this bucket." };

    private static Failure WillBeWritten { get; } =
        new(Reasons.HeldByAnother, Step)
        {
            Message = "Another policy owns this bucket, and declares the same; it is about to write it.",
        };

    /// <summary>Why a bucket is not as two policies declare it that agree, and this one does not write it.</summary>
    /// <param name="writer">Who writes the bucket, if anybody does: the owner, or who stands in for it.</param>
    public static Failure NotWritten(BucketEncryptionPolicy owner, BucketEncryptionPolicy? writer, string bucket)
    {
        if (owner.Spec.Suspend == true)
            return Stuck(
                Reasons.OwnerSuspended,
                "The policy that owns this bucket is suspended. Nobody else writes the bucket meanwhile.",
                "Resume that policy (spec.suspend), take the bucket out of it, or delete it."
            );
        if (BucketOwnership.IsWriteDenied(owner, bucket))
        {
            return writer is not null && writer.Metadata.Uid != owner.Metadata.Uid
                ? WillBeWritten
                : Stuck(
                    Reasons.OwnerDenied,
                    "The vendor denies the writes of the policy that owns this bucket, and no policy that declares "
                        + "the same can write in its place.",
                    "Grant that policy's key the right to write, or take the bucket out of it."
                );
        }
        var row = owner.Status?.ObservedGeneration == owner.Metadata.Generation ? owner.Status.RowOf(bucket) : null;
        if (row is { State: BucketStatus.Drifted, Planned: not null, Error: not null })
            return Stuck(
                Reasons.OwnerRefused,
                "The policy that owns this bucket declares the same, and does not write it at present.",
                "See that policy's status: it may wait for a confirmation of its writes."
            );
        if (row is { State: BucketStatus.Drifted, Error: { } refused } && refused.Has(ReasonTraits.PlanRefusal))
            return Stuck(
                Reasons.OwnerRefused,
                "The policy that owns this bucket declares the same, and may not weaken what the bucket has.",
                "Set spec.allowDowngrade in that policy if the weaker encryption is wanted."
            );
        if (row?.Error?.Has(ReasonTraits.BackOff) == true)
            return Stuck(
                Reasons.OwnerNotConverging,
                "The policy that owns this bucket has written it several times without lasting effect.",
                "See that policy's status; its next write comes later each time."
            );
        return row is { State: BucketStatus.Failed }
            ? Stuck(
                Reasons.OwnerFailed,
                "The policy that owns this bucket declares the same, and its last read or write has failed.",
                "See that policy's status, take the bucket out of it, or delete it."
            )
            : WillBeWritten;
    }

    /// <summary>Why a bucket that a selector selects is not as declared, and is left to its owner.</summary>
    public static Failure OwnedByOther(BucketEncryptionPolicy policy, BucketStanding.NotOwner yields) =>
        Stuck(
            Reasons.OwnedByOthers,
            $"{NameOf(policy, yields, "policy")} owns this bucket. It is not as this policy declares, and is "
                + "not written here.",
            "See to it in the policy that owns the bucket, or exclude the bucket here (excludeNames)."
        );

    /// <summary>Why a policy that names a bucket does not get it.</summary>
    public static Failure Conflict(BucketEncryptionPolicy policy, BucketStanding.NotOwner yields)
    {
        var owner = NameOf(policy, yields, "older policy");
        var denied = yields.IsDenied ? "; the vendor denies its keys at present, which moves the bucket to nobody" : "";
        return Stuck(
            Reasons.BucketConflict,
            $"{owner} owns this bucket, and declares something else{denied}.",
            "Take the bucket out of one of the two policies, or declare the same in both."
        );
    }

    /// <summary>Names the other policy only to those who may see it.</summary>
    private static string NameOf(BucketEncryptionPolicy policy, BucketStanding.NotOwner yields, string word) =>
        yields.To.Metadata.Namespace == policy.Metadata.Namespace
            ? $"The {word} {yields.To.Metadata.Name}"
            : $"{(word.StartsWith('o') ? "An" : "A")} {word} of another namespace";

    private static Failure Stuck(FailureReason reason, string message, string hint) =>
        new(reason, Step) { Message = message, Hint = hint };
}
