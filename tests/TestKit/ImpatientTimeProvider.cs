using System.Collections.Concurrent;

namespace TestKit;

/// <summary>
/// A clock for loops that back off: a wait that the test calls a pause passes as soon as it begins, and is recorded;
/// the clock moves on by it. All other timers (deadlines, watchdogs) stand still until the test moves the clock.
/// </summary>
public sealed class ImpatientTimeProvider(Func<TimeSpan, bool> isPause) : TimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _pauses = new();

    /// <summary>The clock below.</summary>
    public ManualTimeProvider Clock { get; } = new();

    /// <summary>Lengths of the pauses so far, in order.</summary>
    public IReadOnlyList<TimeSpan> Pauses => [.. _pauses];

    public override long TimestampFrequency => Clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => Clock.GetUtcNow();

    public override long GetTimestamp() => Clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = Clock.CreateTimer(callback, state, dueTime, period);
        if (dueTime > TimeSpan.Zero && isPause(dueTime))
        {
            _pauses.Enqueue(dueTime);
            ThreadPool.QueueUserWorkItem(_ => Clock.Advance(dueTime));
        }
        return timer;
    }
}
