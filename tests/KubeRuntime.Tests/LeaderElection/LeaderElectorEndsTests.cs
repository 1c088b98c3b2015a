using KubeRuntime.Client;
using KubeRuntime.LeaderElection;

namespace KubeRuntime.Tests.LeaderElection;

/// <summary>The ends of a leadership: a stop, which drains and releases, and a loss, which does neither.</summary>
public sealed class LeaderElectorEndsTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Simulation _simulation = new();
    private readonly TaskCompletionSource _work = new();
    private readonly SimulatedProcess _leader;
    private Leadership? _leadership;
    private KubeFailureKind? _failure;
    private int _calls;

    public LeaderElectorEndsTests()
    {
        _leader = Start("a");
        Assert.NotNull(_simulation.RunUntil(() => _leader.MayWrite, Second));
    }

    [Fact]
    public void The_lease_is_renewed_until_the_work_has_drained_and_released_only_then()
    {
        _leader.Stop();
        _simulation.Run(40 * Second);
        Assert.True(_leader.MayWrite);
        Assert.Equal("a", Holder);
        var calls = _calls;

        FinishWork();

        Assert.False(_leader.MayWrite);
        Assert.Equal(("", 1), (Holder, _simulation.Store.Stored?.Spec.LeaseDurationSeconds));
        Assert.True(_leader.Running is { IsCompletedSuccessfully: true });
        Assert.Equal(calls + 1, _calls);
        Assert.Contains(_leader.Logger.Entries, e => e.Text == "Lease released");
    }

    [Fact]
    public void A_standby_that_is_stopped_leaves_the_lease_alone()
    {
        var (written, standbyWork, standbyCalls) = (_simulation.Store.Writes, new TaskCompletionSource(), 0);
        Leadership? seen = null;
        var standby = _simulation.Start(
            "b",
            fate: () =>
            {
                standbyCalls++;
                return null;
            },
            work: (leadership, _) =>
            {
                seen = leadership;
                return standbyWork.Task;
            }
        );
        _simulation.Run(Second);
        standby.Stop();
        _simulation.Run(Second);
        Assert.False(seen?.Lost.IsCancellationRequested, "a stop is not a loss");
        standbyCalls = 0;

        _simulation.After(TimeSpan.Zero, standbyWork.SetResult);

        Assert.NotNull(_simulation.RunUntil(() => standby.Running is { IsCompletedSuccessfully: true }, 2 * Second));
        Assert.Equal((0, "a"), (standbyCalls, Holder));
        Assert.InRange(_simulation.Store.Writes - written, 0, 3);
    }

    [Fact]
    public void A_stop_after_somebody_touched_the_lease_releases_it_all_the_same()
    {
        _simulation.Store.Touch();
        _leader.Stop();
        FinishWork();

        Assert.Equal("", Holder);
        Assert.True(_leader.Running is { IsCompletedSuccessfully: true });
        Assert.DoesNotContain(
            _leader.Logger.Entries,
            e => e.Text.StartsWith("Lease not released", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_stop_after_somebody_deleted_the_lease_leaves_none()
    {
        _simulation.Store.Delete();
        _leader.Stop();
        FinishWork();

        Assert.Null(_simulation.Store.Stored);
        Assert.True(_leader.Running is { IsCompletedSuccessfully: true });
    }

    [Fact]
    public void A_stop_after_somebody_else_took_the_lease_leaves_it_to_him()
    {
        _simulation.Store.Store(_simulation.Store.Stored!.Spec with { HolderIdentity = "c" });
        _leader.Stop();
        FinishWork();

        Assert.Equal("c", Holder);
        Assert.Equal(2, _simulation.Store.Writes);
    }

    [Theory]
    [InlineData("an answer of the server says so", KubeFailureKind.Denied)]
    [InlineData("it cannot be reached", KubeFailureKind.Transient)]
    public void A_lease_that_cannot_be_given_back_is_told_and_the_process_ends(string rule, KubeFailureKind failure)
    {
        _failure = failure;
        _leader.Stop();
        FinishWork();

        Assert.True(_leader.Running is { IsCompletedSuccessfully: true }, rule);
        Assert.Contains(_leader.Logger.Entries, e => e.Text.StartsWith("Lease not released", StringComparison.Ordinal));
    }

    [Fact]
    public void A_loss_takes_the_right_to_write_and_cancels_the_work_at_once_though_the_work_goes_on()
    {
        _simulation.Store.Store(_simulation.Store.Stored!.Spec with { HolderIdentity = "" });

        Assert.NotNull(_simulation.RunUntil(() => _leadership!.Lost.IsCancellationRequested, 6 * Second));

        Assert.False(_leader.MayWrite);
        FinishWork();
        Assert.Equal(
            "somebody has taken our name out of the lease",
            _leader.Running?.Exception?.InnerException?.Message
        );
        Assert.Equal("", Holder);
    }

    [Theory]
    [InlineData("every call is refused at once", false)]
    [InlineData("no call is answered", true)]
    public void A_loss_is_declared_when_the_deadline_passes_and_not_a_call_later(string rule, bool silent)
    {
        var written = _simulation.Store.Writes;
        _simulation.RunUntil(() => _simulation.Store.Writes > written, 5 * Second);
        if (silent)
            _leader.CutOffUntil = TimeSpan.MaxValue;
        else
            _failure = KubeFailureKind.Transient;

        var took = _simulation.RunUntil(() => _leadership!.Lost.IsCancellationRequested, 60 * Second);

        Assert.True(took >= 9.7 * Second && took <= 10.1 * Second, $"{rule}: {took}");
    }

    private string? Holder => _simulation.Store.Stored?.Spec.HolderIdentity;

    private SimulatedProcess Start(string identity) =>
        _simulation.Start(
            identity,
            fate: () =>
            {
                _calls++;
                return new Fate(Simulation.Tick, Simulation.Tick, Failure: _failure);
            },
            work: (leadership, _) =>
            {
                _leadership = leadership;
                return _work.Task;
            }
        );

    private void FinishWork()
    {
        _simulation.After(TimeSpan.Zero, _work.SetResult);
        _simulation.Run(Second);
    }
}
