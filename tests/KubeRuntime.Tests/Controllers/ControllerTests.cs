using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.Tests.Instrumentation;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

[SuppressMessage("Design", "CA1001", Justification = "xunit disposes through IAsyncLifetime")]
public sealed partial class ControllerTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly NamespacedName A = new("ns", "a");
    private static readonly NamespacedName B = new("ns", "b");
    private readonly ManualTimeProvider _clock = new();
    private readonly RecordingLogger _logger = new();
    private readonly Source _first = new();
    private readonly Source _second = new();
    private readonly Reconciler _reconciler = new();
    private readonly WorkQueue<NamespacedName> _queue;
    private readonly Controller _controller;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public ControllerTests()
    {
        _queue = new WorkQueue<NamespacedName>(new Backoff(Second, 60 * Second, new Random(1)), _clock);
        _controller = new Controller(
            [_first, _second],
            _queue,
            _reconciler,
            new ControllerOptions(Workers: 2, ReconcileTimeout: 20 * Second, DrainTimeout: 10 * Second),
            _clock,
            _logger
        );
        _running = _controller.RunAsync(Leadership.Unquestioned, _stop.Token);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default).Within();
        _queue.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Workers_start_only_when_every_source_has_seen_a_complete_list()
    {
        _first.Enqueue(A);
        _first.Sync();
        Assert.False(_controller.IsReady);
        Assert.Equal(1, _queue.Depth);

        _second.Sync();
        var call = await _reconciler.NextAsync();

        Assert.True(_controller.IsReady);
        Assert.Equal((A, 0), (call.Key, call.Attempt));
        call.Return(ReconcileResult.OnChange);
    }

    [Fact]
    public async Task A_bug_in_one_reconcile_is_logged_and_retried_and_the_others_go_on()
    {
        Sync(A);
        (await _reconciler.NextAsync()).Throw(new InvalidOperationException("a bug"));
        _first.Enqueue(B);
        (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange);

        await UntilDelayedAsync();
        _clock.Advance(2 * Second);
        var retried = await _reconciler.NextAsync();

        Assert.Equal((A, 1), (retried.Key, retried.Attempt));
        var entry = Assert.Single(_logger.Entries, e => e.Level == LogLevel.Error);
        Assert.IsType<InvalidOperationException>(entry.Exception);
        retried.Return(ReconcileResult.OnChange);
        Assert.Null(_controller.UnhealthyReason);
    }

    [Fact]
    public async Task A_reconcile_that_takes_too_long_is_cancelled_and_retried()
    {
        Sync(A);
        var call = await _reconciler.NextAsync();

        _clock.Advance(20 * Second);
        await call.Cancelled.Within();
        await UntilDelayedAsync();
        _clock.Advance(2 * Second);
        var retried = await _reconciler.NextAsync();

        Assert.Equal(1, retried.Attempt);
        Assert.Single(
            _logger.Entries,
            e => e.Level == LogLevel.Warning && e.Text.Contains("took more than", StringComparison.Ordinal)
        );
        retried.Return(ReconcileResult.OnChange);
    }

    [Fact]
    public async Task A_reconcile_that_gives_its_worker_to_others_comes_again_behind_them_and_has_not_failed()
    {
        Sync(A);
        (await _reconciler.NextAsync()).Return(new ReconcileResult.Retry(TimeSpan.Zero));
        await UntilDelayedAsync();
        _clock.Advance(Second);
        var second = await _reconciler.NextAsync();
        second.Return(ReconcileResult.Behind);

        var third = await _reconciler.NextAsync();

        Assert.Equal((A, 1, 1), (third.Key, second.Attempt, third.Attempt));
        third.Return(ReconcileResult.OnChange);
    }

    [Fact]
    public async Task Reconciles_that_wait_for_long_do_not_hold_up_another_tenants()
    {
        using var queue = new WorkQueue<NamespacedName>(
            new Backoff(Second, 60 * Second, new Random(1)),
            _clock,
            metrics: null,
            new WorkShares<NamespacedName>(2, key => new WorkGroup(key.Namespace, Target: null))
        );
        var (source, reconciler) = (new Source(), new Reconciler());
        using var stop = new CancellationTokenSource();
        var running = new Controller(
            [source],
            queue,
            reconciler,
            new ControllerOptions(Workers: 2, ReconcileTimeout: 20 * Second, DrainTimeout: 10 * Second),
            _clock,
            _logger
        ).RunAsync(Leadership.Unquestioned, stop.Token);
        source.Sync();
        source.Enqueue(A);
        source.Enqueue(B);
        var slow = new[] { await reconciler.NextAsync(), await reconciler.NextAsync() };
        source.Enqueue(new NamespacedName("other", "c"));
        await Waiting.UntilAsync(() => queue.Depth == 1);

        _clock.Advance(2 * Second);
        var others = await reconciler.NextAsync();

        Assert.Equal("other", others.Key.Namespace);
        others.Return(ReconcileResult.OnChange);
        Array.ForEach(slow, s => s.Return(ReconcileResult.OnChange));
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default).Within();
    }

    [Fact]
    public async Task A_cancellation_that_nobody_asked_for_is_a_bug_and_no_time_out()
    {
        Sync(A);
        (await _reconciler.NextAsync()).Throw(new OperationCanceledException());

        await UntilDelayedAsync();

        Assert.Single(_logger.Entries, e => e.Level == LogLevel.Error);
        Assert.DoesNotContain(_logger.Entries, e => e.Level == LogLevel.Warning);
    }

    [Fact]
    public async Task Requeue_after_comes_back_then_and_forgets_the_failures()
    {
        Sync(A);
        (await _reconciler.NextAsync()).Return(new ReconcileResult.Retry(TimeSpan.Zero));
        await UntilDelayedAsync();
        _clock.Advance(Second);
        var second = await _reconciler.NextAsync();
        second.Return(new ReconcileResult.After(600 * Second));
        await UntilDelayedAsync();

        _clock.Advance(600 * Second - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _queue.Depth);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        var third = await _reconciler.NextAsync();

        Assert.Equal((1, 0), (second.Attempt, third.Attempt));
        third.Return(ReconcileResult.OnChange);
    }

    [Fact]
    public async Task Retry_waits_at_least_what_it_asks_for_and_counts_attempts()
    {
        Sync(A);
        (await _reconciler.NextAsync()).Return(new ReconcileResult.Retry(90 * Second));
        await UntilDelayedAsync();

        _clock.Advance(89 * Second);
        Assert.Equal(2, _reconciler.Idle);
        _clock.Advance(Second);
        var second = await _reconciler.NextAsync();

        Assert.Equal(1, second.Attempt);
        second.Return(ReconcileResult.OnChange);
    }

    [Fact]
    public async Task On_change_comes_back_on_a_change_only_even_one_during_the_work()
    {
        Sync(A);
        var first = await _reconciler.NextAsync();
        _second.Enqueue(A);
        first.Return(ReconcileResult.OnChange);

        (await _reconciler.NextAsync()).Return(ReconcileResult.OnChange);
        _clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(0, _queue.Depth);
        Assert.Equal(2, _reconciler.Calls);
    }

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

    private void Sync(NamespacedName key)
    {
        _first.Enqueue(key);
        _first.Sync();
        _second.Sync();
    }

    /// <summary>The queue holds a delayed key: the worker has dealt with the outcome.</summary>
    private Task UntilDelayedAsync() => Waiting.UntilAsync(() => _queue.Delayed == 1);

    private sealed class Source(params Watchdog[] heartbeats) : IInformer
    {
        private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Action<NamespacedName>? _enqueue;

        public bool IsSynced => _synced.Task.IsCompleted;

        public IReadOnlyList<Watchdog> Heartbeats => heartbeats;

        public Task WhenSynced => _synced.Task;

        public Task Ended => _ended.Task;

        public void Sync() => _synced.SetResult();

        public void Enqueue(NamespacedName key) => _enqueue?.Invoke(key);

        public void End(Exception? exception)
        {
            if (exception is null)
                _end.SetResult();
            else
                _end.SetException(exception);
        }

        public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
        {
            _enqueue = enqueue;
            try
            {
                await _end.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                _ended.SetResult();
            }
        }
    }

    /// <summary>Hands each call to the test, which says how it ends.</summary>
    private sealed class Reconciler : IReconciler
    {
        private readonly System.Threading.Channels.Channel<Call> _calls =
            System.Threading.Channels.Channel.CreateUnbounded<Call>();
        private int _begun;
        private int _running;

        public int Calls => Volatile.Read(ref _begun);

        /// <summary>Of the two workers.</summary>
        public int Idle => 2 - Volatile.Read(ref _running);

        public Task<Call> NextAsync() => _calls.Reader.ReadAsync().AsTask().Within();

        public async Task<ReconcileResult> ReconcileAsync(
            NamespacedName key,
            int attempt,
            CancellationToken cancellationToken
        )
        {
            Interlocked.Increment(ref _begun);
            Interlocked.Increment(ref _running);
            var call = new Call(key, attempt);
            await using var registration = cancellationToken.Register(() => call.Cancel(cancellationToken));
            _calls.Writer.TryWrite(call);
            try
            {
                return await call.Outcome;
            }
            finally
            {
                Interlocked.Decrement(ref _running);
            }
        }
    }

    private sealed class Call(NamespacedName key, int attempt)
    {
        private readonly TaskCompletionSource<ReconcileResult> _outcome = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public NamespacedName Key => key;

        public int Attempt => attempt;

        public bool HeedsCancellation { get; set; } = true;

        public Task<ReconcileResult> Outcome => _outcome.Task;

        public Task Cancelled => _cancelled.Task;

        public void Return(ReconcileResult requeue) => _outcome.TrySetResult(requeue);

        public void Throw(Exception exception) => _outcome.TrySetException(exception);

        public void Cancel(CancellationToken cancellationToken)
        {
            _cancelled.TrySetResult();
            if (HeedsCancellation)
                _outcome.TrySetCanceled(cancellationToken);
        }
    }
}
