using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// Collects when it is asked to, and not otherwise: a process that nobody scrapes does nothing for it.
/// </summary>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private static readonly TimeSpan LongestCollection = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();

    /// <summary>Set by the reader.</summary>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>
    /// All measurements as they are now; null where they could not be had. One at a time: a second caller waits for its
    /// turn.
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
