using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.WorkQueues;
using TestKit;

namespace KubeRuntime.Tests.Controllers;

public sealed class ControllerGroupTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _clock = new();
    private readonly List<WorkQueue<NamespacedName>> _queues = [];
    private readonly Source _first = new();
    private readonly Source _second = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ControllerGroup _group;

    private readonly Controller _firstController;

    public ControllerGroupTests()
    {
        _firstController = Controller(_first);
        _group = new ControllerGroup([_firstController, Controller(_second)]);
    }

    public void Dispose()
    {
        _queues.ForEach(q => q.Dispose());
        _stop.Dispose();
    }

    [Fact]
    public async Task A_group_is_ready_when_all_of_it_are_and_ends_when_it_is_told()
    {
        var running = _group.RunAsync(Leadership.Unquestioned, _stop.Token);
        _first.Sync();
        await Waiting.UntilAsync(() => _firstController.IsReady);
        var half = _group.IsReady;
        _second.Sync();
        await Waiting.UntilAsync(() => _group.IsReady);

        await _stop.CancelAsync();
        await running.Within();

        Assert.False(half);
        Assert.False(_group.IsReady);
        Assert.Null(_group.UnhealthyReason);
    }

    [Fact]
    public async Task A_controller_that_ends_ends_the_others_and_the_group_says_why()
    {
        var running = _group.RunAsync(Leadership.Unquestioned, _stop.Token);
        _first.Sync();
        _second.Sync();
        await Waiting.UntilAsync(() => _group.IsReady);

        _second.End();

        await Assert.ThrowsAsync<InvalidOperationException>(() => running.Within());
        await _first.Ended.Within();
        Assert.Equal("a loop has ended", _group.UnhealthyReason);
    }

    private Controller Controller(Source source)
    {
        var queue = new WorkQueue<NamespacedName>(new Backoff(Second, Second, new Random(1)), _clock);
        _queues.Add(queue);
        return new Controller(
            [source],
            queue,
            new Idle(),
            new ControllerOptions(Workers: 1, ReconcileTimeout: Second, DrainTimeout: Second),
            _clock,
            new RecordingLogger()
        );
    }

    private sealed class Idle : IReconciler
    {
        public Task<ReconcileResult> ReconcileAsync(
            NamespacedName key,
            int attempt,
            CancellationToken cancellationToken
        ) => Task.FromResult(ReconcileResult.OnChange);
    }

    private sealed class Source : IInformer
    {
        private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsSynced => _synced.Task.IsCompleted;

        public Task WhenSynced => _synced.Task;

        public IReadOnlyList<Watchdog> Heartbeats => [];

        public Task Ended => _ended.Task;

        public void Sync() => _synced.SetResult();

        public void End() => _end.SetResult();

        public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
        {
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
}
