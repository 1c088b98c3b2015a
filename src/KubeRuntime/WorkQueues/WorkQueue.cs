using KubeRuntime.Instrumentation;

namespace KubeRuntime.WorkQueues;

/// <summary>
/// Holds keys that need work, and hands each to one worker at a time. The rules are client-go's: a key that is added
/// while it waits is still one entry; a key that is added while a worker has it (<i>processing</i>) becomes
/// <i>dirty</i> and is queued again when that worker is done. So no change is lost, and no two workers have the same
/// key. A key's delayed add is dropped when a worker takes the key: the result of that work says when to reconcile
/// again. There are two priorities (<see cref="PriorityLanes{TKey}"/>): <see cref="Add"/> is urgent, and raises a key
/// that waits without urgency. A delayed key that falls due is not urgent, unless it is a retry: a retry has a result
/// that somebody waits for (often a write after a conflict), while a resync checks what was right the last time. The
/// back-off keeps many failing keys from delaying the changes. With <see cref="WorkShares{TKey}"/> the queue also
/// limits the keys in work at a time, in all and per tenant and target.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : struct
{
    private readonly Lock _gate = new();
    private readonly Holdings _held = new();
    private readonly PriorityLanes<TKey> _waiting;

    /// <summary>Workers that wait for a key; the longest wait is first.</summary>
    private readonly LinkedList<TaskCompletionSource<TKey?>> _takers = new();

    /// <summary>Keys that were added and not taken since.</summary>
    private readonly Dictionary<TKey, Wait> _dirty = [];

    /// <summary>Keys that a worker has.</summary>
    private readonly Dictionary<TKey, Work> _processing = [];

    /// <summary>Those of them that may still become slow, oldest first.</summary>
    private readonly LinkedList<Work> _aging = new();
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly DelayingQueue<TKey> _delayed;
    private readonly Backoff _backoff;
    private readonly TimeProvider _time;
    private readonly WorkQueueMetrics? _metrics;
    private readonly WorkShares<TKey>? _shares;

    /// <summary>Fires when a key becomes slow while another waits.</summary>
    private readonly ITimer? _slowTimer;
    private Work? _slowTimerFor;
    private int _slow;
    private bool _shutDown;

    /// <param name="shares">Null: no limits, and all keys are alike.</param>
    public WorkQueue(
        Backoff backoff,
        TimeProvider time,
        WorkQueueMetrics? metrics = null,
        WorkShares<TKey>? shares = null
    )
    {
        _backoff = backoff;
        _time = time;
        _metrics = metrics;
        _shares = shares;
        _waiting = new PriorityLanes<TKey>(_held);
        if (shares is not null)
            _slowTimer = time.CreateTimer(
                static s => ((WorkQueue<TKey>?)s)?.Dispatch(),
                this,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan
            );
        _delayed = new DelayingQueue<TKey>(time, AddDue);
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

    /// <summary>
    /// Maximum number of keys that workers may have at a time, slow ones included; null if the queue has no limit.
    /// </summary>
    public int? MostAtATime => _shares is null ? null : _shares.Workers + _shares.MostSlow;

    /// <summary>Adds a key that is new or has changed.</summary>
    public void Add(TKey key)
    {
        var group = GroupOf(key);
        lock (_gate)
            Put(key, group, urgent: true);
    }

    /// <summary>
    /// Adds the key behind all that wait now, and counts no failure: its work is not done, and others have waited for
    /// the worker. The worker that has the key calls it, before <see cref="Done"/>.
    /// </summary>
    public void AddBehind(TKey key)
    {
        var group = GroupOf(key);
        lock (_gate)
            Put(key, group, urgent: false);
    }

    /// <summary>
    /// Returns whether a worker should end its work on the key early, if it can continue later
    /// (<see cref="AddBehind"/>): it has had the key for <see cref="WorkShares{TKey}.SlowAfter"/>, and another key
    /// waits for a worker.
    /// </summary>
    public bool ShouldYield(TKey key)
    {
        lock (_gate)
        {
            return _shares is not null
                && !_shutDown
                && _waiting.Count > 0
                && _processing.TryGetValue(key, out var work)
                && _time.GetElapsedTime(work.Since) >= _shares.SlowAfter;
        }
    }

    /// <summary>Adds the key without urgency when the delay has passed. An earlier due time stays.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
            AddDue(key);
        else
            _delayed.Schedule(key, delay);
    }

    /// <summary>
    /// Adds the key after its back-off, and never before <paramref name="atLeast"/>; the back-off grows until
    /// <see cref="Forget"/>.
    /// </summary>
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

    /// <summary>Number of failures of the key in a row, as counted by <see cref="AddRateLimited"/>.</summary>
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

    /// <summary>Waits for a key. Returns null once the queue is shut down; keys that still wait stay undone.</summary>
    public async ValueTask<TKey?> TakeAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<TaskCompletionSource<TKey?>> place;
        lock (_gate)
        {
            if (_shutDown)
                return null;
            if (_takers.Count == 0 && TryTake(out var key))
                return key;
            place = _takers.AddLast(
                new TaskCompletionSource<TKey?>(TaskCreationOptions.RunContinuationsAsynchronously)
            );
            SetSlowTimer();
        }
        await using var cancelled = cancellationToken.UnsafeRegister(_ => Leave(place, cancellationToken), state: null);
        return await place.Value.Task;
    }

    /// <summary>Called when the worker is done with the key. What was added meanwhile is queued now.</summary>
    public void Done(TKey key)
    {
        lock (_gate)
        {
            if (_processing.Remove(key, out var work))
            {
                Release(work);
                _metrics?.Done(_time.GetElapsedTime(work.Since));
            }
            if (_shutDown)
                return;
            if (_dirty.TryGetValue(key, out var wait))
                _waiting.Add(key, wait.Group, wait.IsUrgent);
            Hand();
        }
    }

    /// <summary>Ends intake and releases every waiting worker.</summary>
    public void ShutDown()
    {
        lock (_gate)
        {
            if (_shutDown)
                return;
            _shutDown = true;
            _waiting.Clear();
            foreach (var taker in _takers)
                taker.TrySetResult(null);
            _takers.Clear();
        }
    }

    /// <summary>
    /// Shuts down too: a delayed add that fires at this moment finds a closed queue, not a disposed one.
    /// </summary>
    public void Dispose()
    {
        ShutDown();
        _delayed.Dispose();
        _slowTimer?.Dispose();
    }

    /// <summary>Adds a delayed key that is due. A key with failures is a retry.</summary>
    private void AddDue(TKey key)
    {
        var group = GroupOf(key);
        lock (_gate)
            Put(key, group, urgent: _failures.ContainsKey(key));
    }

    private WorkGroup GroupOf(TKey key) => _shares?.GroupOf(key) ?? default;

    private void Put(TKey key, WorkGroup group, bool urgent)
    {
        if (_shutDown)
            return;
        if (_dirty.TryGetValue(key, out var wait))
        {
            if (!urgent || wait.IsUrgent)
                return;
            _dirty[key] = wait with { IsUrgent = true, Group = group };
            _waiting.Raise(key, group);
            Hand();
            return;
        }
        _dirty.Add(key, new Wait(urgent, group, _time.GetTimestamp()));
        _metrics?.Added();
        if (_processing.ContainsKey(key))
            return;
        _waiting.Add(key, group, urgent);
        Hand();
    }

    /// <summary>Hands keys to the workers that wait, as far as the limits allow.</summary>
    private void Hand()
    {
        while (_takers.First is { } taker && TryTake(out var key))
        {
            _takers.RemoveFirst();
            taker.Value.SetResult(key);
        }
        SetSlowTimer();
    }

    /// <summary>Called by the timer. It may be a moment ahead of the clock: then it is set again.</summary>
    private void Dispatch()
    {
        lock (_gate)
        {
            _slowTimerFor = null;
            Hand();
        }
    }

    private bool TryTake(out TKey key)
    {
        key = default;
        if (_waiting.Count == 0 || !HasRoom())
            return false;
        if (!_waiting.TryTake(_shares?.Share ?? int.MaxValue, _shares?.Workers ?? int.MaxValue, out key))
            return false;
        _dirty.Remove(key, out var wait);
        var work = new Work(wait.Group, _time.GetTimestamp());
        _processing.Add(key, work);
        _held.Add(work.Group);
        if (_shares is not null && !work.Group.IsNone)
            work.Place = _aging.AddLast(work);
        _delayed.Cancel(key);
        _metrics?.Taken(_time.GetElapsedTime(wait.Since));
        return true;
    }

    /// <summary>Returns whether another key may be taken. Slow keys do not count.</summary>
    private bool HasRoom()
    {
        if (_shares is null)
            return true;
        while (_processing.Count - _slow >= _shares.Workers)
        {
            if (
                _aging.First is not { } oldest
                || _slow >= _shares.MostSlow
                || _time.GetElapsedTime(oldest.Value.Since) < _shares.SlowAfter
            )
                return false;
            _aging.RemoveFirst();
            (oldest.Value.Place, oldest.Value.IsSlow) = (null, true);
            _slow++;
        }
        return true;
    }

    private void Release(Work work)
    {
        if (work.Place is { } place)
            _aging.Remove(place);
        if (work.IsSlow)
            _slow--;
        if (_held.Remove(work.Group, _shares?.Share ?? int.MaxValue))
            _waiting.ReturnSetAside();
    }

    /// <summary>Sets the timer to when the oldest key becomes slow, while a worker waits for it.</summary>
    private void SetSlowTimer()
    {
        if (
            _shares is null
            || _takers.Count == 0
            || _waiting.Count == 0
            || _slow >= _shares.MostSlow
            || _aging.First is not { } oldest
            || oldest.Value == _slowTimerFor
        )
            return;
        _slowTimerFor = oldest.Value;
        var wait = _shares.SlowAfter - _time.GetElapsedTime(oldest.Value.Since);
        if (wait <= TimeSpan.Zero)
            return; // it is not room that is missing
        var due = TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        _slowTimer?.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void Leave(LinkedListNode<TaskCompletionSource<TKey?>> place, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (place.List is null)
                return; // it has a key already, which must not be lost
            _takers.Remove(place);
        }
        place.Value.TrySetCanceled(cancellationToken);
    }

    /// <summary>The times for which the workers have had their current keys.</summary>
    private (TimeSpan Sum, TimeSpan Longest) Running()
    {
        lock (_gate)
        {
            var (sum, longest) = (TimeSpan.Zero, TimeSpan.Zero);
            foreach (var work in _processing.Values)
            {
                var soFar = _time.GetElapsedTime(work.Since);
                sum += soFar;
                longest = soFar > longest ? soFar : longest;
            }
            return (sum, longest);
        }
    }

    private readonly record struct Wait(bool IsUrgent, WorkGroup Group, long Since);

    /// <summary>A key that a worker has.</summary>
    private sealed class Work(WorkGroup group, long since)
    {
        public WorkGroup Group => group;

        public long Since => since;

        /// <summary>Null once it cannot become slow any more.</summary>
        public LinkedListNode<Work>? Place { get; set; }

        /// <summary>Whether it no longer counts as one of the workers.</summary>
        public bool IsSlow { get; set; }
    }
}
