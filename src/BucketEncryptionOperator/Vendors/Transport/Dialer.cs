using System.Net;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>No address of a host may be connected to. It passes through the HTTP client, which wraps it.</summary>
internal sealed class AddressNotAllowedException(string host, string problem, bool isMetadataService)
    : IOException($"{host} is {problem}")
{
    public bool IsMetadataService => isMetadataService;
}

/// <summary>
/// Makes the connections of vendor traffic. It resolves the name once, checks each address with
/// <see cref="AddressRules"/>, and connects only to addresses that it has checked: a name that resolves to something
/// else a moment later changes nothing.
/// </summary>
/// <param name="trustOf">Returns how far the host of a request is trusted.</param>
internal sealed class Dialer(Func<Uri, EndpointTrust> trustOf, StaggeredConnector connector)
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="AddressNotAllowedException">The host has no address that may be connected to.</exception>
    public async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (target, request) = (context.DnsEndPoint, context.InitialRequestMessage);
        var addresses = await connector.ResolveAsync(target.Host, cancellationToken);
        // The administrator chooses the proxy, and the proxy resolves the names that it gets.
        var allowed =
            request.RequestUri is { } uri && !IsForProxy(target, request, uri) ? Allowed(uri, addresses) : addresses;
        return await connector.ConnectAsync(allowed, target.Port, cancellationToken);
    }

    /// <summary>Checks a host that is an address: it needs no name service, so it works before a proxy too.</summary>
    /// <exception cref="AddressNotAllowedException">
    /// The host is an address, and one that may not be connected to.
    /// </exception>
    public void CheckLiteral(Uri target)
    {
        if (IPAddress.TryParse(Bare(target), out var address))
            _ = Allowed(target, [address]);
    }

    private IPAddress[] Allowed(Uri target, IPAddress[] addresses)
    {
        var trust = trustOf(target);
        IPAddress[] allowed = [.. addresses.Where(a => AddressRules.ProblemOf(a, trust) is null)];
        return allowed.Length > 0
            ? allowed
            : throw new AddressNotAllowedException(
                Bare(target),
                AddressRules.ProblemOf(addresses[0], trust) ?? "",
                Array.TrueForAll(addresses, AddressRules.IsMetadataService)
            );
    }

    private static bool IsForProxy(DnsEndPoint target, HttpRequestMessage request, Uri uri) =>
        request.Method == HttpMethod.Connect
        || target.Port != uri.Port
        || !target.Host.Equals(Bare(uri), StringComparison.OrdinalIgnoreCase);

    /// <summary>As the handler names it: an IPv6 address without brackets.</summary>
    private static string Bare(Uri uri) => uri.IdnHost;
}
