using System.Net;
using System.Net.Sockets;

namespace TestKit;

/// <summary>
/// Ports for programs that must be told theirs. They are below those that Linux gives to whoever names none
/// (<c>net.ipv4.ip_local_port_range</c>), so that no other test's connection takes one before the program has it.
/// </summary>
public static class FreePorts
{
    private const int First = 20_000;
    private const uint Count = 12_000;

    private static uint _last = (uint)Environment.ProcessId * 997; // so that processes begin at different places

    /// <summary>Returns a port of loopback that nobody listens on, each time another one.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = First + (int)(Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it
            }
        }
    }
}
