using System.Diagnostics.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// A gauge whose series come and go. The SDK keeps the last value of a series for ever; one that is not told any more says NaN here, which is how Prometheus' text leaves it out.
/// </summary>
internal sealed class FadingGauge
{
    private readonly Func<IEnumerable<Reading>> _read;
    private readonly string[] _labels;
    private readonly HashSet<Reading> _told = new(SameSeries.Instance);

    /// <param name="read">What is there now, asked when somebody collects.</param>
    public FadingGauge(Meter meter, string name, string description, IReadOnlyList<string> labels, Func<IEnumerable<Reading>> read)
    {
        (_labels, _read) = ([.. labels], read);
        meter.CreateObservableGauge(name, Tell, description: description);
    }

    /// <param name="Values">Of the labels, in their order.</param>
    public readonly record struct Reading(double Value, params string[] Values);

    private List<Measurement<double>> Tell()
    {
        var now = new HashSet<Reading>(_read(), SameSeries.Instance);
        _told.ExceptWith(now);
        var all = now.Concat(_told.Select(gone => gone with { Value = double.NaN })).Select(r => new Measurement<double>(r.Value, _labels.Zip(r.Values, (l, v) => new KeyValuePair<string, object?>(l, v)))).ToList();
        _told.UnionWith(now);
        return all;
    }

    private sealed class SameSeries : IEqualityComparer<Reading>
    {
        public static SameSeries Instance { get; } = new();

        public bool Equals(Reading a, Reading b) => a.Values.AsSpan().SequenceEqual(b.Values);

        public int GetHashCode(Reading reading)
        {
            var hash = default(HashCode);
            foreach (var value in reading.Values)
                hash.Add(value, StringComparer.Ordinal);
            return hash.ToHashCode();
        }
    }
}
