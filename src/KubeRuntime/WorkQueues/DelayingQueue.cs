namespace KubeRuntime.WorkQueues;

/// <summary>
/// Holds keys that become due later, at most one due time per key: the earliest requested. One timer serves all of
/// them. The callback runs outside the lock, on a timer thread. Long delays end on whole seconds of the clock: keys
/// that become due in the same second do so together, and the process sleeps in between.
/// </summary>
public sealed class DelayingQueue<TKey> : IDisposable
    where TKey : struct
{
    /// <summary>
    /// Maximum delay of the timer, which counts to 49 days. A later time is looked at again on the way.
    /// </summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    /// <summary>Maximum delay: far longer than any use, and within the range of the clock.</summary>
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(365 * 100);

    /// <summary>From this delay on, up to a second more does not matter.</summary>
    private static readonly TimeSpan LongDelay = TimeSpan.FromSeconds(30);

    private const int SupersededAllowed = 64;
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, long> _due = [];

    /// <summary>May hold entries that were superseded or cancelled; those in <see cref="_due"/> count.</summary>
    private readonly PriorityQueue<TKey, long> _order = new();

    private readonly TimeProvider _time;
    private readonly Action<TKey> _onDue;
    private readonly ITimer _timer;

    public DelayingQueue(TimeProvider time, Action<TKey> onDue)
    {
        _time = time;
        _onDue = onDue;
        _timer = time.CreateTimer(
            static s => ((DelayingQueue<TKey>?)s)?.Fire(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    public int Count
    {
        get
        {
            lock (_gate)
                return _due.Count;
        }
    }

    /// <summary>Number of entries in memory, superseded ones included.</summary>
    internal int Remembered
    {
        get
        {
            lock (_gate)
                return _order.Count;
        }
    }

    public void Schedule(TKey key, TimeSpan delay)
    {
        var wait = delay < LongestDelay ? delay : LongestDelay;
        var due = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        if (wait >= LongDelay && due % _time.TimestampFrequency is > 0 and var part)
            due += _time.TimestampFrequency - part;
        lock (_gate)
        {
            if (_due.TryGetValue(key, out var known) && known <= due)
                return;
            _due[key] = due;
            _order.Enqueue(key, due);
            DropSuperseded();
            SetTimer();
        }
    }

    public void Cancel(TKey key)
    {
        lock (_gate)
            _due.Remove(key);
    }

    public void Dispose() => _timer.Dispose();

    private void Fire()
    {
        var ready = new List<TKey>();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            while (NextDue() is { } due && due <= now)
            {
                var key = _order.Dequeue();
                _due.Remove(key);
                ready.Add(key);
            }
            SetTimer();
        }
        foreach (var key in ready)
            _onDue(key);
    }

    /// <summary>Returns the earliest due time that counts; drops superseded ones before it.</summary>
    private long? NextDue()
    {
        while (_order.TryPeek(out var key, out var due))
        {
            if (_due.TryGetValue(key, out var current) && current == due)
                return due;
            _order.Dequeue();
        }
        return null;
    }

    /// <summary>
    /// Drops superseded entries. A key that is scheduled hours ahead and taken every second would leave one entry per
    /// second.
    /// </summary>
    private void DropSuperseded()
    {
        if (_order.Count <= (2 * _due.Count) + SupersededAllowed)
            return;
        _order.Clear();
        _order.EnqueueRange(_due.Select(d => (d.Key, d.Value)));
    }

    private void SetTimer()
    {
        var wait = NextDue() is { } due
            ? TimeSpan.FromSeconds(Math.Max(0, due - _time.GetTimestamp()) / (double)_time.TimestampFrequency)
            : Timeout.InfiniteTimeSpan;
        if (wait > LongestTimer)
            wait = LongestTimer;
        // Timers count whole milliseconds; rounding down would fire early and spin until due.
        _timer.Change(
            wait == Timeout.InfiniteTimeSpan ? wait : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)),
            Timeout.InfiniteTimeSpan
        );
    }
}
