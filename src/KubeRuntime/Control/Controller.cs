using KubeRuntime.Api;
using KubeRuntime.Queueing;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Control;

/// <param name="Workers">Reconciles at a time.</param>
/// <param name="ReconcileTimeout">Longest time for one reconcile; after it the key is retried.</param>
/// <param name="DrainTimeout">How long running reconciles may go on after a stop was asked for.</param>
public sealed record ControllerOptions(int Workers, TimeSpan ReconcileTimeout, TimeSpan DrainTimeout);

/// <summary>
/// Sources feed keys into the queue; N workers take them. It starts when every source has seen a complete list, and no
/// failure of a reconcile ends it. Stopping: intake ends, running reconciles finish (bounded), then their token is cancelled.
/// </summary>
public sealed class Controller(
    IReadOnlyList<IWatchSource> sources, WorkQueue<NamespacedName> queue, IReconciler reconciler, ControllerOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>A bug seldom goes away in milliseconds, and each try writes a stack to the log.</summary>
    private static readonly TimeSpan PauseAfterBug = TimeSpan.FromSeconds(1);

    private volatile bool _running;

    /// <summary>Every source has seen a complete list: what is decided is decided on everything.</summary>
    public bool IsReady => _running && sources.All(s => s.IsSynced);

    /// <summary>False once a loop has ended that should not: only a restart mends that.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>Runs until cancelled. An exception here is a bug of the runtime, and should end the process.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var intake = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var work = new CancellationTokenSource();
        var watches = sources.Select(s => s.RunAsync(queue.Add, intake.Token)).ToList();
        var workers = new List<Task>();
        try
        {
            var synced = Task.WhenAll(sources.Select(s => s.WhenSynced));
            await await Task.WhenAny([synced.WaitAsync(intake.Token), .. watches]);
            Log.Synced(logger, queue.Depth);
            _running = true;
            workers.AddRange(Enumerable.Range(0, options.Workers).Select(_ => WorkAsync(work.Token)));
            await await Task.WhenAny([.. watches, .. workers]);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            IsAlive = cancellationToken.IsCancellationRequested;
            _running = false;
            await intake.CancelAsync();
            await DrainAsync(workers, work);
            await Task.WhenAll(watches).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task DrainAsync(List<Task> workers, CancellationTokenSource work)
    {
        queue.ShutDown();
        var done = Task.WhenAll(workers);
        if (await Task.WhenAny(done, Task.Delay(options.DrainTimeout, time, CancellationToken.None)) != done)
        {
            Log.DrainCutShort(logger, options.DrainTimeout);
            await work.CancelAsync();
        }
        await done.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        while (await queue.TakeAsync(cancellationToken) is { } key)
        {
            var requeue = await ReconcileAsync(key, cancellationToken);
            if (requeue is not Requeue.Retry)
                queue.Forget(key);
            switch (requeue)
            {
                case Requeue.After after:
                    queue.AddAfter(key, after.Delay);
                    break;
                case Requeue.Retry retry:
                    queue.AddRateLimited(key, retry.AtLeast);
                    break;
            }
            queue.Done(key);
        }
    }

    private async Task<Requeue> ReconcileAsync(NamespacedName key, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ReconcileTimeout, time, cancellationToken);
        try
        {
            return await reconciler.ReconcileAsync(key, queue.Failures(key), deadline.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Requeue.OnChange; // the process ends
        }
        catch (OperationCanceledException)
        {
            Log.ReconcileTimedOut(logger, key, options.ReconcileTimeout);
        }
#pragma warning disable CA1031 // One of the two catch-alls (CONTRIBUTING, "Errors"): a bug in one object's reconcile must not end the others'.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.ReconcileFailed(logger, key, e);
        }
        return new Requeue.Retry(PauseAfterBug);
    }
}
