using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// The open connections to vendors: one client for all whose certificate the system's roots vouch for, and one for each bundle of roots that stores bring along,
/// so that what one store trusts no other does. A client whose bundle nobody has used for an hour is closed.
/// </summary>
/// <param name="open">A client that trusts these roots; none, for the system's.</param>
internal sealed class VendorClients(Func<X509Certificate2Collection, HttpClient> open, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly HttpClient _system = open([]);
    private readonly Dictionary<string, Entry> _byBundle = new(StringComparer.Ordinal);

    /// <summary>Bundles that have a client.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _byBundle.Count;
        }
    }

    /// <summary>Ends with the lease's disposal; until then the client stays open.</summary>
    /// <param name="bundle">In PEM; null for the system's roots.</param>
    /// <exception cref="FormatException">It is no bundle.</exception>
    public Lease Rent(string? bundle)
    {
        if (bundle is null)
            return new Lease(_system, this, entry: null);
        lock (_gate)
        {
            if (!_byBundle.TryGetValue(bundle, out var entry))
            {
                CloseUnused();
                _byBundle[bundle] = entry = new Entry(open(CaBundle.Read(bundle)));
            }
            entry.Requests++;
            return new Lease(entry.Client, this, entry);
        }
    }

    public void Dispose()
    {
        _system.Dispose();
        lock (_gate)
        {
            foreach (var entry in _byBundle.Values)
                entry.Client.Dispose();
            _byBundle.Clear();
        }
    }

    /// <summary>The system's and a bundle's clients differ in nothing else.</summary>
    public static SslClientAuthenticationOptions Trust(X509Certificate2Collection roots)
    {
        var options = new SslClientAuthenticationOptions();
        if (roots.Count > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(roots);
            options.CertificateChainPolicy = policy;
        }
        return options;
    }

    private void CloseUnused()
    {
        foreach (var (bundle, entry) in _byBundle.Where(b => b.Value.Requests == 0 && time.GetElapsedTime(b.Value.UsedAt) > KeptUnused).ToList())
        {
            _byBundle.Remove(bundle);
            entry.Client.Dispose();
        }
    }

    private void Ended(Entry entry)
    {
        lock (_gate)
            (entry.Requests, entry.UsedAt) = (entry.Requests - 1, time.GetTimestamp());
    }

    internal readonly struct Lease(HttpClient client, VendorClients clients, Entry? entry) : IDisposable
    {
        public HttpClient Client => client;

        public void Dispose()
        {
            if (entry is not null)
                clients.Ended(entry);
        }
    }

    /// <summary>Guarded by the gate.</summary>
    internal sealed class Entry(HttpClient client)
    {
        public HttpClient Client => client;

        public int Requests { get; set; }

        public long UsedAt { get; set; }
    }
}
