using System.Diagnostics.Metrics;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// A gauge whose series come and go. The SDK keeps the last value of a series for the life of the process. A series
/// that has ended is reported as NaN once more, so that NaN is the value that the SDK keeps; our Prometheus text leaves
/// it out.
/// </summary>
/// <remarks>
/// The SDK's own memory of a series stays, up to its limit of series per metric: label values must be bounded all the
/// same.
/// </remarks>
internal sealed class FadingGauge
{
    private readonly Func<IEnumerable<Reading>> _read;
    private readonly string[] _labels;
    private HashSet<Reading> _reported = [];

    /// <param name="read">What is there now, asked when somebody collects.</param>
    public FadingGauge(Meter meter, string name, string description, IReadOnlyList<string> labels, Func<IEnumerable<Reading>> read)
    {
        (_labels, _read) = ([.. labels], read);
        meter.CreateObservableGauge(name, Report, description: description);
    }

    /// <param name="Values">Of the labels, in their order.</param>
    public readonly record struct Reading(double Value, params string[] Values);

    private List<Measurement<double>> Report()
    {
        var now = new HashSet<Reading>(_read(), SameSeries.Instance);
        var ended = _reported.Where(r => !now.Contains(r)).Select(r => r with { Value = double.NaN });
        var all = now.Concat(ended).Select(Measure).ToList();
        _reported = now;
        return all;
    }

    private Measurement<double> Measure(Reading reading) =>
        new(reading.Value, _labels.Zip(reading.Values, (l, v) => new KeyValuePair<string, object?>(l, v)));

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
