using System.Diagnostics.CodeAnalysis;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
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
