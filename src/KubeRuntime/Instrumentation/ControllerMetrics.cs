namespace KubeRuntime.Instrumentation;

/// <summary>One controller's measurements.</summary>
/// <param name="name">Of the controller.</param>
public sealed class ControllerMetrics(RuntimeMetrics metrics, string name)
{
    /// <summary>Results of a reconcile, in controller-runtime's words.</summary>
    internal const string Success = "success";
    internal const string RequeueAfter = "requeue_after";
    internal const string Requeue = "requeue";
    internal const string Error = "error";

    private readonly KeyValuePair<string, object?> _controller = new("controller", name);
    private int _active;

    /// <summary>Counters begin at zero, so that the first failure is a rise that an alert sees.</summary>
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

    /// <summary>A retry counts as an error: it is how a reconciler says that it failed.</summary>
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
