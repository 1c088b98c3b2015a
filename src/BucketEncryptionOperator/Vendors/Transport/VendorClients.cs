using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>
/// The HTTP clients for vendors: one that trusts the system's roots, and one per bundle of roots that a store brings
/// along, so that no store trusts what another one does. Equal bundles share a client.
/// <para>
/// A store's author can edit the bundle any number of times, so the clients are bounded: a client that was not used for
/// an hour is closed, and beyond <see cref="MaxClients"/> the least recently used one. A client in use is never
/// closed.
/// </para>
/// </summary>
/// <param name="open">Opens a client that trusts these roots; an empty collection means the system's.</param>
internal sealed class VendorClients(Func<X509Certificate2Collection, HttpClient> open, TimeProvider time) : IDisposable
{
    /// <summary>
    /// Maximum number of clients with a bundle. An installation has a few private authorities; a client costs some 100
    /// KiB, and one that was closed too early costs one more TLS handshake.
    /// </summary>
    internal const int MaxClients = 64;

    private static readonly TimeSpan KeptUnused = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly HttpClient _system = open([]);

    /// <summary>By the bundle's hash: a bundle may have 64 KiB.</summary>
    private readonly Dictionary<string, PooledClient> _byBundle = new(StringComparer.Ordinal);

    /// <summary>Number of bundles that have a client.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _byBundle.Count;
        }
    }

    /// <summary>Returns a client that stays open until the rental is disposed of.</summary>
    /// <param name="bundle">In PEM; null for the system's roots.</param>
    /// <exception cref="FormatException">The text is not a bundle.</exception>
    public RentedClient Rent(string? bundle)
    {
        if (bundle is null)
            return new RentedClient(_system, this, pooled: null);
        var hash = Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(bundle.AsSpan())));
        lock (_gate)
        {
            if (!_byBundle.TryGetValue(hash, out var pooled))
            {
                var roots = CaBundle.Read(bundle);
                EvictUnused();
                _byBundle[hash] = pooled = new PooledClient(open(roots), roots);
            }
            pooled.Requests++;
            return new RentedClient(pooled.Client, this, pooled);
        }
    }

    public void Dispose()
    {
        _system.Dispose();
        lock (_gate)
        {
            foreach (var pooled in _byBundle.Values)
                pooled.Dispose();
            _byBundle.Clear();
        }
    }

    private void EvictUnused()
    {
        var unused = _byBundle.Where(b => b.Value.Requests == 0).OrderBy(b => b.Value.UsedAt).ToList();
        var tooMany = _byBundle.Count + 1 - MaxClients;
        var closed = unused.Where((b, i) => i < tooMany || time.GetElapsedTime(b.Value.UsedAt) > KeptUnused);
        foreach (var (hash, pooled) in closed)
        {
            _byBundle.Remove(hash);
            pooled.Dispose();
        }
    }

    private void Return(PooledClient pooled)
    {
        lock (_gate)
            (pooled.Requests, pooled.UsedAt) = (pooled.Requests - 1, time.GetTimestamp());
    }

    internal readonly struct RentedClient(HttpClient client, VendorClients clients, PooledClient? pooled) : IDisposable
    {
        public HttpClient Client => client;

        public void Dispose()
        {
            if (pooled is not null)
                clients.Return(pooled);
        }
    }

    /// <summary>Guarded by the gate.</summary>
    internal sealed class PooledClient(HttpClient client, X509Certificate2Collection roots) : IDisposable
    {
        public HttpClient Client => client;

        public int Requests { get; set; }

        public long UsedAt { get; set; }

        public void Dispose()
        {
            client.Dispose();
            foreach (var root in roots)
                root.Dispose();
        }
    }
}
