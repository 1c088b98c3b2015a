namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// The decision, and nothing else: no clock of its own, no network, no log. In order: as declared → keep; weaker than what is
/// there and no consent → refuse; written before without effect → wait; else write.
/// </summary>
internal static class Planner
{
    public const string DowngradeRefused = "DowngradeRefused";

    public static Plan Decide(DesiredEncryption desired, BucketEncryption observed, bool allowDowngrade, WriteHistory? history, DateTimeOffset now)
    {
        if (desired.IsMetBy(observed))
            return new Plan.Keep();
        var target = desired.TargetFrom(observed);
        if (target.Strength < observed.Strength && !allowDowngrade)
            return new Plan.Refuse(Downgrade(observed, target));
        if (history is not null && history.Fingerprint == desired.Fingerprint && now < history.NotBefore)
            return new Plan.Wait(history);
        return target is BucketEncryption.None ? new Plan.Remove() : new Plan.Apply(target);
    }

    private static Failure Downgrade(BucketEncryption observed, BucketEncryption target) => new(FailureKind.Refused, "Plan", DowngradeRefused)
    {
        Message = $"The bucket has {observed}; {target} would be weaker.",
        Hint = "Set spec.allowDowngrade to true if the weaker encryption is wanted, or declare what the bucket has.",
    };
}
