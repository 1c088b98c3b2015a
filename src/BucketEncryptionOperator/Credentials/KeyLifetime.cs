using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// How long a temporary key is good. Its end is told in the vendor's time; what counts here is how much of it was left
/// by the vendor's own clock when the key was asked for, so that a wrong clock of ours does no harm. The time since
/// then is what our two clocks say, the one that counts more: the monotonic one stands still while a machine sleeps,
/// the wall clock may be set back.
/// </summary>
/// <param name="lasts">From the moment it was asked for.</param>
/// <param name="askedAt">That moment, as a timestamp of <paramref name="time"/>.</param>
internal sealed class KeyLifetime(TimeSpan lasts, long askedAt, TimeProvider time)
{
    /// <summary>
    /// Vendors give keys for 15 minutes to 12 hours. A longer time would come from a clock that is wrong, and is not
    /// waited for.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromMinutes(10);

    private readonly TimeSpan _lasts = Durations.Min(lasts, Longest);
    private readonly DateTimeOffset _since = time.GetUtcNow() - time.GetElapsedTime(askedAt);

    public TimeSpan Left => _lasts - Durations.Max(time.GetElapsedTime(askedAt), time.GetUtcNow() - _since);

    /// <summary>
    /// Not to be sent any more: a request takes time to arrive, and clocks of one vendor differ. The last twentieth of
    /// its life, a minute at most.
    /// </summary>
    public bool IsOver => Left <= Durations.Min(_lasts / 20, LongestMargin);

    /// <summary>
    /// Time to ask for the next: the last fifth of its life, 10 minutes at most. (The metadata of an ECS instance have
    /// a new key no earlier than that.)
    /// </summary>
    public bool IsLate => Left <= Durations.Min(_lasts / 5, LongestAhead);
}
