using KubeRuntime.Client;
using KubeRuntime.LeaderElection;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.LeaderElection;

public sealed class LeaderElectorTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Simulation _simulation = new();
    private readonly SimulatedProcess _leader;

    public LeaderElectorTests()
    {
        _leader = _simulation.Start("a");
        Assert.NotNull(_simulation.RunUntil(() => _leader.MayWrite, Second));
    }

    [Fact]
    public void The_first_makes_the_lease_and_renews_it_every_two_seconds()
    {
        var before = _simulation.Store.Writes;

        _simulation.Run(60 * Second);

        Assert.Equal("a", Record.HolderIdentity);
        Assert.Equal(15, Record.LeaseDurationSeconds);
        Assert.InRange(_simulation.Store.Writes - before, 25, 30);
        Assert.True(_leader.MayWrite);
        Assert.Equal(ManualTimeProvider.DefaultStart, Record.AcquireTime!.Value, 2 * Second);
        Assert.Equal(ManualTimeProvider.DefaultStart + 61 * Second, Record.RenewTime!.Value, 3 * Second);
    }

    [Fact]
    public void A_standby_stands_by_and_writes_nothing()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(120 * Second);

        Assert.False(standby.MayWrite);
        Assert.Equal((0, 0), (standby.Writes, Record.LeaseTransitions));
        Assert.Contains(standby.Logger.Entries, e => e.Text == "Standing by: a leads");
    }

    [Fact]
    public void In_normal_renewal_a_write_may_take_more_than_ten_seconds()
    {
        var shortest = TimeSpan.MaxValue;
        _simulation.EachTick = () =>
            shortest = _leader.Elector.WriteTime < shortest ? _leader.Elector.WriteTime : shortest;

        _simulation.Run(120 * Second);

        Assert.InRange(shortest, 11 * Second, 14 * Second);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(1.05)]
    public void A_write_that_takes_the_time_it_is_given_ends_before_another_may_write(double standbysClock)
    {
        var standby = _simulation.Start("b", clockRate: standbysClock);
        _simulation.Run(10 * Second);
        var (lastWriteEnds, shortest) = (_simulation.Now, TimeSpan.MaxValue);
        _simulation.EachTick = () =>
        {
            if (!_leader.MayWrite)
                return;
            var ends = _simulation.Now + _leader.Elector.WriteTime;
            lastWriteEnds = ends > lastWriteEnds ? ends : lastWriteEnds;
            shortest = _leader.Elector.WriteTime < shortest ? _leader.Elector.WriteTime : shortest;
        };
        _leader.CutOffUntil = _simulation.Now + 120 * Second;

        Assert.NotNull(_simulation.RunUntil(() => standby.MayWrite, 60 * Second));

        Assert.True(
            _simulation.Now >= lastWriteEnds,
            $"the last write ends {lastWriteEnds - _simulation.Now} after another may write"
        );
        Assert.InRange(shortest, 3.9 * Second, 4.2 * Second);
    }

    [Fact]
    public void An_orderly_stop_hands_over_within_a_second()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        _leader.Stop();
        _simulation.RunUntil(() => !_leader.MayWrite, 10 * Second);

        var took = _simulation.RunUntil(() => standby.MayWrite, 20 * Second);

        Assert.InRange(took ?? TimeSpan.MaxValue, TimeSpan.Zero, Second);
        Assert.True(_leader.Running is { IsCompletedSuccessfully: true });
        _simulation.Run(10 * Second);
        Assert.Equal(("b", 1), (Record.HolderIdentity, Record.LeaseTransitions));
    }

    [Fact]
    public void After_a_crash_the_standby_waits_the_lease_out_and_no_longer()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        _leader.Killed = true;

        var took = _simulation.RunUntil(() => standby.MayWrite, 60 * Second);

        Assert.InRange(took ?? TimeSpan.MaxValue, 13 * Second, 15.5 * Second);
    }

    [Fact]
    public void A_label_that_is_touched_prolongs_nothing()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        _leader.Killed = true;
        for (var i = 1; i < 20; i++)
            _simulation.After(i * Second, _simulation.Store.Touch);

        Assert.InRange(
            _simulation.RunUntil(() => standby.MayWrite, 60 * Second) ?? TimeSpan.MaxValue,
            13 * Second,
            17 * Second
        );
    }

    [Fact]
    public void A_leader_without_answers_may_not_write_at_the_deadline_and_loses_for_good()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        _leader.CutOffUntil = TimeSpan.MaxValue;

        var until = _simulation.RunUntil(() => !_leader.MayWrite, 60 * Second);
        _simulation.RunUntil(() => _leader.Running is { IsCompleted: true }, 10 * Second);

        Assert.InRange(until ?? TimeSpan.MaxValue, 8 * Second, 10 * Second);
        Assert.IsType<LeadershipLostException>(_leader.Running?.Exception?.InnerException);
        Assert.Contains(
            _leader.Logger.Entries,
            e =>
                e is { Level: LogLevel.Warning }
                && e.Text.StartsWith("Leadership lost: the lease could not be renewed within", StringComparison.Ordinal)
        );
        Assert.False(standby.MayWrite);
        Assert.InRange(
            _simulation.RunUntil(() => standby.MayWrite, 60 * Second) ?? TimeSpan.MaxValue,
            2 * Second,
            7 * Second
        );
    }

    [Fact]
    public void A_leader_that_slept_past_its_lease_may_not_write_when_it_wakes()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        _leader.Paused = true;
        Assert.NotNull(_simulation.RunUntil(() => standby.MayWrite, 20 * Second));
        var writes = _leader.Writes;

        _leader.Paused = false;
        _simulation.Run(5 * Second);

        Assert.Equal(writes, _leader.Writes);
        Assert.IsType<LeadershipLostException>(_leader.Running?.Exception?.InnerException);
    }

    [Fact]
    public void An_answer_that_is_lost_costs_no_leadership()
    {
        var calls = 0;
        _leader.Fate = () => new Fate(Simulation.Tick, Simulation.Tick, AnswerLost: ++calls % 4 == 1);

        _simulation.Run(120 * Second);

        Assert.True(_leader.MayWrite);
        Assert.Equal(0, Record.LeaseTransitions);
    }

    [Fact]
    public void A_claim_whose_answer_was_lost_is_found_and_taken_up()
    {
        _leader.Killed = true;
        var calls = 0;
        var other = _simulation.Start(
            "b",
            fate: () => new Fate(Simulation.Tick, Simulation.Tick, AnswerLost: ++calls == 2)
        );

        _simulation.RunUntil(() => Record.HolderIdentity == "b", 30 * Second);

        Assert.InRange(
            _simulation.RunUntil(() => other.MayWrite, 20 * Second) ?? TimeSpan.MaxValue,
            Second,
            6 * Second
        );
    }

    [Fact]
    public void Another_name_in_the_lease_ends_the_leadership_at_once()
    {
        _simulation.Store.Store(Record with { HolderIdentity = "c" });

        Assert.NotNull(_simulation.RunUntil(() => _leader.Running is { IsFaulted: true }, 6 * Second));
        Assert.Equal("c holds the lease", _leader.Running?.Exception?.InnerException?.Message);
    }

    [Fact]
    public void A_lease_that_is_deleted_is_made_again_by_its_holder_and_claimed_by_nobody_else()
    {
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        for (var i = 0; i < 20; i++)
        {
            _simulation.Store.Delete();
            _simulation.Run(3 * Second);
            Assert.Equal("a", Record.HolderIdentity);
            Assert.False(standby.MayWrite);
        }
        Assert.True(_leader.MayWrite);
    }

    [Fact]
    public void A_right_that_is_missing_is_told_once_and_waited_for()
    {
        var (denied, calls) = (true, 0);
        _leader.Killed = true;
        var other = _simulation.Start(
            "b",
            fate: () =>
            {
                calls++;
                return new Fate(Simulation.Tick, Simulation.Tick, Failure: denied ? KubeFailureKind.Denied : null);
            }
        );
        _simulation.Run(60 * Second);
        Assert.InRange(calls, 22, 36); // every one to two seconds once the old lease is over
        Assert.Single(other.Logger.Entries, e => e.Level == LogLevel.Warning);
        Assert.False(other.MayWrite);

        denied = false;

        Assert.NotNull(_simulation.RunUntil(() => other.MayWrite, 5 * Second));
    }

    [Fact]
    public void A_wall_clock_that_jumps_ahead_stops_writes_only_until_the_next_renewal()
    {
        _leader.Clock.ShiftWallClock(TimeSpan.FromDays(1));
        Assert.False(_leader.MayWrite);

        Assert.InRange(
            _simulation.RunUntil(() => _leader.MayWrite, 10 * Second) ?? TimeSpan.MaxValue,
            TimeSpan.Zero,
            2.5 * Second
        );
        _simulation.Run(30 * Second);
        Assert.True(_leader.MayWrite);
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_still_renews_visibly()
    {
        var standby = _simulation.Start("b");
        _leader.Clock.ShiftWallClock(-TimeSpan.FromDays(1));
        var times = new HashSet<DateTimeOffset?>();
        var writes = _simulation.Store.Writes;
        _simulation.EachTick = () => times.Add(Record.RenewTime);

        _simulation.Run(60 * Second);

        Assert.False(standby.MayWrite);
        Assert.Equal(_simulation.Store.Writes - writes, times.Count - 1);
    }

    [Fact]
    public void A_renewal_that_the_watch_brings_between_the_judgement_and_the_claim_is_not_overwritten()
    {
        var interruptions = 0;
        var standby = _simulation.Start("b");
        _simulation.Run(5 * Second);
        standby.WatchStalledUntil = _simulation.Now + 60 * Second;
        standby.WatchInterrupts = () =>
        {
            interruptions++;
            standby.WatchStalledUntil = TimeSpan.Zero;
            return true;
        };

        var took = _simulation.RunUntil(() => standby.MayWrite || Record.HolderIdentity == "b", 40 * Second);

        Assert.True(interruptions > 0, "the watch never came between");
        Assert.Null(took);
        Assert.True(_leader.MayWrite);
    }

    [Fact]
    public void Another_name_that_the_watch_brings_with_the_answer_to_the_claim_is_not_overwritten()
    {
        _leader.Killed = true;
        var standby = _simulation.Start("b", fate: () => new Fate(Simulation.Tick, 2 * Second));
        _simulation.Run(5 * Second);
        standby.WatchStalledUntil = _simulation.Now + 300 * Second;
        standby.WatchInterrupts = () => Record.HolderIdentity == "c";
        Assert.NotNull(_simulation.RunUntil(() => Record.HolderIdentity == "b", 30 * Second));
        _simulation.Store.Store(Record with { HolderIdentity = "c" });

        Assert.NotNull(_simulation.RunUntil(() => standby.Running is { IsFaulted: true }, 10 * Second));

        Assert.Equal("c", Record.HolderIdentity);
        Assert.Equal("c holds the lease", standby.Running?.Exception?.InnerException?.Message);
    }

    [Fact]
    public void A_lease_that_claims_months_is_waited_for_without_harm_and_its_release_noticed()
    {
        var simulation = new Simulation();
        var record = new LeaseRecord().HeldBy("x", TimeSpan.FromDays(100), ManualTimeProvider.DefaultStart);
        simulation.Store.Store(record);
        var standby = simulation.Start("b");
        simulation.Run(120 * Second);
        Assert.Null(standby.Running?.Exception);
        Assert.False(standby.MayWrite);

        simulation.Store.Store(record.Released(ManualTimeProvider.DefaultStart));

        Assert.NotNull(simulation.RunUntil(() => standby.MayWrite, Second));
    }

    [Fact]
    public void A_watch_that_ends_by_a_bug_ends_the_election_and_is_not_swallowed()
    {
        var simulation = new Simulation();
        simulation.Store.Store(new LeaseRecord().HeldBy("x", 15 * Second, ManualTimeProvider.DefaultStart));
        simulation.Store.WatchBug = new InvalidOperationException("a bug");

        var standby = simulation.Start("b");

        Assert.NotNull(simulation.RunUntil(() => standby.Running is { IsFaulted: true }, 20 * Second));
        Assert.Equal("a bug", standby.Running?.Exception?.InnerException?.Message);
    }

    private LeaseRecord Record => _simulation.Store.Stored?.Spec ?? new LeaseRecord { HolderIdentity = "(none)" };
}
