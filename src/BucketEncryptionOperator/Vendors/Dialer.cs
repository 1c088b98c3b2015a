using System.Net;
using System.Net.Sockets;

namespace BucketEncryptionOperator.Vendors;

/// <summary>No address of a host may be connected to. It passes through the HTTP client, which wraps it.</summary>
internal sealed class AddressNotAllowedException(string host, string problem, bool isMetadataService) : IOException($"{host} is {problem}")
{
    public bool IsMetadataService => isMetadataService;
}

/// <summary>
/// Makes the connections of vendor traffic. It resolves the name once, asks <see cref="AddressRules"/> of each address, and connects to the very address
/// that was asked of: a name that resolves to something else a moment later changes nothing.
/// </summary>
/// <param name="vouching">Who vouches for the host of a request.</param>
/// <param name="resolve">All addresses of a name; a SocketException where it has none.</param>
/// <param name="connect">To one address; a SocketException where nobody is there.</param>
internal sealed class Dialer(Func<Uri, Vouching> vouching, Func<string, CancellationToken, Task<IPAddress[]>> resolve, Func<IPEndPoint, CancellationToken, Task<Stream>> connect)
{
    public Dialer(Func<Uri, Vouching> vouching)
        : this(vouching, Dns.GetHostAddressesAsync, ConnectAsync)
    {
    }

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="AddressNotAllowedException">The host has no address that may be connected to.</exception>
    public async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (target, request) = (context.DnsEndPoint, context.InitialRequestMessage);
        var addresses = await AddressesAsync(target.Host, cancellationToken);
        // A proxy is where whoever runs the operator says; it resolves the names that it is given by itself.
        var allowed = request.RequestUri is { } uri && !IsForProxy(target, request, uri) ? Allowed(uri, addresses) : addresses;
        for (var i = 0; ; i++)
        {
            try
            {
                return await connect(new IPEndPoint(allowed[i], target.Port), cancellationToken);
            }
            catch (SocketException) when (i + 1 < allowed.Length)
            {
                // The next address of the name may answer.
            }
        }
    }

    /// <summary>What can be said without a name service, and so in front of a proxy too.</summary>
    /// <exception cref="AddressNotAllowedException">The host is an address, and one that may not be connected to.</exception>
    public void CheckLiteral(Uri target)
    {
        if (IPAddress.TryParse(Bare(target), out var address))
            _ = Allowed(target, [address]);
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        var addresses = await resolve(host, cancellationToken);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
    }

    private IPAddress[] Allowed(Uri target, IPAddress[] addresses)
    {
        var vouched = vouching(target);
        IPAddress[] allowed = [.. addresses.Where(a => AddressRules.ProblemOf(a, vouched) is null)];
        return allowed.Length > 0
            ? allowed
            : throw new AddressNotAllowedException(Bare(target), AddressRules.ProblemOf(addresses[0], vouched) ?? "", Array.TrueForAll(addresses, AddressRules.IsMetadataService));
    }

    private static bool IsForProxy(DnsEndPoint target, HttpRequestMessage request, Uri uri) =>
        request.Method == HttpMethod.Connect || target.Port != uri.Port || !target.Host.Equals(Bare(uri), StringComparison.OrdinalIgnoreCase);

    /// <summary>As the handler names it: an IPv6 address without brackets.</summary>
    private static string Bare(Uri uri) => uri.IdnHost;

    private static async Task<Stream> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        NetworkStream? stream = null;
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            stream = new NetworkStream(socket, ownsSocket: true);
            return stream;
        }
        finally
        {
            if (stream is null)
                socket.Dispose();
        }
    }
}
