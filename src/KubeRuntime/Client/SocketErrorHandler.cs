using System.Net.Sockets;

namespace KubeRuntime.Client;

/// <summary>
/// Makes a bare <see cref="SocketException"/> what every other broken connection is. SocketsHttpHandler asks a new
/// connection for its remote address, and lets the exception through where the peer has reset the connection by then.
/// </summary>
public sealed class SocketErrorHandler : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, e.Message, e);
        }
    }
}
