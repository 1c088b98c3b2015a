namespace BucketEncryptionOperator.Encryption;

/// <summary>What is to be done with one bucket.</summary>
internal abstract record Plan
{
    private Plan()
    {
    }

    /// <summary>As declared: nothing.</summary>
    public sealed record Keep : Plan;

    /// <summary>Write <paramref name="Target"/>.</summary>
    public sealed record Apply(BucketEncryption Target) : Plan;

    /// <summary>Remove the default encryption.</summary>
    public sealed record Remove : Plan;

    /// <summary>It differs, and is left so, for a reason that a person must settle.</summary>
    public sealed record Refuse(Failure Failure) : Plan;

    /// <summary>It differs, and the same write was sent before: look again, and write no earlier than the history says.</summary>
    public sealed record Wait(WriteHistory History) : Plan;
}

/// <summary>
/// Writes of one desired state that a bucket did not keep. Without it a bucket that drops what it is told, or a reader that
/// misreads it, is written to for ever: a provider of another project sent millions of requests a day so.
/// </summary>
/// <param name="Fingerprint">Of the desired encryption that was written.</param>
/// <param name="Count">Writes without effect, one after the other.</param>
/// <param name="NotBefore">The next write, at the earliest.</param>
internal sealed record WriteHistory(string Fingerprint, int Count, DateTimeOffset NotBefore)
{
    /// <summary>So many equal writes without effect blow the fuse.</summary>
    public const int FuseAt = 3;

    /// <summary>Vendors do not promise that a read sees the last write; ossutil's own tests wait 3 s.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstFuse = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestFuse = TimeSpan.FromHours(24);

    /// <summary>The count is read from a status, which anybody with the right may edit.</summary>
    private const int MostCounted = 1_000_000;

    public bool FuseBlown => Count >= FuseAt;

    /// <summary>The history after one more write of <paramref name="desired"/> that a read did not confirm.</summary>
    public static WriteHistory After(WriteHistory? before, DesiredEncryption desired, DateTimeOffset now)
    {
        var count = before is not null && before.Fingerprint == desired.Fingerprint ? Math.Min(before.Count, MostCounted) + 1 : 1;
        var hold = count < FuseAt ? SettleTime * count : Min(FirstFuse * Math.Pow(2, Math.Min(count - FuseAt, 20)), LongestFuse);
        return new WriteHistory(desired.Fingerprint, count, now + hold);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
