namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The decision, and nothing else: no clock of its own, no network, no log. In order: as wanted → keep; weaker than
/// what is there and no consent → refuse; written before without effect → wait; else write.
/// </summary>
internal static class Planner
{
    public const string Step = "Plan";

    /// <param name="wasInSync">
    /// The bucket was as declared when it was last read: a write corrects what somebody else did.
    /// </param>
    public static Plan Decide(
        Goal goal,
        Observation observed,
        WriteHistory? remembered,
        bool wasInSync,
        DateTimeOffset now
    )
    {
        var history = WriteHistory.Concerning(remembered, goal, now);
        var isHarmful = goal is Goal.Declared && observed.HasHarmfulBucketKey;
        if (!isHarmful && goal.IsMetBy(observed, wasWritten: history is { IsRefused: false, Count: > 1 }))
            return new Plan.Keep(WriteHistory.AfterMet(history));
        var target = observed.WithoutHarm(goal.TargetFrom(observed.Encryption));
        if (target.Weakens(observed.Encryption) && !goal.AllowDowngrade)
            return new Plan.Refuse(Downgrade(goal, observed.Encryption, target));
        if (observed.NeedsNamedKey && goal is Goal.Declared && target is { UsesKms: true, KmsKey: null })
            return new Plan.Refuse(KeyRequired);
        return history is { IsRefused: false } && now < history.NotBefore
            ? new Plan.Wait(target, history)
            : new Plan.Write(target, WriteHistory.After(history, goal, wasInSync, now));
    }

    private static Failure Downgrade(Goal goal, BucketEncryption observed, BucketEncryption target) =>
        new(Reasons.DowngradeRefused, Step)
        {
            Message = $"The bucket has {observed}; {target} would be weaker.",
            Hint =
                "Set spec.allowDowngrade to true if the weaker encryption is wanted, or declare what the bucket has."
                + (NamesItsOwnKey(goal, observed) ? NamedByStore : ""),
        };

    /// <summary>What the bucket has may be the very key that is asked for, under the store's name for it.</summary>
    private static bool NamesItsOwnKey(Goal goal, BucketEncryption observed) =>
        observed.UsesKms && goal is Goal.Declared { Encryption.AskedKey: KeyRequirement.VendorDefault };

    private const string NamedByStore =
        " Some stores name their default key where a write names none: if this is that key, leave "
        + "spec.encryption.kmsKey out.";

    private static Failure KeyRequired { get; } =
        new(Reasons.KmsKeyRequired, Step)
        {
            Message =
                "This store has no KMS key of its own: with KMS and no key it would refuse every upload. Nothing was "
                + "written.",
            Hint = "Name a key of the store's key service in spec.encryption.kmsKey.id, or declare AES256.",
        };
}
