namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// Writes of one goal that had no lasting effect. Without it a bucket that drops what it is told, a reader that misreads it, or somebody
/// who puts it back each time, is written against for ever: a provider of another project sent millions of requests a day so.
/// </summary>
/// <param name="Fingerprint">Of the goal that was written.</param>
/// <param name="Count">Writes without lasting effect, one after the other.</param>
/// <param name="NotBefore">The next write, at the earliest.</param>
/// <param name="Kept">A read has seen the last write: what undid it came later, from somebody else.</param>
internal sealed record WriteHistory(string Fingerprint, int Count, DateTimeOffset NotBefore, bool Kept = false)
{
    /// <summary>So many equal writes without effect blow the fuse.</summary>
    public const int FuseAt = 3;

    /// <summary>Vendors do not promise that a read sees the last write; ossutil's own tests wait 3 s.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstFuse = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestFuse = TimeSpan.FromHours(24);

    /// <summary>Who leaves the bucket alone for so long, when it could be written again, does not contest it any more.</summary>
    private static readonly TimeSpan Peace = TimeSpan.FromHours(1);

    /// <summary>The count is read from a status, which anybody with the right may edit.</summary>
    private const int MostCounted = 1_000_000;

    public bool FuseBlown => Count >= FuseAt;

    /// <summary>What of a remembered history still counts now for the goal; null for nothing.</summary>
    public static WriteHistory? Concerning(WriteHistory? remembered, Goal goal, DateTimeOffset now) =>
        remembered is null || remembered.Fingerprint != goal.Fingerprint || (remembered.Kept && now - remembered.NotBefore >= Peace) ? null : remembered;

    /// <summary>The history with one more write, which no read has confirmed yet.</summary>
    /// <param name="before">As <see cref="Concerning"/> has it.</param>
    public static WriteHistory After(WriteHistory? before, Goal goal, DateTimeOffset now)
    {
        var count = Math.Min(before?.Count ?? 0, MostCounted) + 1;
        var hold = count < FuseAt ? SettleTime * count : Min(FirstFuse * Math.Pow(2, Math.Min(count - FuseAt, 20)), LongestFuse);
        return new WriteHistory(goal.Fingerprint, count, now + hold);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
