using System.Collections.Immutable;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Controllers;

/// <param name="Workers">Maximum number of reconciles at a time.</param>
/// <param name="ReconcileTimeout">Timeout of one reconcile; after it the key is retried.</param>
/// <param name="DrainTimeout">Time for running reconciles to end after a stop was requested.</param>
public sealed record ControllerOptions(int Workers, TimeSpan ReconcileTimeout, TimeSpan DrainTimeout);

/// <summary>
/// Feeds keys from sources into the queue; N workers take them. It starts when every source has seen a complete list
/// and the process leads. No failure of a reconcile ends it. On a stop, intake ends, running reconciles finish within a
/// limit, and then their token is cancelled.
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
    /// <summary>
    /// Pause after a bug: it seldom goes away in milliseconds, and each try writes a stack to the log.
    /// </summary>
    private static readonly TimeSpan PauseAfterBug = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Time for a cancelled reconcile to end. One that does not end is abandoned, because the process must end.
    /// </summary>
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time after the timeout of a reconcile from which it hangs. One that observes its cancellation ends well within
    /// it, even on a machine under load.
    /// </summary>
    public static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The watchdogs of the worker loops: one loop per key that may be in work at a time. A queue with shares hands out
    /// at most one key per worker, and the slow ones.
    /// </summary>
    private readonly ImmutableArray<Watchdog> _workers =
    [
        .. Enumerable.Range(1, queue.MostAtATime ?? options.Workers).Select(i => new Watchdog($"worker {i}", time)),
    ];
    private volatile bool _running;
    private volatile bool _dead;

    /// <summary>Whether every source has seen a complete list, so that decisions see everything.</summary>
    public bool IsReady => _running && sources.All(s => s.IsSynced);

    /// <summary>
    /// What is wrong with a loop, null if nothing is: it has ended and should not have, or it hangs longer than every
    /// limit of its own. Only a restart resolves that.
    /// </summary>
    public string? UnhealthyReason =>
        _dead ? "a loop has ended"
        : sources.SelectMany(s => s.Heartbeats).Concat(_workers).FirstOrDefault(b => b.IsOverdue) is { } hanging
            ? $"{hanging.Name} hangs"
        : null;

    /// <summary>Runs until cancelled. An exception is a bug of the runtime, and should end the process.</summary>
    /// <param name="leadership">
    /// Watches run and the queue fills before the process leads; only the workers wait. Once leadership is lost,
    /// running reconciles are cancelled.
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
                throw new InvalidOperationException("a watch ended that should run forever");
            metrics?.Start(options.Workers);
            workers.AddRange(_workers.Select(beat => WorkAsync(beat, work.Token)));
            // The workers end with the queue, and there may be no watch that ends on a stop
            var stopped = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, intake.Token);
            await FirstEndAsync([.. watches, .. workers, stopped]);
            cancellationToken.ThrowIfCancellationRequested();
            throw new InvalidOperationException("a watch or a worker ended that should run forever");
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

    /// <summary>Waits for the first of the tasks to end, and rethrows its exception.</summary>
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

    /// <summary>
    /// Runs one reconcile under one id, which is in everything that is logged of it, and in its trace.
    /// </summary>
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
