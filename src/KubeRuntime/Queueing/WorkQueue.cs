using KubeRuntime.Metrics;

namespace KubeRuntime.Queueing;

/// <summary>
/// Keys that need work, each handed to one worker at a time. The rules are client-go's:
/// a key that is added while it waits is still one entry; a key that is added while a worker has it (<i>processing</i>)
/// becomes <i>dirty</i> and is queued again when that worker is done. So no change is lost, and no two workers meet on a key.
/// A key's delayed add is dropped when a worker takes the key: the outcome of that work says when to come back.
/// Two priorities (<see cref="TwoLanes{TKey}"/>): <see cref="Add"/> is urgent, and raises a key that waits without urgency; a delayed key that falls due is
/// not, unless it is a retry. Retries are urgent because somebody waits for their outcome (often it is a write that met a conflict), while a resync
/// looks at what was right the last time; that many failing keys do not crowd out the changes is the work of their back-off.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : struct
{
    private readonly Lock _gate = new();
    private readonly TwoLanes<TKey> _waiting = new();

    /// <summary>Keys that were added and not taken since.</summary>
    private readonly Dictionary<TKey, Wait> _dirty = [];

    /// <summary>Keys that a worker has, and since when.</summary>
    private readonly Dictionary<TKey, long> _processing = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly DelayedAdds<TKey> _delayed;
    private readonly Backoff _backoff;
    private readonly TimeProvider _time;
    private readonly WorkQueueMetrics? _metrics;
    private bool _shutDown;

    public WorkQueue(Backoff backoff, TimeProvider time, WorkQueueMetrics? metrics = null)
    {
        _backoff = backoff;
        _time = time;
        _metrics = metrics;
        _delayed = new DelayedAdds<TKey>(time, AddDue);
        metrics?.Watch(() => Depth, Running);
    }

    /// <summary>Keys that wait for a worker now.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Keys that will be added later.</summary>
    public int Delayed => _delayed.Count;

    /// <summary>The key is new or has changed.</summary>
    public void Add(TKey key)
    {
        lock (_gate)
            Put(key, urgent: true);
    }

    /// <summary>Adds the key without urgency when the delay is over; an earlier one that was asked for stays.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
            AddDue(key);
        else
            _delayed.Schedule(key, delay);
    }

    /// <summary>Adds the key after its back-off, and never before <paramref name="atLeast"/>; the back-off grows until <see cref="Forget"/>.</summary>
    public void AddRateLimited(TKey key, TimeSpan atLeast)
    {
        TimeSpan delay;
        lock (_gate)
        {
            var attempt = _failures[key] = _failures.GetValueOrDefault(key) + 1;
            delay = _backoff.Delay(attempt); // in the lock: a seeded Random is not thread-safe
        }
        _metrics?.Retried();
        AddAfter(key, delay > atLeast ? delay : atLeast);
    }

    /// <summary>Failures of the key in a row, as counted by <see cref="AddRateLimited"/>.</summary>
    public int Failures(TKey key)
    {
        lock (_gate)
            return _failures.GetValueOrDefault(key);
    }

    public void Forget(TKey key)
    {
        lock (_gate)
            _failures.Remove(key);
    }

    /// <summary>Waits for a key. Null once the queue is shut down; what still waits then stays undone.</summary>
    public async ValueTask<TKey?> TakeAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        lock (_gate)
        {
            if (_shutDown)
            {
                _available.Release(); // for the next worker
                return null;
            }
            var key = _waiting.Take();
            _dirty.Remove(key, out var wait);
            _processing.Add(key, _time.GetTimestamp());
            _delayed.Cancel(key);
            _metrics?.Taken(_time.GetElapsedTime(wait.Since));
            return key;
        }
    }

    /// <summary>The worker is done with the key; what was added meanwhile is queued now.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (_processing.Remove(key, out var since))
                _metrics?.Done(_time.GetElapsedTime(since));
            if (_shutDown || !_dirty.TryGetValue(key, out var wait))
                return;
            _waiting.Add(key, wait.IsUrgent);
            _available.Release();
        }
    }

    /// <summary>Ends intake and lets every waiting worker go.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            if (_shutDown)
                return;
            _shutDown = true;
            _waiting.Clear();
            _available.Release();
        }
    }

    /// <summary>Shuts down too: a delayed add that fires at this moment finds a closed queue, not a disposed one.</summary>
    public void Dispose()
    {
        ShutDown();
        _delayed.Dispose();
        _available.Dispose();
    }

    /// <summary>A key with failures that are not forgotten is a retry.</summary>
    private void AddDue(TKey key)
    {
        lock (_gate)
            Put(key, urgent: _failures.ContainsKey(key));
    }

    private void Put(TKey key, bool urgent)
    {
        if (_shutDown)
            return;
        if (_dirty.TryGetValue(key, out var wait))
        {
            if (!urgent || wait.IsUrgent)
                return;
            _dirty[key] = wait with { IsUrgent = true };
            _waiting.Raise(key);
            return;
        }
        _dirty.Add(key, new Wait(urgent, _time.GetTimestamp()));
        _metrics?.Added();
        if (_processing.ContainsKey(key))
            return;
        _waiting.Add(key, urgent);
        _available.Release();
    }

    /// <summary>How long the workers have had the keys that they have now.</summary>
    private (TimeSpan Sum, TimeSpan Longest) Running()
    {
        lock (_gate)
        {
            var (sum, longest) = (TimeSpan.Zero, TimeSpan.Zero);
            foreach (var since in _processing.Values)
            {
                var soFar = _time.GetElapsedTime(since);
                sum += soFar;
                longest = soFar > longest ? soFar : longest;
            }
            return (sum, longest);
        }
    }

    private readonly record struct Wait(bool IsUrgent, long Since);
}
