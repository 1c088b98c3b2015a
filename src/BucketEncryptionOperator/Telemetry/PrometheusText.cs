using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>Writes measurements in Prometheus' text format, version 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="metric">With at least one series, as the SDK exports it.</param>
    public static void Write(StringBuilder text, Metric metric)
    {
        var (name, type) = PrometheusMetadata.Of(metric);
        Head(text, name, type, metric.Description);
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (metric.MetricType is MetricType.Histogram)
                Histogram(text, name, point);
            else
                Line(text, name, "", point.Tags, le: null, ValueOf(metric.MetricType, point));
        }
    }

    private static void Head(StringBuilder text, string name, string type, string description) =>
        text.Append("# HELP ")
            .Append(name)
            .Append(' ')
            .Append(
                description
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal)
            )
            .Append('\n')
            .Append("# TYPE ")
            .Append(name)
            .Append(' ')
            .Append(type)
            .Append('\n');

    private static double ValueOf(MetricType type, in MetricPoint point) =>
        type switch
        {
            MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
            MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
            MetricType.LongGauge => point.GetGaugeLastValueLong(),
            MetricType.DoubleGauge => point.GetGaugeLastValueDouble(),
            _ => throw new InvalidOperationException($"metrics of type {type} are not supported"),
        };

    /// <summary>
    /// Writes a histogram. A bucket of Prometheus counts everything up to its bound; one of the SDK counts what is
    /// between two bounds.
    /// </summary>
    private static void Histogram(StringBuilder text, string name, in MetricPoint point)
    {
        var sum = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
            Line(text, name, "_bucket", point.Tags, Number(bucket.ExplicitBound), sum += bucket.BucketCount);
        Line(text, name, "_sum", point.Tags, le: null, point.GetHistogramSum());
        Line(text, name, "_count", point.Tags, le: null, point.GetHistogramCount());
    }

    private static void Line(
        StringBuilder text,
        string name,
        string suffix,
        ReadOnlyTagCollection tags,
        string? le,
        double value
    )
    {
        text.Append(name).Append(suffix);
        var separator = '{';
        foreach (var tag in tags)
        {
            Label(text, separator, tag.Key, Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "");
            separator = ',';
        }
        if (le is not null)
        {
            Label(text, separator, "le", le);
            separator = ',';
        }
        text.Append(separator == ',' ? "} " : " ").Append(Number(value)).Append('\n');
    }

    private static void Label(StringBuilder text, char separator, string name, string value) =>
        text.Append(separator)
            .Append(PrometheusMetadata.Legal(name))
            .Append("=\"")
            .Append(
                value
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal)
            )
            .Append('"');

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
