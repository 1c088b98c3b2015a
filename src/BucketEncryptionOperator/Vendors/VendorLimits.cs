using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// One <see cref="Pace"/> for each access key and endpoint, whatever stores and policies they come from: vendors count an account's
/// requests, not ours. Every vendor request goes through here.
/// </summary>
internal sealed class VendorLimits(TimeProvider time) : IDisposable
{
    /// <summary>A key that was replaced, or a store that is gone, leaves nothing behind.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Principal, string Endpoint), Entry> _paces = [];

    /// <exception cref="VendorException">Throttled: the wait would be too long.</exception>
    /// <param name="requests">That go out in the turn, one after the other.</param>
    public Task<Pace.Turn> EnterAsync(BucketAddress address, AccessKey key, string operation, int requests, CancellationToken cancellationToken) =>
        PaceOf((key.Principal, address.Endpoint.Authority), address.Limit).EnterAsync(address.Limit, operation, requests, cancellationToken);

    /// <summary>For metrics.</summary>
    public IReadOnlyList<PaceState> States
    {
        get
        {
            lock (_gate)
                return [.. _paces.Select(p => p.Value.Pace.State(p.Key.Principal, p.Key.Endpoint))];
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var entry in _paces.Values)
                entry.Pace.Dispose();
            _paces.Clear();
        }
    }

    private Pace PaceOf((string Principal, string Endpoint) whose, RateLimit limit)
    {
        lock (_gate)
        {
            if (!_paces.TryGetValue(whose, out var entry))
            {
                DropUnused();
                _paces[whose] = entry = new Entry(new Pace(limit, time));
            }
            entry.UsedAt = time.GetTimestamp();
            return entry.Pace;
        }
    }

    private void DropUnused()
    {
        foreach (var (whose, entry) in _paces.Where(p => time.GetElapsedTime(p.Value.UsedAt) > KeptUnused).ToList())
        {
            _paces.Remove(whose);
            entry.Pace.Dispose();
        }
    }

    private sealed class Entry(Pace pace)
    {
        public Pace Pace => pace;

        public long UsedAt { get; set; }
    }
}
