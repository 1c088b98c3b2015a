using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class ManualTimeProviderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public void Both_clocks_move_together()
    {
        long before = _clock.GetTimestamp();

        _clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(ManualTimeProvider.DefaultStart.AddMinutes(5), _clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(5), _clock.GetElapsedTime(before));
    }

    [Fact]
    public void A_shifted_wall_clock_moves_neither_timestamps_nor_timers()
    {
        int fired = 0;
        using ITimer timer = _clock.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        _clock.ShiftWallClock(TimeSpan.FromHours(-3));

        Assert.Equal(ManualTimeProvider.DefaultStart.AddHours(-3), _clock.GetUtcNow());
        Assert.Equal(0, _clock.GetTimestamp());
        _clock.Advance(Second);
        Assert.Equal(1, fired);
    }

    [Fact]
    public void A_timer_fires_once_when_due_and_not_before()
    {
        int fired = 0;
        using ITimer timer = _clock.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        _clock.Advance(Second - TimeSpan.FromTicks(1));
        Assert.Equal(0, fired);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(1, fired);
        _clock.Advance(10 * Second);

        Assert.Equal(1, fired);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public void A_periodic_timer_fires_for_every_period_that_an_advance_covers()
    {
        List<DateTimeOffset> fired = [];
        using ITimer timer = _clock.CreateTimer(_ => fired.Add(_clock.GetUtcNow()), null, Second, 2 * Second);

        _clock.Advance(6 * Second);

        Assert.Equal([1.0, 3.0, 5.0], fired.Select(at => (at - ManualTimeProvider.DefaultStart).TotalSeconds));
    }

    [Fact]
    public void Timers_fire_in_the_order_in_which_they_are_due_then_in_which_they_were_set()
    {
        List<string> fired = [];
        using ITimer late = _clock.CreateTimer(_ => fired.Add("late"), null, 3 * Second, Timeout.InfiniteTimeSpan);
        using ITimer first = _clock.CreateTimer(_ => fired.Add("first"), null, Second, Timeout.InfiniteTimeSpan);
        using ITimer second = _clock.CreateTimer(_ => fired.Add("second"), null, Second, Timeout.InfiniteTimeSpan);

        _clock.Advance(5 * Second);

        Assert.Equal(["first", "second", "late"], fired);
    }

    [Fact]
    public void A_timer_made_by_a_callback_fires_within_the_same_advance()
    {
        List<double> fired = [];
        void Next(object? state)
        {
            fired.Add((_clock.GetUtcNow() - ManualTimeProvider.DefaultStart).TotalSeconds);
            _clock.CreateTimer(Next, null, Second, Timeout.InfiniteTimeSpan);
        }

        _clock.CreateTimer(Next, null, Second, Timeout.InfiniteTimeSpan);
        _clock.Advance(3 * Second);

        Assert.Equal([1.0, 2.0, 3.0], fired);
    }

    [Fact]
    public void A_disposed_timer_never_fires_and_cannot_be_changed()
    {
        int fired = 0;
        ITimer timer = _clock.CreateTimer(_ => fired++, null, Second, Second);

        timer.Dispose();

        Assert.False(timer.Change(Second, Second));
        _clock.Advance(10 * Second);
        Assert.Equal(0, fired);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public void A_timer_that_waits_for_ever_can_be_set_later()
    {
        int fired = 0;
        using ITimer timer = _clock.CreateTimer(_ => fired++, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _clock.Advance(TimeSpan.FromDays(1));

        bool changed = timer.Change(Second, Timeout.InfiniteTimeSpan);
        _clock.Advance(Second);

        Assert.True(changed);
        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task A_timer_due_at_once_fires_without_an_advance()
    {
        TaskCompletionSource fired = new(TaskCreationOptions.RunContinuationsAsynchronously);

        await using ITimer timer = _clock.CreateTimer(
            _ => fired.TrySetResult(),
            null,
            TimeSpan.Zero,
            Timeout.InfiniteTimeSpan
        );

        await fired.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_delay_ends_when_the_clock_reaches_it()
    {
        Task delay = Task.Delay(Second, _clock);
        Assert.False(delay.IsCompleted);

        _clock.Advance(Second);

        await delay.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_token_source_times_out_when_the_clock_reaches_it()
    {
        using CancellationTokenSource source = new(Second, _clock);
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = source.Token.Register(() => cancelled.TrySetResult());

        _clock.Advance(Second);

        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_test_can_wait_until_the_code_under_test_has_set_its_timer()
    {
        Task reached = _clock.TimersScheduledAsync(2);
        using ITimer one = _clock.CreateTimer(_ => { }, null, Second, Timeout.InfiniteTimeSpan);
        Assert.False(reached.IsCompleted);

        Task delay = Task.Run(() => Task.Delay(Second, _clock));
        await reached.WaitAsync(TimeSpan.FromSeconds(10));

        _clock.Advance(Second);
        await delay.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_callback_sees_the_async_locals_of_whoever_made_the_timer()
    {
        AsyncLocal<string> local = new() { Value = "maker" };
        string? seen = null;
        await using ITimer timer = _clock.CreateTimer(_ => seen = local.Value, null, Second, Timeout.InfiniteTimeSpan);
        local.Value = "advancer";

        _clock.Advance(Second);

        Assert.Equal("maker", seen);
    }

    [Fact]
    public void Time_does_not_run_backwards()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _clock.Advance(-Second));
    }
}
