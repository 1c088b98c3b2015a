using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>Measurements in Prometheus' text format, version 0.0.4. Names are taken as they are: ours are legal.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Write(StringBuilder text, Metric metric)
    {
        var begun = false;
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            var value = metric.MetricType is MetricType.Histogram ? 0 : ValueOf(metric.MetricType, point);
            if (double.IsNaN(value))
                continue; // a series that has ended
            if (!begun)
                Head(text, metric);
            begun = true;
            if (metric.MetricType is MetricType.Histogram)
                Histogram(text, metric.Name, point);
            else
                Line(text, metric.Name, "", point.Tags, le: null, value);
        }
    }

    private static void Head(StringBuilder text, Metric metric)
    {
        var type = metric.MetricType switch
        {
            MetricType.LongSum or MetricType.DoubleSum => "counter",
            MetricType.Histogram => "histogram",
            _ => "gauge",
        };
        text.Append("# HELP ").Append(metric.Name).Append(' ').Append(metric.Description.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n')
            .Append("# TYPE ").Append(metric.Name).Append(' ').Append(type).Append('\n');
    }

    private static double ValueOf(MetricType type, in MetricPoint point) => type switch
    {
        MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
        MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
        MetricType.LongGauge => point.GetGaugeLastValueLong(),
        MetricType.DoubleGauge => point.GetGaugeLastValueDouble(),
        _ => throw new InvalidOperationException($"no metric of type {type} is ours"),
    };

    /// <summary>Prometheus' buckets hold all up to their bound; the SDK's, what is between two.</summary>
    private static void Histogram(StringBuilder text, string name, in MetricPoint point)
    {
        var sum = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
            Line(text, name, "_bucket", point.Tags, Number(bucket.ExplicitBound), sum += bucket.BucketCount);
        Line(text, name, "_sum", point.Tags, le: null, point.GetHistogramSum());
        Line(text, name, "_count", point.Tags, le: null, point.GetHistogramCount());
    }

    private static void Line(StringBuilder text, string name, string suffix, ReadOnlyTagCollection tags, string? le, double value)
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

    /// <summary>The SDK's own label for what is beyond a limit has dots in it.</summary>
    private static void Label(StringBuilder text, char separator, string name, string value) =>
        text.Append(separator).Append(name.Replace('.', '_')).Append("=\"")
            .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
