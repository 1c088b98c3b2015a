using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace KubeRuntime.Tests.Instrumentation;

/// <summary>A meter and the one who listens to it.</summary>
internal sealed class MetricCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Sample> _samples = new();

    public MetricCollector(bool listens = true)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != Meter)
                return;
            Instruments.Enqueue(instrument);
            if (listens)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Take(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Take(i, value, tags));
        _listener.Start();
    }

    public Meter Meter { get; } = new("test");

    public ConcurrentQueue<Instrument> Instruments { get; } = new();

    /// <summary>Everything recorded so far, and what the observed instruments say now.</summary>
    public IReadOnlyList<Sample> Collect()
    {
        _listener.RecordObservableInstruments();
        return [.. _samples];
    }

    /// <summary>
    /// Of an instrument's measurements, those whose label values hold all of <paramref name="labels"/>.
    /// </summary>
    public IReadOnlyList<double> Values(string instrument, params string[] labels) =>
        [
            .. Collect()
                .Where(s => s.Instrument == instrument && labels.All(l => s.Tags.Any(t => t.Value as string == l)))
                .Select(s => s.Value),
        ];

    public double Sum(string instrument, params string[] labels) => Values(instrument, labels).Sum();

    /// <summary>What an observed instrument says now.</summary>
    public double Last(string instrument, params string[] labels) => Values(instrument, labels)[^1];

    public void Dispose()
    {
        _listener.Dispose();
        Meter.Dispose();
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _samples.Enqueue(new Sample(instrument.Name, value, tags.ToArray()));

    internal sealed record Sample(string Instrument, double Value, KeyValuePair<string, object?>[] Tags);
}
