namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The decision, and nothing else: no clock of its own, no network, no log. In order: as wanted → keep; weaker than what is
/// there and no consent → refuse; written before without effect → wait; else write.
/// </summary>
internal static class Planner
{
    public const string Step = "Plan";
    public const string DowngradeRefused = "DowngradeRefused";

    /// <param name="wasInSync">The bucket was as declared when it was last read: a write corrects what somebody else did.</param>
    public static Plan Decide(Goal goal, Observation observed, WriteHistory? remembered, bool wasInSync, DateTimeOffset now)
    {
        var history = WriteHistory.Concerning(remembered, goal, now);
        if (goal.IsMetBy(observed, wasWritten: history is { IsRefused: false, Count: > 1 }))
            return new Plan.Keep(WriteHistory.AfterMet(history));
        var target = goal.TargetFrom(observed.Encryption);
        if (target.Strength < observed.Encryption.Strength && !goal.AllowDowngrade)
            return new Plan.Refuse(Downgrade(observed.Encryption, target));
        return history is { IsRefused: false } && now < history.NotBefore
            ? new Plan.Wait(target, history)
            : new Plan.Write(target, WriteHistory.After(history, goal, wasInSync, now));
    }

    private static Failure Downgrade(BucketEncryption observed, BucketEncryption target) => new(FailureKind.Refused, Step, DowngradeRefused)
    {
        Message = $"The bucket has {observed}; {target} would be weaker.",
        Hint = "Set spec.allowDowngrade to true if the weaker encryption is wanted, or declare what the bucket has.",
    };
}
