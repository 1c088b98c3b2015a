namespace TestKit;

/// <summary>
/// A clock that stands still until a test moves it. Timers (and with them <c>Task.Delay</c>, <c>PeriodicTimer</c> and
/// <c>CancellationTokenSource</c> when given this provider) fire inside <see cref="Advance"/>, on the caller's thread,
/// in the order in which they are due; while one fires, the clock reads its due time. A continuation of an awaited
/// delay runs where the runtime puts it, maybe after <see cref="Advance"/> has returned: wait for what it does, never
/// for a time.
/// </summary>
/// <remarks>
/// A timer that is due at once (zero) fires on the thread pool, as a real one does. Promised: thread safety, and that a
/// callback may create, change and dispose timers. Not promised: an order between two threads that both call
/// <see cref="Advance"/>.
/// <para>
/// It is not <c>FakeTimeProvider</c> of Microsoft.Extensions.TimeProvider.Testing. That one cannot say how many timers
/// wait or when the next one fires, nor let a test wait until the code under test has scheduled its timer. Without that
/// a test would advance the clock too early, or poll. 19 files of tests need it; one clock for all tests is simpler.
/// </para>
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    /// <summary>The instant at which a clock without a start of its own begins.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _scheduled = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private readonly DateTimeOffset _start;
    private TimeSpan _elapsed;
    private TimeSpan _wallClockShift;
    private long _sequence;

    public ManualTimeProvider()
        : this(DefaultStart) { }

    public ManualTimeProvider(DateTimeOffset start) => _start = start.ToUniversalTime();

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timestamps are <see cref="TimeSpan"/> ticks.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>
    /// How many timers wait to fire now. A timer that has fired for the last time, or is disposed, does not count.
    /// </summary>
    public int ScheduledTimers
    {
        get
        {
            lock (_lock)
            {
                return _scheduled.Count;
            }
        }
    }

    /// <summary>How long until the next timer fires; null when none is scheduled.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_lock)
            {
                return _scheduled.MinBy(timer => timer.Due) is { } next ? next.Due - _elapsed : null;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _start + _elapsed + _wallClockShift;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _elapsed.Ticks;
        }
    }

    /// <summary>
    /// Moves both clocks, the wall's and the monotonic one, and fires what falls due on the way. Zero fires nothing
    /// that was not due.
    /// </summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        TimeSpan target;
        lock (_lock)
        {
            target = _elapsed + by;
        }

        while (TakeNextDue(target) is { } timer)
        {
            timer.Fire();
        }
    }

    /// <summary>
    /// Sets the wall clock alone, forward or back, as an administrator or NTP does: timers and timestamps do not
    /// notice.
    /// </summary>
    public void ShiftWallClock(TimeSpan by)
    {
        lock (_lock)
        {
            _wallClockShift += by;
        }
    }

    /// <summary>
    /// Completes as soon as at least <paramref name="count"/> timers are scheduled: how a test knows that the code
    /// under test has reached its wait, so that <see cref="Advance"/> will be noticed. Bound it with
    /// <c>Task.WaitAsync</c>.
    /// </summary>
    public Task TimersScheduledAsync(int count)
    {
        lock (_lock)
        {
            if (_scheduled.Count >= count)
            {
                return Task.CompletedTask;
            }

            TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, reached));
            return reached.Task;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeNextDue(TimeSpan target)
    {
        lock (_lock)
        {
            ManualTimer? next = _scheduled.MinBy(timer => (timer.Due, timer.Sequence));
            if (next is null || next.Due > target)
            {
                _elapsed = _elapsed > target ? _elapsed : target;
                return null;
            }

            _elapsed = _elapsed > next.Due ? _elapsed : next.Due;
            if (next.Period > TimeSpan.Zero)
            {
                next.Due += next.Period;
                next.Sequence = _sequence++;
            }
            else
            {
                _scheduled.Remove(next);
            }

            return next;
        }
    }

    private bool Schedule(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        ThrowIfNotATime(dueTime, nameof(dueTime));
        ThrowIfNotATime(period, nameof(period));
        bool fireNow;
        lock (_lock)
        {
            if (timer.Disposed)
            {
                return false;
            }

            _scheduled.Remove(timer);
            timer.Period = period;
            timer.Sequence = _sequence++;
            fireNow = dueTime == TimeSpan.Zero;
            TimeSpan? wait =
                !fireNow ? dueTime
                : period > TimeSpan.Zero ? period
                : null;
            if (wait is { } delay && delay != Timeout.InfiniteTimeSpan)
            {
                timer.Due = _elapsed + delay;
                _scheduled.Add(timer);
                WakeWaiters();
            }
        }

        if (fireNow)
        {
            ThreadPool.QueueUserWorkItem(static queued => queued.Fire(), timer, preferLocal: false);
        }

        return true;
    }

    private void WakeWaiters()
    {
        foreach ((int count, TaskCompletionSource reached) in _waiters)
        {
            if (_scheduled.Count >= count)
            {
                reached.TrySetResult();
            }
        }

        _waiters.RemoveAll(waiter => waiter.Reached.Task.IsCompleted);
    }

    private void Remove(ManualTimer timer)
    {
        lock (_lock)
        {
            timer.Disposed = true;
            _scheduled.Remove(timer);
        }
    }

    private bool IsDisposed(ManualTimer timer)
    {
        lock (_lock)
        {
            return timer.Disposed;
        }
    }

    private static void ThrowIfNotATime(TimeSpan time, string name)
    {
        if (time < TimeSpan.Zero && time != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(name, time, "A timer waits zero or longer, or forever.");
        }
    }

    /// <summary>All members but the callback are guarded by the provider's lock.</summary>
    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();

        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; set; }

        public long Sequence { get; set; }

        public bool Disposed { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => clock.Schedule(this, dueTime, period);

        public void Fire()
        {
            if (clock.IsDisposed(this))
            {
                return;
            }

            if (_context is null)
            {
                callback(state);
            }
            else
            {
                ExecutionContext.Run(_context, static self => ((ManualTimer)self!).InvokeCallback(), this);
            }
        }

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void InvokeCallback() => callback(state);
    }
}
