using KubeRuntime.Instrumentation;

namespace KubeRuntime.Controllers;

/// <summary>When a key should come back, as its reconcile decided.</summary>
public abstract record ReconcileResult
{
    private ReconcileResult() { }

    /// <summary>Only on a change of what is watched.</summary>
    public static ReconcileResult OnChange { get; } = new OnChangeOnly();

    /// <summary>At this time, or on a change; the back-off starts anew.</summary>
    public sealed record After(TimeSpan Delay) : ReconcileResult;

    /// <summary>
    /// After the key's back-off, which grows with each in a row, and never before <paramref name="AtLeast"/>.
    /// </summary>
    public sealed record Retry(TimeSpan AtLeast) : ReconcileResult;

    /// <summary>
    /// Soon, behind all keys that wait now: the work is not done, and it has given its worker to others. Neither a
    /// success nor a failure: the back-off and the count of attempts stay as they are.
    /// </summary>
    public static ReconcileResult Behind { get; } = new BehindOthers();

    /// <summary>Its name in metrics and traces.</summary>
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
