using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>
/// The open connections to vendors: one client for all endpoints whose certificate the system's roots vouch for, and
/// one per bundle of roots that stores bring along, so that no store trusts what another one does. Equal bundles share
/// a client.
/// <para>
/// A store's author may edit the bundle as often as he likes, so the clients are bounded: one that nobody has used for
/// an hour is closed, and beyond <see cref="MaxClients"/> the one whose last use is longest ago. A client in use is
/// never closed.
/// </para>
/// </summary>
/// <param name="open">A client that trusts these roots; none, for the system's.</param>
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

    /// <summary>By hash: a bundle may have 64 KiB.</summary>
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
    public ClientLease Rent(string? bundle)
    {
        if (bundle is null)
            return new ClientLease(_system, this, entry: null);
        var hash = Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(bundle.AsSpan())));
        lock (_gate)
        {
            if (!_byBundle.TryGetValue(hash, out var entry))
            {
                var roots = CaBundle.Read(bundle);
                MakeRoom();
                _byBundle[hash] = entry = new Entry(open(roots), roots);
            }
            entry.Requests++;
            return new ClientLease(entry.Client, this, entry);
        }
    }

    public void Dispose()
    {
        _system.Dispose();
        lock (_gate)
        {
            foreach (var entry in _byBundle.Values)
                entry.Dispose();
            _byBundle.Clear();
        }
    }

    private void MakeRoom()
    {
        var unused = _byBundle.Where(b => b.Value.Requests == 0).OrderBy(b => b.Value.UsedAt).ToList();
        var tooMany = _byBundle.Count + 1 - MaxClients;
        var closed = unused.Where((b, i) => i < tooMany || time.GetElapsedTime(b.Value.UsedAt) > KeptUnused);
        foreach (var (hash, entry) in closed)
        {
            _byBundle.Remove(hash);
            entry.Dispose();
        }
    }

    private void Ended(Entry entry)
    {
        lock (_gate)
            (entry.Requests, entry.UsedAt) = (entry.Requests - 1, time.GetTimestamp());
    }

    internal readonly struct ClientLease(HttpClient client, VendorClients clients, Entry? entry) : IDisposable
    {
        public HttpClient Client => client;

        public void Dispose()
        {
            if (entry is not null)
                clients.Ended(entry);
        }
    }

    /// <summary>Guarded by the gate.</summary>
    internal sealed class Entry(HttpClient client, X509Certificate2Collection roots) : IDisposable
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
