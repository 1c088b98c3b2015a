using KubeRuntime.WorkQueues;
using TestKit;

namespace KubeRuntime.Tests.WorkQueues;

public sealed class DelayingQueueTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _clock = new();
    private readonly List<(int Key, TimeSpan At)> _fired = [];
    private readonly DelayingQueue<int> _delayed;

    public DelayingQueueTests() =>
        _delayed = new DelayingQueue<int>(_clock, k => _fired.Add((k, _clock.GetElapsedTime(0))));

    public void Dispose() => _delayed.Dispose();

    [Fact]
    public void Keys_come_in_the_order_in_which_they_are_due_on_one_timer()
    {
        foreach (var key in (int[])[7, 3, 9, 1, 5])
            _delayed.Schedule(key, key * Second);

        Assert.Equal(1, _clock.ScheduledTimers);
        _clock.Advance(20 * Second);

        Assert.Equal([(1, Second), (3, 3 * Second), (5, 5 * Second), (7, 7 * Second), (9, 9 * Second)], _fired);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public void Of_two_times_for_a_key_the_earlier_counts_whichever_was_asked_first()
    {
        _delayed.Schedule(1, 5 * Second);
        _delayed.Schedule(1, 2 * Second);
        _delayed.Schedule(2, 3 * Second);
        _delayed.Schedule(2, 9 * Second);

        Assert.Equal(2, _delayed.Count);
        _clock.Advance(20 * Second);

        Assert.Equal([(1, 2 * Second), (2, 3 * Second)], _fired);
    }

    [Fact]
    public void A_cancelled_key_does_not_come_and_may_be_scheduled_anew()
    {
        _delayed.Schedule(1, 2 * Second);
        _delayed.Cancel(1);
        _delayed.Schedule(1, 4 * Second);

        _clock.Advance(20 * Second);

        Assert.Equal([(1, 4 * Second)], _fired);
    }

    /// <summary>
    /// 10 000 keys at random times of ten minutes would wake the process 17 times a second, for one key each.
    /// </summary>
    [Fact]
    public void Keys_that_wait_long_come_together_on_whole_seconds()
    {
        _clock.Advance(0.5 * Second);
        _delayed.Schedule(1, 60.1 * Second);
        _delayed.Schedule(2, 60.4 * Second);
        _delayed.Schedule(3, 60.5 * Second);
        _delayed.Schedule(4, 60.6 * Second);
        _delayed.Schedule(5, 29.9 * Second);

        _clock.Advance(100 * Second);

        Assert.Equal(
            [(5, 30.4 * Second), (1, 61 * Second), (2, 61 * Second), (3, 61 * Second), (4, 62 * Second)],
            _fired.OrderBy(f => f.At).ThenBy(f => f.Key)
        );
    }

    [Fact]
    public void Nothing_comes_early()
    {
        _delayed.Schedule(1, TimeSpan.FromTicks(12_345_678));
        // Real timers cut a part of a millisecond off, and would fire early, and spin
        Assert.Equal(TimeSpan.FromMilliseconds(1235), _clock.UntilNextTimer);

        _clock.Advance(TimeSpan.FromTicks(12_345_677));

        Assert.Empty(_fired);
    }

    [Theory]
    [InlineData("longer than a timer can count", 60)]
    [InlineData("a hundred years", 36_500)]
    public void A_far_time_is_kept(string rule, int days)
    {
        _delayed.Schedule(1, TimeSpan.FromDays(days));

        _clock.Advance(TimeSpan.FromDays(days) - Second);
        Assert.True(_fired.Count == 0, rule);
        _clock.Advance(Second);

        Assert.True(_fired.Count == 1, rule);
    }

    [Fact]
    public void A_time_beyond_what_a_real_timer_counts_is_taken_by_a_real_timer()
    {
        using var delayed = new DelayingQueue<int>(TimeProvider.System, k => _fired.Add((k, default)));

        delayed.Schedule(1, TimeSpan.FromDays(60));

        Assert.Equal(1, delayed.Count);
        Assert.Empty(_fired);
    }

    [Fact]
    public void The_longest_time_is_not_taken_for_now()
    {
        _clock.Advance(Second);
        _delayed.Schedule(1, TimeSpan.MaxValue);

        _clock.Advance(TimeSpan.FromDays(365));

        Assert.Empty(_fired);
    }

    [Fact]
    public void Superseded_times_do_not_pile_up()
    {
        var most = 0;
        _delayed.Schedule(2, TimeSpan.FromHours(1)); // first in order, so that nothing behind it is met on the way
        for (var i = 0; i < 10_000; i++)
        {
            _delayed.Cancel(1);
            _delayed.Schedule(1, TimeSpan.FromHours(10));
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            most = Math.Max(most, _delayed.Remembered);
        }
        Assert.InRange(most, 60, 68); // some are allowed: dropping them one by one would cost more
        _clock.Advance(TimeSpan.FromHours(20));

        Assert.Equal([2, 1], _fired.Select(f => f.Key));
    }

    [Fact]
    public void After_disposal_nothing_comes_and_scheduling_is_harmless()
    {
        _delayed.Schedule(1, Second);
        _delayed.Dispose();
        _delayed.Schedule(2, Second);

        _clock.Advance(20 * Second);

        Assert.Empty(_fired);
    }
}
