namespace KubeRuntime.WorkQueues;

/// <summary>
/// Exponential back-off with jitter: attempt n waits between half and all of <c>first * 2^(n-1)</c>, at most
/// <c>cap</c>. It never gives up, and half of the wait is random so that many keys that failed together do not come
/// back together.
/// </summary>
/// <param name="first">Wait after the first failure.</param>
/// <param name="cap">Longest wait.</param>
/// <param name="random">Source of the jitter; shared sources must be thread-safe.</param>
public sealed class Backoff(TimeSpan first, TimeSpan cap, Random random)
{
    private const int MaxDoublings = 30;

    /// <param name="attempt">Failures in a row, from 1.</param>
    public TimeSpan Delay(int attempt)
    {
        var full = Math.Min(first.Ticks * (double)(1L << Math.Clamp(attempt - 1, 0, MaxDoublings)), cap.Ticks);
        return TimeSpan.FromTicks((long)(full * (0.5 + 0.5 * random.NextDouble())));
    }
}
