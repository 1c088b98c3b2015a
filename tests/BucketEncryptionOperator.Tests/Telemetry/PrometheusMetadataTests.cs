using BucketEncryptionOperator.Telemetry;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Tests.Telemetry;

public sealed class PrometheusMetadataTests
{
    [Theory]
    [InlineData(
        "a counter ends with _total",
        "a.collections",
        "{collection}",
        MetricType.LongSum,
        "a_collections_total counter"
    )]
    [InlineData(
        "its unit is before that",
        "a.pause.time",
        "s",
        MetricType.DoubleSum,
        "a_pause_time_seconds_total counter"
    )]
    [InlineData(
        "a gauge ends with its unit",
        "a.heap.size",
        "By",
        MetricType.LongSumNonMonotonic,
        "a_heap_size_bytes gauge"
    )]
    [InlineData("a gauge does not end with _count", "a.timer.count", "{timer}", MetricType.LongGauge, "a_timer gauge")]
    [InlineData(
        "a counter may have the word",
        "a.item.count",
        "{item}",
        MetricType.LongSum,
        "a_item_count_total counter"
    )]
    [InlineData("other units have no suffix", "a.ratio", "1", MetricType.DoubleGauge, "a_ratio gauge")]
    [InlineData("a right name stays", "a_cpu_seconds_total", "", MetricType.DoubleSum, "a_cpu_seconds_total counter")]
    [InlineData("and with its unit", "a_cpu_seconds_total", "s", MetricType.DoubleSum, "a_cpu_seconds_total counter")]
    [InlineData("that of a histogram", "a_time_seconds", "s", MetricType.Histogram, "a_time_seconds histogram")]
    [InlineData("that of a gauge", "a_rate", "", MetricType.DoubleGauge, "a_rate gauge")]
    [InlineData(
        "a queue is a gauge, whatever .NET says",
        "dotnet.thread_pool.queue.length",
        "{work_item}",
        MetricType.LongSum,
        "dotnet_thread_pool_queue_length gauge"
    )]
    [InlineData(
        "so are threads",
        "dotnet.thread_pool.thread.count",
        "{thread}",
        MetricType.LongSum,
        "dotnet_thread_pool_thread gauge"
    )]
    [InlineData(
        "also when .NET has corrected it",
        "dotnet.thread_pool.thread.count",
        "{thread}",
        MetricType.LongSumNonMonotonic,
        "dotnet_thread_pool_thread gauge"
    )]
    public void A_name_and_a_type_as_prometheus_wants_them(
        string sentence,
        string name,
        string unit,
        MetricType type,
        string expected
    )
    {
        var actual = PrometheusMetadata.Of(name, unit, type);

        Assert.True($"{actual.Name} {actual.Type}" == expected, $"{sentence}: {actual}");
    }
}
