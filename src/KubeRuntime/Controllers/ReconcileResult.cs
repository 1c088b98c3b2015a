using KubeRuntime.Instrumentation;

namespace KubeRuntime.Controllers;

/// <summary>When a key is reconciled again, as its reconcile decided.</summary>
public abstract record ReconcileResult
{
    private ReconcileResult() { }

    /// <summary>Reconciles again only on a change of what is watched.</summary>
    public static ReconcileResult OnChange { get; } = new OnChangeOnly();

    /// <summary>Reconciles again after this time, or on a change; the back-off is reset.</summary>
    public sealed record After(TimeSpan Delay) : ReconcileResult;

    /// <summary>
    /// Reconciles again after the key's back-off, which grows with each retry in a row, and never before
    /// <paramref name="AtLeast"/>.
    /// </summary>
    public sealed record Retry(TimeSpan AtLeast) : ReconcileResult;

    /// <summary>
    /// Reconciles again soon, behind all keys that wait now: the work is not done, and the worker went to others.
    /// Neither a success nor a failure: the back-off and the count of attempts stay as they are.
    /// </summary>
    public static ReconcileResult Behind { get; } = new BehindOthers();

    /// <summary>Name of the result in metrics and traces.</summary>
    internal string MetricLabel =>
        this switch
        {
            Retry => ControllerMetrics.Error,
            After => ControllerMetrics.RequeueAfter,
            BehindOthers => ControllerMetrics.Requeue,
            _ => ControllerMetrics.Success,
        };

    internal sealed record OnChangeOnly : ReconcileResult;

    internal sealed record BehindOthers : ReconcileResult;
}
