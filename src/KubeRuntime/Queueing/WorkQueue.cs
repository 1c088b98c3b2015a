namespace KubeRuntime.Queueing;

/// <summary>
/// Keys that need work, each handed to one worker at a time. The rules are client-go's:
/// a key that is added while it waits is still one entry; a key that is added while a worker has it (<i>processing</i>)
/// becomes <i>dirty</i> and is queued again when that worker is done. So no change is lost, and no two workers meet on a key.
/// A key's delayed add is dropped when a worker takes the key: the outcome of that work says when to come back.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : struct
{
    private readonly Lock _gate = new();
    private readonly Queue<TKey> _waiting = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _processing = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly DelayedAdds<TKey> _delayed;
    private readonly Backoff _backoff;
    private bool _shutDown;

    public WorkQueue(Backoff backoff, TimeProvider time)
    {
        _backoff = backoff;
        _delayed = new DelayedAdds<TKey>(time, Add);
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

    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (_shutDown || !_dirty.Add(key) || _processing.Contains(key))
                return;
            _waiting.Enqueue(key);
            _available.Release();
        }
    }

    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
            Add(key);
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
            var key = _waiting.Dequeue();
            _dirty.Remove(key);
            _processing.Add(key);
            _delayed.Cancel(key);
            return key;
        }
    }

    /// <summary>The worker is done with the key; what was added meanwhile is queued now.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            _processing.Remove(key);
            if (_shutDown || !_dirty.Contains(key))
                return;
            _waiting.Enqueue(key);
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
}
