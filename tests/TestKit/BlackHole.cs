using System.Net;
using System.Net.Sockets;

namespace TestKit;

/// <summary>
/// A loopback address whose connections are neither accepted nor refused: a listener with a full backlog. Linux drops
/// what more arrives, as a broken route does.
/// </summary>
public sealed class BlackHole : IDisposable
{
    private readonly Socket _listener;
    private readonly Socket _fill;

    /// <param name="address">A loopback address.</param>
    /// <param name="port">Zero for a free one.</param>
    public BlackHole(IPAddress address, int port = 0)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(backlog: 0); // room for one
        _fill = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _fill.Connect(_listener.LocalEndPoint!);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        _fill.Dispose();
        _listener.Dispose();
    }
}
