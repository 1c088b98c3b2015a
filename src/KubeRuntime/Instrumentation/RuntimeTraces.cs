using System.Diagnostics;

namespace KubeRuntime.Instrumentation;

/// <summary>
/// Makes one span per reconcile. The requests to Kubernetes are its children; .NET's own HTTP client makes them.
/// Without a listener no span is made, and it costs the test of a flag.
/// </summary>
public static class RuntimeTraces
{
    public const string SourceName = "KubeRuntime";

    /// <summary>The source of .NET's HTTP client, whose spans follow the semantic conventions.</summary>
    public const string HttpSourceName = "System.Net.Http";

    /// <summary>Name of a reconcile's span, which begins a trace.</summary>
    public const string Reconcile = "reconcile";

    private static readonly ActivitySource Source = new(SourceName);

    /// <param name="id">The id of the reconcile, as in the log.</param>
    internal static Activity? Begin(string? ns, string name, string id)
    {
        // Work is its own beginning: whoever started the worker is not its parent.
        Activity.Current = null;
        var span = Source.StartActivity(Reconcile);
        span?.SetTag("k8s.namespace.name", ns)
            .SetTag("kuberuntime.object.name", name)
            .SetTag("kuberuntime.reconcile.id", id);
        return span;
    }

    /// <param name="result">The result, as the metrics name it.</param>
    internal static void End(Activity? span, string result)
    {
        if (span is null)
            return;
        span.SetTag("kuberuntime.reconcile.result", result);
        if (result == ControllerMetrics.Error)
            span.SetStatus(ActivityStatusCode.Error);
    }
}
