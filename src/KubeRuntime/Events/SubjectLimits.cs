namespace KubeRuntime.Events;

/// <summary>
/// A token bucket per subject, with client-go's numbers: 25 events at once, then one per five minutes. A full bucket
/// needs no memory, so memory is bounded by the subjects that had events in the last two hours, and by
/// <paramref name="maxRemembered"/>. Not thread-safe.
/// </summary>
/// <param name="maxRemembered">Subjects.</param>
internal sealed class SubjectLimits(TimeProvider time, int maxRemembered)
{
    public const int Burst = 25;
    public static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);

    /// <summary>By subject: when its bucket is full again.</summary>
    private readonly Dictionary<EventSubject, TimeSpan> _fullAt = [];
    private readonly long _start = time.GetTimestamp();

    public int Remembered => _fullAt.Count;

    public bool TryTake(EventSubject subject)
    {
        var now = time.GetElapsedTime(_start);
        var fullAt = _fullAt.TryGetValue(subject, out var known) && known > now ? known : now;
        if (fullAt + Refill > now + Burst * Refill)
            return false;
        if (_fullAt.Count >= maxRemembered && !_fullAt.ContainsKey(subject))
            Forget(now);
        _fullAt[subject] = fullAt + Refill;
        return true;
    }

    /// <summary>Drops the full buckets, and those that are nearest to it until half are gone.</summary>
    private void Forget(TimeSpan now)
    {
        foreach (
            var (subject, fullAt) in _fullAt
                .OrderBy(b => b.Value)
                .Take(maxRemembered / 2)
                .Concat(_fullAt.Where(b => b.Value <= now))
                .ToList()
        )
            _fullAt.Remove(subject);
    }
}
