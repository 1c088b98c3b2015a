using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.LeaderElection;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

/// <summary>How a controller ends.</summary>
public sealed partial class ControllerTests
{
    [Fact]
    public async Task A_stop_ends_intake_and_waits_for_running_reconciles()
    {
        Sync(A);
        var call = await _reconciler.NextAsync();

        await _stop.CancelAsync();
        await _first.Ended.Within();
        _first.Enqueue(B);
        Assert.False(_running.IsCompleted);
        Assert.False(call.Cancelled.IsCompleted);
        call.Return(ReconcileResult.OnChange);
        await _running.Within();

        Assert.Null(_controller.UnhealthyReason);
        Assert.False(_controller.IsReady);
        Assert.Equal(1, _reconciler.Calls);
        Assert.DoesNotContain(_logger.Entries, e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_controller_without_sources_works_and_ends_on_a_stop()
    {
        using var queue = new WorkQueue<NamespacedName>(new Backoff(Second, 60 * Second, new Random(1)), _clock);
        var reconciler = new Reconciler();
        using var stop = new CancellationTokenSource();
        var running = new Controller(
            [],
            queue,
            reconciler,
            new ControllerOptions(Workers: 2, ReconcileTimeout: 20 * Second, DrainTimeout: 10 * Second),
            _clock,
            _logger
        ).RunAsync(Leadership.Unquestioned, stop.Token);
        queue.Add(A);
        (await reconciler.NextAsync()).Return(ReconcileResult.OnChange);

        await stop.CancelAsync();

        await running.Within();
    }

    [Fact]
    public async Task A_drain_that_takes_too_long_cancels_the_reconciles()
    {
        Sync(A);
        var call = await _reconciler.NextAsync();
        var timers = _clock.ScheduledTimers;
        await _stop.CancelAsync();
        await _clock.TimersScheduledAsync(timers + 1).Within();

        _clock.Advance(10 * Second);

        await call.Cancelled.Within();
        await _running.Within();
        Assert.Single(_logger.Entries, e => e.Level == LogLevel.Warning);
        Assert.DoesNotContain(_logger.Entries, e => e.Level == LogLevel.Error);
    }

    [Fact]
    public async Task A_reconcile_that_does_not_heed_its_cancellation_does_not_hold_the_process()
    {
        Sync(A);
        var call = await _reconciler.NextAsync();
        call.HeedsCancellation = false;
        var timers = _clock.ScheduledTimers;
        await _stop.CancelAsync();
        await _clock.TimersScheduledAsync(timers + 1).Within();
        _clock.Advance(10 * Second);
        await call.Cancelled.Within();

        await Waiting.UntilAsync(() =>
        {
            _clock.Advance(Second);
            return _running.IsCompleted;
        });

        await _running.Within();
        Assert.Single(_logger.Entries, e => e.Level == LogLevel.Error);
        call.Return(ReconcileResult.OnChange);
    }

    [Theory]
    [InlineData("ends", false, false)]
    [InlineData("throws", true, false)]
    [InlineData("ends before it has seen a list", false, true)]
    [InlineData("throws before it has seen a list", true, true)]
    public async Task A_source_that_ends_ends_the_controller_and_not_in_silence(string rule, bool throws, bool early)
    {
        if (!early)
        {
            Sync(A);
            (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange);
        }
        else
            _first.Enqueue(A);

        _second.End(throws ? new InvalidDataException() : null);
        var thrown = await Record.ExceptionAsync(() => _running.Within());

        Assert.True(throws ? thrown is InvalidDataException : thrown is InvalidOperationException, rule);
        Assert.Equal("a loop has ended", _controller.UnhealthyReason);
        Assert.False(_controller.IsReady);
        await _first.Ended.Within();
        Assert.Equal(early ? 0 : 1, _reconciler.Calls);
    }

    [Fact]
    public async Task A_stop_before_the_lists_are_complete_is_a_clean_end()
    {
        await _stop.CancelAsync();

        await _running.Within();

        Assert.Null(_controller.UnhealthyReason);
    }
}
