using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Why a policy does not write a bucket that another policy owns.</summary>
internal static class OwnershipFailures
{
    public const string Step = "Claim";
    public const string BucketConflict = "BucketConflict";

    /// <summary>The owner wants the same, and nothing that is known keeps it from writing it.</summary>
    public const string AnotherWrites = "HeldByAnother";

    public const string OwnerSuspended = "OwnerSuspended";
    public const string OwnerRefused = "OwnerRefused";
    public const string OwnerDenied = "OwnerDenied";
    public const string OwnerNotConverging = "OwnerNotConverging";
    public const string OwnerFailed = "OwnerFailed";

    /// <summary>Reasons that say that the owner does not write.</summary>
    public static bool IsAboutOwner(string code) =>
        code is OwnerSuspended or OwnerRefused or OwnerDenied or OwnerNotConverging or OwnerFailed;

    /// <summary>Between the read and the write; the next reconcile finds the new owner.</summary>
    public static Failure ChangedHands { get; } =
        new(FailureKind.Conflict, Step, AnotherWrites) { Message = "Another policy has just taken over this bucket." };

    private static Failure WillBeWritten { get; } =
        new(FailureKind.Conflict, Step, AnotherWrites)
        {
            Message = "Another policy owns this bucket, and declares the same; it is about to write it.",
        };

    /// <summary>Why a bucket is not as two policies declare it that agree, and this one does not write it.</summary>
    /// <param name="writer">Who writes the bucket, if anybody does: the owner, or who stands in for it.</param>
    public static Failure NotWritten(BucketEncryptionPolicy owner, BucketEncryptionPolicy? writer, string bucket)
    {
        if (owner.Spec.Suspend == true)
            return Stuck(
                OwnerSuspended,
                "The policy that owns this bucket is suspended. Nobody else writes the bucket meanwhile.",
                "Resume that policy (spec.suspend), take the bucket out of it, or delete it."
            );
        if (BucketOwnership.IsWriteDenied(owner, bucket))
        {
            return writer is not null && writer.Metadata.Uid != owner.Metadata.Uid
                ? WillBeWritten
                : Stuck(
                    OwnerDenied,
                    "The vendor denies the writes of the policy that owns this bucket, and no policy that declares "
                        + "the same can write in its place.",
                    "Grant that policy's key the right to write, or take the bucket out of it."
                );
        }
        var row =
            owner.Status?.ObservedGeneration == owner.Metadata.Generation
                ? owner.Status.Buckets.FirstOrDefault(b => b.Name == bucket)
                : null;
        return row switch
        {
            { State: BucketStatus.Drifted, Error.Code: Planner.DowngradeRefused or Planner.KmsKeyRequired } => Stuck(
                OwnerRefused,
                "The policy that owns this bucket declares the same, and may not weaken what the bucket has.",
                "Set spec.allowDowngrade in that policy if the weaker encryption is wanted."
            ),
            {
                Error.Code: BucketStatuses.NotConverging
                    or BucketStatuses.DisableNotEffective
                    or BucketStatuses.Contested
            } => Stuck(
                OwnerNotConverging,
                "The policy that owns this bucket has written it several times without lasting effect.",
                "See that policy's status; its next write comes later each time."
            ),
            { State: BucketStatus.Failed } => Stuck(
                OwnerFailed,
                "The policy that owns this bucket declares the same, and its last look or write has failed.",
                "See that policy's status, take the bucket out of it, or delete it."
            ),
            _ => WillBeWritten,
        };
    }

    /// <summary>Names the other policy only to those who may see it.</summary>
    public static Failure Conflict(BucketEncryptionPolicy policy, BucketStanding.NotOwner yields)
    {
        var owner =
            yields.To.Metadata.Namespace == policy.Metadata.Namespace
                ? $"The older policy {yields.To.Metadata.Name}"
                : "An older policy of another namespace";
        var denied = yields.IsDenied ? "; the vendor denies its keys at present, which moves the bucket to nobody" : "";
        return Stuck(
            BucketConflict,
            $"{owner} owns this bucket, and declares something else{denied}.",
            "Take the bucket out of one of the two policies, or declare the same in both."
        );
    }

    private static Failure Stuck(string code, string message, string hint) =>
        new(FailureKind.Refused, Step, code) { Message = message, Hint = hint };
}
