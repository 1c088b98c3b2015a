using System.Collections.Concurrent;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// Runs the steps of many concurrent tasks one at a time, on the thread that asks for it. Tasks stop at gates, and the
/// caller chooses which gate opens next: so a seed decides in which order things happen. What it was never asked to run
/// is dropped, as by a process that is killed.
/// </summary>
/// <remarks>
/// The order is the seed's alone as long as the tasks wait for nothing but gates. A wait for another task's semaphore
/// comes back by way of the thread pool; <see cref="Drain"/> waits for that too, as far as can be told from outside.
/// </remarks>
internal sealed class StepScheduler : TaskScheduler
{
    /// <summary>Real time without a step: the tasks wait for each other.</summary>
    private static readonly TimeSpan Deadlock = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<Task> _ready = new();
    private readonly SemaphoreSlim _queued = new(0);
    private readonly List<Gate> _gates = [];
    private readonly List<Task> _started = [];

    /// <summary>Where tasks wait now, in the order in which they came.</summary>
    public IReadOnlyList<Gate> Gates => _gates;

    /// <summary>Started and not ended.</summary>
    public int Running => _started.Count(t => !t.IsCompleted);

    public override int MaximumConcurrencyLevel => 1;

    public Task<T> Start<T>(Func<Task<T>> work)
    {
        var task = Task
            .Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this)
            .Unwrap();
        _started.RemoveAll(t => t.IsCompleted);
        _started.Add(task);
        return task;
    }

    /// <summary>Waits until the gate is opened.</summary>
    public Task StopAsync(object who, string where)
    {
        var gate = new Gate(who, where);
        _gates.Add(gate);
        return gate.Opened;
    }

    /// <summary>Opens a gate, or fails who waits at it.</summary>
    public void Open(Gate gate, Exception? failure = null)
    {
        _gates.Remove(gate);
        gate.Open(failure);
    }

    /// <summary>
    /// Runs everything that can run, until each task is at a gate, waits for another one, or has ended.
    /// </summary>
    public void Drain()
    {
        while (true)
        {
            while (_ready.TryDequeue(out var task))
            {
                _queued.Wait();
                TryExecuteTask(task);
            }
            if (Running <= _gates.Count || (!PassThePool() && _gates.Count > 0))
                return;
            if (_gates.Count == 0 && Running > 0 && _ready.IsEmpty)
            {
                Assert.True(_queued.Wait(Deadlock), "the tasks wait for each other, and none of them at a gate");
                _queued.Release();
            }
        }
    }

    protected override void QueueTask(Task task)
    {
        _ready.Enqueue(task);
        _queued.Release();
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _ready;

    /// <summary>What was given to the pool before has run, or has at least begun, when this returns.</summary>
    /// <returns>Whether there is something to run now.</returns>
    private bool PassThePool()
    {
        for (var i = 0; i < 2 && _ready.IsEmpty; i++)
        {
            using var passed = new ManualResetEventSlim();
            ThreadPool.UnsafeQueueUserWorkItem(static e => e.Set(), passed, preferLocal: false);
            passed.Wait();
        }
        return !_ready.IsEmpty;
    }

    internal sealed class Gate(object who, string where)
    {
        private readonly TaskCompletionSource _opened = new();

        public object Who => who;

        public string Where => where;

        public Task Opened => _opened.Task;

        public void Open(Exception? failure)
        {
            if (failure is null)
                _opened.SetResult();
            else
                _opened.SetException(failure);
        }
    }
}
