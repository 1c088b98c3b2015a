using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// Name and type of a metric as Prometheus expects them. The rules are those of OpenTelemetry's specification
/// "Prometheus and OpenMetrics compatibility", and one that <c>promtool check metrics</c> adds: a gauge does not end
/// with <c>_count</c>. A name that already follows them, as all of ours do, stays as it is.
/// </summary>
internal readonly record struct PrometheusMetadata(string Name, string Type)
{
    private const string Counter = "counter";
    private const string Gauge = "gauge";
    private const string Histogram = "histogram";
    private const string Total = "_total";
    private const string Count = "_count";

    public static PrometheusMetadata Of(Metric metric) => Of(metric.Name, metric.Unit, metric.MetricType);

    /// <param name="unit">The unit in UCUM: <c>s</c>, <c>By</c>, or a word in braces, which has no suffix.</param>
    public static PrometheusMetadata Of(string name, string unit, MetricType type)
    {
        var legal = Legal(name);
        return TypeOf(name, type) switch
        {
            Counter => new(WithEnd(WithEnd(WithoutEnd(legal, Total), Suffix(unit)), Total), Counter),
            Gauge => new(WithEnd(WithoutEnd(legal, Count), Suffix(unit)), Gauge),
            _ => new(WithEnd(legal, Suffix(unit)), Histogram),
        };
    }

    /// <summary>OpenTelemetry separates the words of metrics and attributes with dots.</summary>
    public static string Legal(string name) => name.Replace('.', '_');

    private static string TypeOf(string name, MetricType type) =>
        type switch
        {
            // .NET 10 makes them counters although they fall: github.com/dotnet/runtime/issues/126167
            _ when name is "dotnet.thread_pool.queue.length" or "dotnet.thread_pool.thread.count" => Gauge,
            MetricType.LongSum or MetricType.DoubleSum => Counter,
            MetricType.Histogram => Histogram,
            _ => Gauge,
        };

    private static string Suffix(string unit) =>
        unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };

    private static string WithEnd(string name, string end) =>
        name.EndsWith(end, StringComparison.Ordinal) ? name : name + end;

    private static string WithoutEnd(string name, string end) =>
        name.EndsWith(end, StringComparison.Ordinal) ? name[..^end.Length] : name;
}
