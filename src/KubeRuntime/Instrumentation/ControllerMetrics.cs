namespace KubeRuntime.Instrumentation;

/// <summary>The metrics of one controller.</summary>
/// <param name="name">Name of the controller.</param>
public sealed class ControllerMetrics(RuntimeMetrics metrics, string name)
{
    /// <summary>Results of a reconcile, in controller-runtime's words.</summary>
    internal const string Success = "success";
    internal const string RequeueAfter = "requeue_after";
    internal const string Requeue = "requeue";
    internal const string Error = "error";

    private readonly KeyValuePair<string, object?> _controller = new("controller", name);
    private int _active;

    /// <summary>Sets all counters to zero, so that an alert sees the first failure as a rise.</summary>
    internal void Start(int workers)
    {
        metrics.WatchWorkers(name, workers, () => Volatile.Read(ref _active));
        foreach (var result in (ReadOnlySpan<string>)[Success, RequeueAfter, Requeue, Error])
            metrics.Reconciles.Add(0, _controller, new("result", result));
        metrics.Errors.Add(0, _controller);
        metrics.Panics.Add(0, _controller);
        metrics.Timeouts.Add(0, _controller);
    }

    internal void Began() => Interlocked.Increment(ref _active);

    /// <summary>Counts a reconcile. A retry counts as an error: a reconciler reports a failure so.</summary>
    internal void Ended(string result, TimeSpan took)
    {
        Interlocked.Decrement(ref _active);
        metrics.ReconcileTime.Record(took.TotalSeconds, _controller);
        if (result == Error)
            metrics.Errors.Add(1, _controller);
        metrics.Reconciles.Add(1, _controller, new("result", result));
    }

    internal void Threw() => metrics.Panics.Add(1, _controller);

    internal void TimedOut() => metrics.Timeouts.Add(1, _controller);
}
