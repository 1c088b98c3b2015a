using System.Diagnostics;
using KubeRuntime.Api;
using KubeRuntime.Control;

namespace KubeRuntime.Metrics;

/// <summary>
/// A span for each reconcile. What it asks of Kubernetes are its children, told by .NET's own HTTP client. While nobody listens no span is made, and it costs a test of a flag.
/// </summary>
public static class RuntimeTraces
{
    public const string SourceName = "KubeRuntime";

    /// <summary>The source of .NET's HTTP client, whose spans follow the semantic conventions.</summary>
    public const string HttpSourceName = "System.Net.Http";

    /// <summary>The name of a reconcile's span: the one that begins a trace.</summary>
    public const string Reconcile = "reconcile";

    private static readonly ActivitySource Source = new(SourceName);

    /// <param name="id">The same as in the log.</param>
    internal static Activity? Begin(NamespacedName key, string id)
    {
        // Work is its own beginning: whoever started the worker is not its parent.
        Activity.Current = null;
        var span = Source.StartActivity(Reconcile);
        span?.SetTag("k8s.namespace.name", key.Namespace)
            .SetTag("kuberuntime.object.name", key.Name)
            .SetTag("kuberuntime.reconcile.id", id);
        return span;
    }

    internal static void End(Activity? span, Requeue requeue)
    {
        if (span is null)
            return;
        span.SetTag("kuberuntime.reconcile.result", ControllerMetrics.ResultOf(requeue));
        if (requeue is Requeue.Retry)
            span.SetStatus(ActivityStatusCode.Error);
    }
}
