namespace KubeRuntime.Client;

/// <summary>Which objects of a kind a list or a watch is about.</summary>
/// <param name="Namespace">Null for all namespaces.</param>
public sealed record WatchScope(string? Namespace)
{
    /// <summary>As <c>kubectl --selector</c> takes it; empty for all.</summary>
    public string LabelSelector { get; init; } = "";

    /// <summary>As <c>kubectl --field-selector</c> takes it; empty for all.</summary>
    public string FieldSelector { get; init; } = "";

    /// <summary>For a query that has begun.</summary>
    internal string Query => Parameter("labelSelector", LabelSelector) + Parameter("fieldSelector", FieldSelector);

    private static string Parameter(string name, string value) =>
        value.Length == 0 ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
