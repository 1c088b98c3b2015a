using KubeRuntime.Client;
using KubeRuntime.WorkQueues;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Enqueues a policy because of what another one has found. The first time is at once. A policy that is enqueued again
/// and again waits longer each time, until nobody has enqueued it for a while: two policies that keep enqueueing each
/// other do not spin.
/// </summary>
/// <param name="addAfter">Adds a policy to the work queue after a delay.</param>
internal sealed class Wakeups(Action<NamespacedName, TimeSpan> addAfter, Backoff backoff, TimeProvider time)
{
    /// <summary>Calls that are this far apart are no loop.</summary>
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromMinutes(10);

    /// <summary>Number of calls without a delay: a few policies may change at the same time.</summary>
    private const int Free = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, (int Count, long At)> _woken = [];
    private long? _droppedAt;

    /// <summary>Number of policies that were enqueued within the quiet period.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _woken.Count;
        }
    }

    public void Wake(NamespacedName policy)
    {
        TimeSpan delay;
        lock (_gate)
        {
            DropQuiet();
            var count =
                _woken.TryGetValue(policy, out var last) && time.GetElapsedTime(last.At) < QuietPeriod
                    ? last.Count + 1
                    : 1;
            _woken[policy] = (count, time.GetTimestamp());
            // In the lock: a seeded Random is not thread-safe
            delay = count <= Free ? TimeSpan.Zero : backoff.Delay(count - Free);
        }
        addAfter(policy, delay);
    }

    /// <summary>At most once in a quiet period.</summary>
    private void DropQuiet()
    {
        if (_droppedAt is { } at && time.GetElapsedTime(at) < QuietPeriod)
            return;
        _droppedAt = time.GetTimestamp();
        foreach (var (policy, _) in _woken.Where(w => time.GetElapsedTime(w.Value.At) >= QuietPeriod).ToList())
            _woken.Remove(policy);
    }
}
