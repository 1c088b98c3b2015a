namespace BucketEncryptionOperator.Encryption;

/// <summary>
/// Writes of one goal that had no lasting effect. Without it the operator would write forever against a bucket that
/// ignores the write, or against somebody who undoes each write. A write is put on record before it is sent, so
/// that a crash does not forget it.
/// </summary>
/// <param name="Fingerprint">Of the goal that was written.</param>
/// <param name="Count">Writes without lasting effect, one after the other.</param>
/// <param name="NotBefore">Earliest time of the next write.</param>
internal sealed record WriteHistory(string Fingerprint, int Count, DateTimeOffset NotBefore)
{
    /// <summary>After this many equal writes without effect the next ones are delayed by minutes to hours.</summary>
    public const int FuseAt = 3;

    /// <summary>
    /// Time in which a read may still show what was there before a write. Vendors promise nothing; ossutil's own tests
    /// wait 3 s.
    /// </summary>
    public static readonly TimeSpan ReadLag = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstFuse = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestFuse = TimeSpan.FromHours(24);

    /// <summary>
    /// A bucket that nobody changed for this long, when it could be written again, is not contested any more.
    /// </summary>
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromHours(1);

    /// <summary>The count is read from a status, which anybody with the right may edit.</summary>
    private const int MostCounted = 1_000_000;

    /// <summary>A read has seen the last write: what undid it came later, from somebody else.</summary>
    public bool Kept { get; init; }

    /// <summary>
    /// The last write corrected a bucket that was as declared before: once a read sees it, it is <see cref="Kept"/>.
    /// </summary>
    public bool IsCorrection { get; init; }

    /// <summary>
    /// The last write was not sent, or the vendor refused it: the next write takes its place in the count and need not
    /// wait.
    /// </summary>
    public bool IsRefused { get; init; }

    /// <summary>When the last write was put on record.</summary>
    public DateTimeOffset RecordedAt { get; init; }

    public bool FuseBlown => Count >= FuseAt;

    /// <summary>
    /// What remains of the history when its last write turns out not to have been made; null for nothing.
    /// </summary>
    public WriteHistory? WithoutLast =>
        Count <= 1 ? null : this with { Count = Count - 1, IsRefused = false, Kept = IsCorrection };

    /// <summary>
    /// The part of a remembered history that counts now for the goal; null for nothing. Its time is believed only as
    /// far as this version would have set it: another node's clock may have been ahead.
    /// </summary>
    public static WriteHistory? Concerning(WriteHistory? remembered, Goal goal, DateTimeOffset now)
    {
        if (
            remembered is null
            || remembered.Fingerprint != goal.Fingerprint
            || (remembered.Kept && now - remembered.NotBefore >= QuietPeriod)
        )
            return null;
        var latest = now + Hold(remembered.Count);
        return remembered.NotBefore <= latest ? remembered : remembered with { NotBefore = latest };
    }

    /// <summary>The history with one more write, which no read has confirmed yet.</summary>
    /// <param name="before">As <see cref="Concerning"/> has it.</param>
    /// <param name="wasInSync">The bucket was as declared when it was last read.</param>
    public static WriteHistory After(WriteHistory? before, Goal goal, bool wasInSync, DateTimeOffset now)
    {
        var count = Math.Min(before?.Count ?? 0, MostCounted) + (before is { IsRefused: true } ? 0 : 1);
        return new WriteHistory(goal.Fingerprint, count, now + Hold(count))
        {
            IsCorrection = wasInSync || before is { Kept: true } or { IsCorrection: true },
            RecordedAt = now,
        };
    }

    /// <summary>The history after a read that shows the goal met; null when nothing is left to remember.</summary>
    public static WriteHistory? AfterMet(WriteHistory? history) =>
        history switch
        {
            { IsRefused: true } => history.WithoutLast,
            { IsCorrection: true } => history with { Kept = true },
            { Kept: true } => history,
            _ => null,
        };

    private static TimeSpan Hold(int count) =>
        count < FuseAt
            ? SettleTime * count
            : Durations.Min(FirstFuse * Math.Pow(2, Math.Min(count - FuseAt, 20)), LongestFuse);
}
