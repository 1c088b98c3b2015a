using KubeRuntime.Control;

namespace KubeRuntime.Metrics;

/// <summary>One controller's measurements.</summary>
/// <param name="name">Of the controller.</param>
public sealed class ControllerMetrics(RuntimeMetrics metrics, string name)
{
    private readonly KeyValuePair<string, object?> _controller = new("controller", name);
    private int _active;

    /// <summary>Counters begin at zero, so that the first failure is a rise that an alert sees.</summary>
    internal void Start(int workers)
    {
        metrics.WatchWorkers(name, workers, () => Volatile.Read(ref _active));
        foreach (var result in (ReadOnlySpan<string>)["success", "requeue_after", "requeue", "error"])
            metrics.Reconciles.Add(0, _controller, new("result", result));
        metrics.Errors.Add(0, _controller);
        metrics.Panics.Add(0, _controller);
        metrics.Timeouts.Add(0, _controller);
    }

    internal void Began() => Interlocked.Increment(ref _active);

    /// <summary>A retry counts as an error: it is how a reconciler says that it failed.</summary>
    internal void Ended(Requeue requeue, TimeSpan took)
    {
        Interlocked.Decrement(ref _active);
        metrics.ReconcileTime.Record(took.TotalSeconds, _controller);
        if (requeue is Requeue.Retry)
            metrics.Errors.Add(1, _controller);
        metrics.Reconciles.Add(1, _controller, new("result", ResultOf(requeue)));
    }

    internal static string ResultOf(Requeue requeue) =>
        requeue switch
        {
            Requeue.Retry => "error",
            Requeue.After => "requeue_after",
            Requeue.BehindOthers => "requeue",
            _ => "success",
        };

    internal void Threw() => metrics.Panics.Add(1, _controller);

    internal void TimedOut() => metrics.Timeouts.Add(1, _controller);
}
