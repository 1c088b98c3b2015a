using System.Collections.Immutable;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Controllers;

/// <param name="Workers">Reconciles at a time.</param>
/// <param name="ReconcileTimeout">Longest time for one reconcile; after it the key is retried.</param>
/// <param name="DrainTimeout">How long running reconciles may go on after a stop was asked for.</param>
public sealed record ControllerOptions(int Workers, TimeSpan ReconcileTimeout, TimeSpan DrainTimeout);

/// <summary>
/// Sources feed keys into the queue; N workers take them. It starts when every source has seen a complete list and the
/// process leads, and no failure of a reconcile ends it. Stopping: intake ends, running reconciles finish (bounded),
/// then their token is cancelled.
/// </summary>
public sealed class Controller(
    IReadOnlyList<IInformer> sources,
    WorkQueue<NamespacedName> queue,
    IReconciler reconciler,
    ControllerOptions options,
    TimeProvider time,
    ILogger logger,
    ControllerMetrics? metrics = null
)
{
    /// <summary>A bug seldom goes away in milliseconds, and each try writes a stack to the log.</summary>
    private static readonly TimeSpan PauseAfterBug = TimeSpan.FromSeconds(1);

    /// <summary>
    /// For a reconcile to notice that it is cancelled; one that does not is left behind, for the process must end.
    /// </summary>
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Beyond its time limit; a reconcile that heeds its cancellation ends well within it, even on a machine under
    /// load.
    /// </summary>
    public static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(30);

    /// <summary>
    /// One for each key that may be worked on at a time. Where the queue has shares, it hands out no more than there
    /// are workers, and those that are slow.
    /// </summary>
    private readonly ImmutableArray<Watchdog> _workers =
    [
        .. Enumerable.Range(1, queue.MostAtATime ?? options.Workers).Select(i => new Watchdog($"worker {i}", time)),
    ];
    private volatile bool _running;
    private volatile bool _dead;

    /// <summary>Every source has seen a complete list: what is decided is decided on everything.</summary>
    public bool IsReady => _running && sources.All(s => s.IsSynced);

    /// <summary>
    /// What is wrong with a loop, null when all is well: it has ended and should not have, or it hangs beyond every
    /// bound of its own. Only a restart mends that.
    /// </summary>
    public string? UnhealthyReason =>
        _dead ? "a loop has ended"
        : sources.SelectMany(s => s.Heartbeats).Concat(_workers).FirstOrDefault(b => b.IsOverdue) is { } hanging
            ? $"{hanging.Name} hangs"
        : null;

    /// <summary>Runs until cancelled. An exception here is a bug of the runtime, and should end the process.</summary>
    /// <param name="leadership">
    /// Watches run and the queue fills before it begins; only the workers wait. Once it is lost, running reconciles are
    /// cancelled.
    /// </param>
    /// <exception cref="InvalidOperationException">A loop has ended that should not.</exception>
    public async Task RunAsync(Leadership leadership, CancellationToken cancellationToken)
    {
        using var intake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var work = CancellationTokenSource.CreateLinkedTokenSource(leadership.Lost);
        var watches = sources.Select(s => s.RunAsync(queue.Add, intake.Token)).ToList();
        var workers = new List<Task>();
        try
        {
            var synced = Task.WhenAll(sources.Select(s => s.WhenSynced));
            await FirstEndAsync([synced.WaitAsync(intake.Token), .. watches]);
            if (!synced.IsCompleted)
                throw new InvalidOperationException("a watch ended before it had seen a complete list");
            Log.Synced(logger, queue.Depth);
            _running = true;
            await FirstEndAsync([leadership.Begun.WaitAsync(intake.Token), .. watches]);
            if (!leadership.Begun.IsCompleted)
                throw new InvalidOperationException("a watch ended that should run for ever");
            metrics?.Start(options.Workers);
            workers.AddRange(_workers.Select(beat => WorkAsync(beat, work.Token)));
            await FirstEndAsync([.. watches, .. workers]);
            cancellationToken.ThrowIfCancellationRequested();
            throw new InvalidOperationException("a watch or a worker ended that should run for ever");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            _dead = !cancellationToken.IsCancellationRequested;
            _running = false;
            await intake.CancelAsync();
            await DrainAsync(workers, work);
            await Task.WhenAll(watches).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits for the first of the tasks to end, and throws what it threw.</summary>
    private static async Task FirstEndAsync(IEnumerable<Task> tasks) => await await Task.WhenAny(tasks);

    private async Task DrainAsync(List<Task> workers, CancellationTokenSource work)
    {
        queue.ShutDown();
        var done = Task.WhenAll(workers);
        if (await EndsWithinAsync(done, options.DrainTimeout))
            return;
        Log.DrainCutShort(logger, options.DrainTimeout);
        await work.CancelAsync();
        if (!await EndsWithinAsync(done, CancelTimeout))
            Log.DrainGivenUp(logger, CancelTimeout);
    }

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan limit)
    {
        await task.WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    private async Task WorkAsync(Watchdog heartbeat, CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (await queue.TakeAsync(cancellationToken) is { } key)
        {
            heartbeat.Arm(within: options.ReconcileTimeout + HangsAfter);
            metrics?.Began();
            var from = time.GetTimestamp();
            var requeue = await ReconcileAsync(key, cancellationToken);
            metrics?.Ended(requeue.MetricLabel, time.GetElapsedTime(from));
            if (requeue is not (ReconcileResult.Retry or ReconcileResult.BehindOthers))
                queue.Forget(key);
            switch (requeue)
            {
                case ReconcileResult.After after:
                    queue.AddAfter(key, after.Delay);
                    break;
                case ReconcileResult.BehindOthers:
                    queue.AddBehind(key);
                    break;
                case ReconcileResult.Retry retry:
                    queue.AddRateLimited(key, retry.AtLeast);
                    break;
            }
            queue.Done(key);
            heartbeat.Disarm();
        }
    }

    /// <summary>One id in all that is logged of a reconcile, and in its trace.</summary>
    private async Task<ReconcileResult> ReconcileAsync(NamespacedName key, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString();
        using var span = RuntimeTraces.Begin(key.Namespace, key.Name, id);
        using var scope = Log.ReconcileScope(logger, id);
        var requeue = await TryAsync(key, cancellationToken);
        RuntimeTraces.End(span, requeue.MetricLabel);
        return requeue;
    }

    private async Task<ReconcileResult> TryAsync(NamespacedName key, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ReconcileTimeout, time, cancellationToken);
        try
        {
            return await reconciler.ReconcileAsync(key, queue.Failures(key), deadline.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ReconcileResult.OnChange; // the process ends
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            Log.ReconcileTimedOut(logger, key, options.ReconcileTimeout);
            metrics?.TimedOut();
        }
        // One of the catch-alls (CONTRIBUTING, "Errors"): a bug in one object's reconcile must not end the others'.
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.ReconcileFailed(logger, key, e);
            metrics?.Threw();
        }
        return new ReconcileResult.Retry(PauseAfterBug);
    }
}
