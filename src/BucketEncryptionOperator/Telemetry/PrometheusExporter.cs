using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>Collects only when it is asked to: a process that is not scraped collects nothing.</summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private static readonly TimeSpan LongestCollection = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();

    /// <summary>Set by the metric reader.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>
    /// Returns all measurements as they are now; null if they could not be collected. A second caller waits for the
    /// first.
    /// </summary>
    public string? Read()
    {
        lock (_gate)
        {
            _text.Clear();
            return Collect?.Invoke((int)LongestCollection.TotalMilliseconds) == true ? _text.ToString() : null;
        }
    }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        foreach (var metric in batch)
            PrometheusText.Write(_text, metric);
        return ExportResult.Success;
    }
}
