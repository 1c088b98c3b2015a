using System.Collections.Immutable;

namespace ObjectStoreSimulator.State;

/// <summary>
/// Counts every request once: received = succeeded + rejected + spoiled + in flight. Spoiled: the client got no answer
/// of the vendor's (reset, hang, answer lost, half, garbage, endless, or it went away). Counted before the answer's
/// first byte leaves, so that a client that has its answer finds it counted. Requests to the key service are counted
/// apart: by KMS key, and in none of the store's numbers.
/// </summary>
internal sealed class Counters
{
    /// <summary>More writes than any test makes; beyond it the oldest are forgotten.</summary>
    private const int MaxWrites = 100_000;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, SortedDictionary<string, Tally>> _byBucket = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<string, Tally>> _byKmsKey = new(StringComparer.Ordinal);
    private readonly Queue<Write> _writes = [];
    private Tally _total = new();
    private int _inFlight;
    private int _peakInFlight;
    private int _generation;

    public CounterValues Values
    {
        get
        {
            lock (_lock)
            {
                return new CounterValues(
                    _total.ToValues(),
                    _inFlight,
                    _peakInFlight,
                    ToValues(_byBucket),
                    ToValues(_byKmsKey),
                    [.. _writes]
                );
            }
        }
    }

    /// <summary>
    /// The returned generation goes to <see cref="Ended"/>: what began before a <see cref="Clear"/> is not counted
    /// after it.
    /// </summary>
    public int Started(StoreCall call)
    {
        lock (_lock)
        {
            TallyOf(call).Received++;
            if (!call.IsForKeyService)
            {
                _total.Received++;
                _peakInFlight = Math.Max(_peakInFlight, ++_inFlight);
            }

            return _generation;
        }
    }

    /// <summary>
    /// A write reached the point where the vendor accepts or refuses it, whatever becomes of the answer.
    /// </summary>
    public void Wrote(StoreCall call, DateTimeOffset now, string? errorCode)
    {
        lock (_lock)
        {
            _writes.Enqueue(
                new Write(now, call.Bucket, call.Operation, call.AccessKeyId, errorCode is null, errorCode)
            );
            if (_writes.Count > MaxWrites)
            {
                _writes.Dequeue();
            }
        }
    }

    public void Ended(StoreCall call, int generation, CallEnd end, string? errorCode)
    {
        lock (_lock)
        {
            if (generation == _generation)
            {
                TallyOf(call).Count(end, errorCode);
                if (!call.IsForKeyService)
                {
                    _inFlight--;
                    _total.Count(end, errorCode);
                }
            }
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _generation++;
            _inFlight = 0;
            _peakInFlight = 0;
            _total = new Tally();
            _byBucket.Clear();
            _byKmsKey.Clear();
            _writes.Clear();
        }
    }

    private Tally TallyOf(StoreCall call)
    {
        string name = call.Bucket ?? call.KmsKey ?? "";
        SortedDictionary<string, SortedDictionary<string, Tally>> byName = call.IsForKeyService ? _byKmsKey : _byBucket;
        if (!byName.TryGetValue(name, out SortedDictionary<string, Tally>? byOperation))
        {
            byName[name] = byOperation = new(StringComparer.Ordinal);
        }

        if (!byOperation.TryGetValue(call.Operation, out Tally? tally))
        {
            byOperation[call.Operation] = tally = new Tally();
        }

        return tally;
    }

    private static ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, TallyValues>> ToValues(
        SortedDictionary<string, SortedDictionary<string, Tally>> tallies
    ) =>
        tallies.ToImmutableSortedDictionary(
            named => named.Key,
            named =>
                named.Value.ToImmutableSortedDictionary(
                    tally => tally.Key,
                    tally => tally.Value.ToValues(),
                    StringComparer.Ordinal
                ),
            StringComparer.Ordinal
        );

    private sealed class Tally
    {
        private readonly SortedDictionary<string, long> _rejected = new(StringComparer.Ordinal);
        private long _succeeded;
        private long _spoiled;

        public long Received { get; set; }

        public void Count(CallEnd end, string? errorCode)
        {
            if (end == CallEnd.Spoiled)
            {
                _spoiled++;
            }
            else if (errorCode is null)
            {
                _succeeded++;
            }
            else
            {
                _rejected[errorCode] = _rejected.GetValueOrDefault(errorCode) + 1;
            }
        }

        public TallyValues ToValues() =>
            new(Received, _succeeded, _rejected.ToImmutableSortedDictionary(StringComparer.Ordinal), _spoiled);
    }
}

internal enum CallEnd
{
    Answered,
    Spoiled,
}

internal sealed record CounterValues(
    TallyValues Total,
    int InFlight,
    int PeakInFlight,
    ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, TallyValues>> Buckets,
    ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, TallyValues>> KmsKeys,
    ImmutableArray<Write> Writes
);

internal sealed record TallyValues(
    long Received,
    long Succeeded,
    ImmutableSortedDictionary<string, long> Rejected,
    long Spoiled
);

/// <summary>One PUT or DELETE that was decided. <see cref="Time"/> is the server's.</summary>
internal sealed record Write(
    DateTimeOffset Time,
    string? Bucket,
    string Operation,
    string? AccessKeyId,
    bool Accepted,
    string? Code
);
