using System.Net;
using System.Net.Sockets;
using KubeRuntime.Client;

namespace KubeRuntime.Tests.Client;

public sealed class SocketErrorHandlerTests
{
    [Fact]
    public async Task A_peer_that_resets_as_soon_as_it_has_connected_is_a_connection_error()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var inner = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) => await ConnectAndGetResetAsync(listener, token),
        };
        using var bare = new HttpClient(inner, disposeHandler: false);
        using var http = new HttpClient(new SocketErrorHandler { InnerHandler = inner });

        await Assert.ThrowsAsync<SocketException>(() => bare.GetAsync(new Uri("http://reset.test/")));
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri("http://reset.test/")));

        Assert.Equal(HttpRequestError.ConnectionError, error.HttpRequestError);
    }

    private static async Task<Stream> ConnectAndGetResetAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint, cancellationToken);
        using (var peer = await listener.AcceptSocketAsync(cancellationToken))
            peer.LingerState = new LingerOption(enable: true, seconds: 0); // closing it sends a reset
        socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
