using KubeRuntime.Client;
using KubeRuntime.WorkQueues;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Wakes a policy because of what another one has found. The first wake is at once; a policy that is woken again and
/// again waits longer each time, until nobody has woken it for a while: two policies that keep finding news for each
/// other do not spin.
/// </summary>
/// <param name="addAfter">Adds a policy to the work queue after a delay.</param>
internal sealed class Wakeups(Action<NamespacedName, TimeSpan> addAfter, Backoff backoff, TimeProvider time)
{
    /// <summary>Wakes that are this far apart are no loop.</summary>
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromMinutes(10);

    /// <summary>Wakes that go through at once: a few policies may have news at the same time.</summary>
    private const int Free = 3;

    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, (int Count, long At)> _woken = [];
    private long? _droppedAt;

    /// <summary>Policies that were woken a while ago at most.</summary>
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
