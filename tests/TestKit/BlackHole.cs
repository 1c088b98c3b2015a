using System.Net;
using System.Net.Sockets;

namespace TestKit;

/// <summary>An endpoint on loopback that never answers.</summary>
public sealed class BlackHole : IDisposable
{
    private const int RoomForAll = 512;

    private readonly Socket _listener;
    private readonly List<Socket> _backlog = [];

    /// <param name="takesConnections">
    /// True: the kernel completes connections, and nobody reads what comes. False: it swallows packets as a firewall
    /// does, for the listener's backlog is full.
    /// </param>
    public BlackHole(bool takesConnections = false)
        : this(IPAddress.Loopback, port: 0, takesConnections) { }

    /// <param name="address">A loopback address.</param>
    /// <param name="port">Zero for a free one.</param>
    public BlackHole(IPAddress address, int port, bool takesConnections = false)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, port));
        _listener.Listen(takesConnections ? RoomForAll : 0);
        while (!takesConnections && ConnectsWithin(TimeSpan.FromMilliseconds(200)))
        {
            // The backlog is not full yet.
        }
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}");

    public void Dispose()
    {
        _listener.Dispose();
        _backlog.ForEach(s => s.Dispose());
    }

    private bool ConnectsWithin(TimeSpan limit)
    {
        var socket = new Socket(_listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        _backlog.Add(socket);
        try
        {
            socket.Connect(_listener.LocalEndPoint ?? throw new InvalidOperationException("not bound"));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            if (socket.Poll(limit, SelectMode.SelectWrite))
                return true;
            socket.Dispose(); // it would go on asking, and be taken for a client's
            return false;
        }
    }
}
