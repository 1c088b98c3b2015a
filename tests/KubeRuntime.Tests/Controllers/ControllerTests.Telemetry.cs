using System.Collections.Concurrent;
using System.Diagnostics;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.Tests.Instrumentation;
using KubeRuntime.WorkQueues;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

public sealed partial class ControllerTests
{
    [Fact]
    public async Task A_reconcile_that_ignores_its_cancellation_shows_by_its_workers_name_and_no_sooner_than_it_must()
    {
        Sync(A);
        var call = await _reconciler.NextAsync();
        call.HeedsCancellation = false;

        _clock.Advance(20 * Second + Controller.HangsAfter);
        Assert.Null(_controller.UnhealthyReason);
        _clock.Advance(Second);

        Assert.Matches("^worker [12] hangs$", _controller.UnhealthyReason);
        call.Return(ReconcileResult.OnChange);
        await Waiting.UntilAsync(() => _controller.UnhealthyReason is null);
    }

    [Fact]
    public void A_watch_that_is_overdue_shows_by_its_name()
    {
        var beat = new Watchdog("watch of widgets", _clock);
        var controller = new Controller(
            [new Source(beat)],
            _queue,
            _reconciler,
            new ControllerOptions(1, Second, Second),
            _clock,
            _logger
        );

        beat.Arm(within: 10 * Second);
        _clock.Advance(10 * Second);
        Assert.Null(controller.UnhealthyReason);
        _clock.Advance(Second);

        Assert.Equal("watch of widgets hangs", controller.UnhealthyReason);
        beat.Disarm();
        Assert.Null(controller.UnhealthyReason);
    }

    [Fact]
    public async Task Workers_without_work_and_a_standby_are_alive_however_long_it_takes()
    {
        var never = new TaskCompletionSource();
        var source = new Source(new Watchdog("watch", _clock));
        using var queue = new WorkQueue<NamespacedName>(new Backoff(Second, 60 * Second, new Random(1)), _clock);
        var standby = new Controller(
            [source],
            queue,
            _reconciler,
            new ControllerOptions(2, Second, Second),
            _clock,
            _logger
        );
        var running = standby.RunAsync(new Leadership(never.Task, CancellationToken.None), _stop.Token);
        source.Sync();
        Sync(A);
        (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange);
        await Waiting.UntilAsync(() => _reconciler.Idle == 2);

        _clock.Advance(TimeSpan.FromDays(30));

        await Waiting.UntilAsync(() => _controller.UnhealthyReason is null && standby.UnhealthyReason is null);
        await _stop.CancelAsync();
        await running.Within();
    }

    [Fact]
    public async Task Each_reconcile_is_a_span_of_its_own_that_says_how_it_ended()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RuntimeTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span.GetTagItem("k8s.namespace.name") as string == "traced") // other tests reconcile too
                    spans.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        Sync(new NamespacedName("traced", "good"));
        (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange);
        await Waiting.UntilAsync(() => spans.Count == 1);
        _first.Enqueue(new NamespacedName("traced", "bad"));
        (await _reconciler.NextAsync()).Return(new ReconcileResult.Retry(3600 * Second));
        await Waiting.UntilAsync(() => spans.Count == 2);

        Assert.Equal(
            ["good success Unset", "bad error Error"],
            spans.Select(s =>
                $"{s.GetTagItem("kuberuntime.object.name")} {s.GetTagItem("kuberuntime.reconcile.result")} {s.Status}"
            ),
            StringComparer.Ordinal
        );
        Assert.All(
            spans,
            s => Assert.Equal((RuntimeTraces.Reconcile, default(ActivitySpanId)), (s.OperationName, s.ParentSpanId))
        );
        Assert.Equal(2, spans.Select(s => s.TraceId).Distinct().Count());
        Assert.Equal(2, spans.Select(s => s.GetTagItem("kuberuntime.reconcile.id")).Distinct().Count());
    }

    [Fact]
    public async Task Reconciles_are_counted_by_how_they_ended()
    {
        using var metrics = new MetricCollector();
        var source = new Source();
        using var queue = new WorkQueue<NamespacedName>(new Backoff(Second, Second, new Random(1)), _clock);
        var controller = new Controller(
            [source],
            queue,
            _reconciler,
            new ControllerOptions(3, 20 * Second, Second),
            _clock,
            _logger,
            new ControllerMetrics(new RuntimeMetrics(metrics.Meter), "widget")
        );
        var running = controller.RunAsync(Leadership.Unquestioned, _stop.Token);
        source.Sync();
        source.Enqueue(A);
        var first = await _reconciler.NextAsync();
        Assert.Equal(
            (3, 1),
            (
                metrics.Last("controller_runtime_max_concurrent_reconciles", "widget"),
                metrics.Last("controller_runtime_active_workers", "widget")
            )
        );
        Assert.Equal(0, metrics.Sum("controller_runtime_reconcile_total", "widget", "error"));

        _clock.Advance(2 * Second);
        first.Return(ReconcileResult.OnChange);
        source.Enqueue(B);
        (await _reconciler.NextAsync()).Return(new ReconcileResult.After(3600 * Second));
        source.Enqueue(new NamespacedName("ns", "c"));
        (await _reconciler.NextAsync()).Return(new ReconcileResult.Retry(3600 * Second));
        source.Enqueue(new NamespacedName("ns", "d"));
        (await _reconciler.NextAsync()).Throw(new InvalidOperationException("a bug"));
        source.Enqueue(new NamespacedName("ns", "e"));
        var slow = await _reconciler.NextAsync();
        await Waiting.UntilAsync(() => metrics.Sum("controller_runtime_reconcile_total", "error") == 2);
        await Waiting.UntilAsync(() => queue.Delayed == 3); // a key is counted first, and delayed then
        _clock.Advance(20 * Second);
        await slow.Cancelled.Within();
        (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange); // the one that threw, again
        await Waiting.UntilAsync(() =>
            metrics.Sum("controller_runtime_reconcile_timeouts_total", "widget") == 1
            && metrics.Sum("controller_runtime_reconcile_total", "success") == 2
        );

        await Waiting.UntilAsync(() => metrics.Sum("controller_runtime_reconcile_errors_total", "widget") == 3);
        Assert.Equal(
            (2, 1),
            (
                metrics.Sum("controller_runtime_reconcile_total", "widget", "success"),
                metrics.Sum("controller_runtime_reconcile_total", "widget", "requeue_after")
            )
        );
        Assert.Equal(1, metrics.Sum("controller_runtime_reconcile_panics_total", "widget"));
        Assert.Contains(2, metrics.Values("controller_runtime_reconcile_time_seconds", "widget"));
        await _stop.CancelAsync();
        await running.Within();
    }
}
