using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// How long a temporary key is valid. Its end is in the vendor's time. What counts is how much was left by the vendor's
/// own clock when the key was requested, so a wrong clock of this machine does no harm. The time since then is the
/// larger one of our two clocks: the monotonic clock stands still while a machine sleeps, and the wall clock may be set
/// back.
/// </summary>
/// <param name="lasts">Lifetime from the moment of the request.</param>
/// <param name="askedAt">That moment, as a timestamp of <paramref name="time"/>.</param>
internal sealed class KeyLifetime(TimeSpan lasts, long askedAt, TimeProvider time)
{
    /// <summary>
    /// Maximum lifetime. Vendors issue keys for 15 minutes to 12 hours; a longer time would come from a wrong clock.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestAhead = TimeSpan.FromMinutes(10);

    private readonly TimeSpan _lasts = Durations.Min(lasts, Longest);
    private readonly DateTimeOffset _since = time.GetUtcNow() - time.GetElapsedTime(askedAt);

    public TimeSpan Left => _lasts - Durations.Max(time.GetElapsedTime(askedAt), time.GetUtcNow() - _since);

    /// <summary>
    /// Whether the key must not be sent any more: a request takes time to arrive, and the clocks of one vendor differ.
    /// True for the last twentieth of its lifetime, at most a minute.
    /// </summary>
    public bool IsOver => Left <= Durations.Min(_lasts / 20, LongestMargin);

    /// <summary>
    /// Whether to request the next key: in the last fifth of the lifetime, at most 10 minutes. (The metadata of an ECS
    /// instance have a new key no earlier.)
    /// </summary>
    public bool IsLate => Left <= Durations.Min(_lasts / 5, LongestAhead);
}
