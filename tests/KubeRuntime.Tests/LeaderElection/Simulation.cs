using System.Collections.Concurrent;
using KubeRuntime.Client;
using KubeRuntime.LeaderElection;
using TestKit;

namespace KubeRuntime.Tests.LeaderElection;

/// <summary>
/// Several electors, one lease, and virtual time, all on the test's own thread: a seed replays a run to the step. Each
/// process has clocks of its own, which may run unevenly, and can be paused: then nothing in it runs, and it wakes with
/// all its clocks moved on.
/// </summary>
internal sealed class Simulation
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private readonly List<SimulatedProcess> _processes = [];
    private long _order;

    public LeaseStore Store { get; } = new();

    public TimeSpan Now { get; private set; }

    public IReadOnlyList<SimulatedProcess> Processes => _processes;

    /// <summary>Runs after each tick.</summary>
    public Action EachTick { get; set; } = () => { };

    public SimulatedProcess Start(
        string identity,
        int seed = 1,
        double clockRate = 1,
        TimeSpan wallClockOff = default,
        Func<Fate?>? fate = null,
        Func<Leadership, CancellationToken, Task>? work = null
    )
    {
        var process = new SimulatedProcess(this, identity, new Random(seed), clockRate, wallClockOff);
        process.Fate = fate ?? process.Fate;
        process.Work = work ?? process.Work;
        _processes.Add(process);
        process.Begin();
        return process;
    }

    public void Remove(SimulatedProcess process) => _processes.Remove(process);

    public void After(TimeSpan delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    public void Run(TimeSpan time) => RunUntil(() => false, time);

    /// <returns>How long it took, or null when it did not come.</returns>
    public TimeSpan? RunUntil(Func<bool> holds, TimeSpan limit)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            for (var begin = Now; Now - begin < limit; Now += Tick)
            {
                if (holds())
                    return Now - begin;
                while (_events.TryPeek(out _, out var due) && due.At <= Now)
                    _events.Dequeue()();
                foreach (var process in _processes.ToList())
                    process.Step();
                EachTick();
            }
            return holds() ? limit : null;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }
}

/// <summary>A process with an elector, and work that writes whenever the guard lets it.</summary>
#pragma warning disable CA1001 // A process that is killed disposes nothing either; there is no timer in it.
internal sealed class SimulatedProcess : SynchronizationContext
#pragma warning restore CA1001
{
    private static readonly TimeSpan LongestWrite = TimeSpan.FromSeconds(3);

    /// <summary>Longer than the margin between two holders.</summary>
    private static readonly TimeSpan LongestHang = TimeSpan.FromSeconds(30);
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _ready = new();
    private readonly Simulation _simulation;
    private readonly Random _random;
    private readonly double _clockRate;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<Action> _news = new();
    private TimeSpan _steppedAt;
    private TimeSpan _toldUntil;

    public SimulatedProcess(
        Simulation simulation,
        string identity,
        Random random,
        double clockRate,
        TimeSpan wallClockOff
    )
    {
        (_simulation, Identity, _random, _clockRate, _steppedAt) = (
            simulation,
            identity,
            random,
            clockRate,
            simulation.Now
        );
        Work = WriteOnAndOnAsync;
        Clock = new ManualTimeProvider(ManualTimeProvider.DefaultStart + wallClockOff);
        var lease = new SimulatedLease(simulation.Store, CallAsync, Tell);
        Elector = new LeaderElector(
            lease,
            new LeaderElectorOptions(identity),
            random,
            new WatchedClock(Clock, OnWallClockRead),
            Logger
        );
    }

    public string Identity { get; }

    public ManualTimeProvider Clock { get; }

    public RecordingLogger Logger { get; } = new();

    public LeaderElector Elector { get; }

    /// <summary>Null until it has begun.</summary>
    public Task? Running { get; private set; }

    public bool Paused { get; set; }

    public bool Killed { get; set; }

    public bool WasStopped { get; private set; }

    /// <summary>Until then its calls vanish, and its watch tells nothing.</summary>
    public TimeSpan CutOffUntil { get; set; }

    public TimeSpan WatchStalledUntil { get; set; }

    /// <summary>
    /// Whether the watch catches up, from its own thread, while the election reads the wall clock. The election does
    /// that between a judgement of the lease and the claim that follows.
    /// </summary>
    public Func<bool> WatchInterrupts { get; set; } = () => false;

    /// <summary>What becomes of a call; null: answered after a moment.</summary>
    public Func<Fate?> Fate { get; set; } = () => null;

    /// <summary>Whether one write in fifty hangs.</summary>
    public Func<bool> MayHang { get; set; } = () => false;

    public Func<Leadership, CancellationToken, Task> Work { get; set; }

    /// <summary>The last write of the work is on its way until then, whatever becomes of the process.</summary>
    public TimeSpan BusyUntil { get; private set; }

    /// <summary>That write takes longer than a request should.</summary>
    public bool Hangs { get; private set; }

    public int Writes { get; private set; }

    public Action<SimulatedProcess> OnWrite { get; set; } = _ => { };

    public bool MayWrite => !Killed && !Paused && Elector.MayWrite;

    public void Begin() => Post(_ => Running = Elector.RunAsync(Work, _stop.Token), null);

    public void Stop()
    {
        WasStopped = true;
        Post(_ => _stop.Cancel(), null);
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        Assert.Equal(_thread, Environment.CurrentManagedThreadId); // else a seed would not replay
        _ready.Enqueue((d, state));
    }

    /// <summary>
    /// Timers fire first, with nothing run: what was waited for finds the clock as it is now, not as it was when it
    /// fell due.
    /// </summary>
    public void Step()
    {
        if (Paused || Killed)
            return;
        Clock.Advance((_simulation.Now - _steppedAt) * _clockRate);
        _steppedAt = _simulation.Now;
        SetSynchronizationContext(this);
        while (_ready.TryDequeue(out var next))
            next.Callback(next.State);
        SetSynchronizationContext(null);
    }

    private async Task WriteOnAndOnAsync(Leadership leadership, CancellationToken cancellationToken)
    {
        while (!leadership.Begun.IsCompleted && !cancellationToken.IsCancellationRequested)
            await Task.Delay(Simulation.Tick, Clock, CancellationToken.None);
        while (!cancellationToken.IsCancellationRequested)
        {
            if (Elector.MayWrite)
                await WriteAsync(
                    (MayHang() && _random.Next(50) == 0 ? LongestHang : LongestWrite) * _random.NextDouble()
                );
            await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(50, 700)), Clock, CancellationToken.None);
        }
    }

    private async Task WriteAsync(TimeSpan duration)
    {
        OnWrite(this);
        Writes++;
        (BusyUntil, Hangs) = (_simulation.Now + duration, duration > LongestWrite);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _simulation.After(duration, () => done.TrySetResult());
        await done.Task;
    }

    private async Task<Lease?> CallAsync(Func<Lease?> call, CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource<Lease?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.UnsafeRegister(
            _ => answered.TrySetCanceled(cancellationToken),
            null
        );
        var fate = Fate() ?? new Fate(Simulation.Tick, Simulation.Tick);
        if (_simulation.Now >= CutOffUntil && !fate.RequestLost)
        {
            _simulation.After(
                fate.There,
                () =>
                {
                    var (result, problem) = Serve(call, fate);
                    if (!fate.AnswerLost)
                        _simulation.After(
                            fate.Back,
                            () =>
                                _ = problem is null ? answered.TrySetResult(result) : answered.TrySetException(problem)
                        );
                }
            );
        }
        return await answered.Task;
    }

    private static (Lease? Result, KubeApiException? Problem) Serve(Func<Lease?> call, Fate fate)
    {
        if (fate.Failure is { } failure)
            return (null, LeaseStore.Failure(failure));
        try
        {
            return (call(), null);
        }
        catch (KubeApiException e)
        {
            return (null, e);
        }
    }

    /// <summary>News comes in order, late when the watch is stalled.</summary>
    private void Tell(Action news)
    {
        var at = _simulation.Now + Simulation.Tick;
        foreach (var hindrance in (TimeSpan[])[WatchStalledUntil, CutOffUntil, _toldUntil])
            at = hindrance > at ? hindrance : at;
        _toldUntil = at;
        _news.Enqueue(news);
        _simulation.After(at - _simulation.Now, () => Post(_ => TellNext(), null));
    }

    private void TellNext()
    {
        if (_news.TryDequeue(out var news))
            news();
    }

    private void OnWallClockRead()
    {
        if (_news.Count == 0 || _simulation.Now < CutOffUntil || !WatchInterrupts())
            return;
        while (_news.Count > 0)
            TellNext();
    }
}

/// <summary>Lets somebody else in at each reading of the wall clock.</summary>
internal sealed class WatchedClock(TimeProvider inner, Action onWallClockRead) : TimeProvider
{
    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow()
    {
        onWallClockRead();
        return inner.GetUtcNow();
    }

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}

/// <summary>What becomes of one call.</summary>
internal sealed record Fate(
    TimeSpan There,
    TimeSpan Back,
    bool RequestLost = false,
    bool AnswerLost = false,
    KubeFailureKind? Failure = null
);
