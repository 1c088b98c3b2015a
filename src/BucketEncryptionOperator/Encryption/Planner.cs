namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The decision, and nothing else: no clock of its own, no network, no log. In order: as wanted → keep; weaker than what is
/// there and no consent → refuse; written before without effect → wait; else write.
/// </summary>
internal static class Planner
{
    public const string Step = "Plan";
    public const string DowngradeRefused = "DowngradeRefused";

    public static Plan Decide(Goal goal, Observation observed, WriteHistory? remembered, DateTimeOffset now)
    {
        var history = WriteHistory.Concerning(remembered, goal, now);
        if (goal.IsMetBy(observed, history))
            return new Plan.Keep(history is { Kept: true } ? history : null);
        var target = goal.TargetFrom(observed.Encryption);
        if (target.Strength < observed.Encryption.Strength && !goal.AllowDowngrade)
            return new Plan.Refuse(Downgrade(observed.Encryption, target));
        return history is not null && now < history.NotBefore ? new Plan.Wait(target, history) : new Plan.Write(target, WriteHistory.After(history, goal, now));
    }

    private static Failure Downgrade(BucketEncryption observed, BucketEncryption target) => new(FailureKind.Refused, Step, DowngradeRefused)
    {
        Message = $"The bucket has {observed}; {target} would be weaker.",
        Hint = "Set spec.allowDowngrade to true if the weaker encryption is wanted, or declare what the bucket has.",
    };
}
