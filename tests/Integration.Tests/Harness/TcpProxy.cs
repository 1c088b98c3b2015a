using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Integration.Tests.Harness;

/// <summary>
/// Forwards bytes between a client and a server on loopback, and can cut connections, refuse new ones, delay, stop
/// forwarding one way, or leave the open connections dead while new ones work. It knows nothing of TLS: certificates
/// are checked end to end, for both sides are 127.0.0.1.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Pair, Pair> _pairs = new();
    private readonly ConcurrentDictionary<int, int> _ownPorts = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private volatile int _target;
    private volatile bool _refusing;
    private volatile TaskCompletionSource _toServer = Open();
    private volatile TaskCompletionSource _toClient = Open();
    private long _stuckToServer;
    private long _stuckToClient;
    private long _connections;

    public TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Port of the server behind it, for connections from now on.</summary>
    public int Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Each way, before anything is passed on.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Connections taken so far.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    /// <summary>Bytes that came from the client since it was stalled, and were not forwarded.</summary>
    public long StuckToServer => Interlocked.Read(ref _stuckToServer);

    public long StuckToClient => Interlocked.Read(ref _stuckToClient);

    /// <summary>A copy of the kubeconfig that goes through this proxy.</summary>
    public async Task<string> KubeconfigAsync(ApiServer server)
    {
        var text = await File.ReadAllTextAsync(server.Kubeconfig);
        var path = server.Kubeconfig + $".via-{Port}";
        await File.WriteAllTextAsync(
            path,
            text.Replace($"127.0.0.1:{server.Port}", $"127.0.0.1:{Port}", StringComparison.Ordinal)
        );
        return path;
    }

    public void CutAll()
    {
        foreach (var pair in _pairs.Keys)
        {
            // A reset, not an orderly end: as a load balancer or a dead node does.
            pair.Client.Close(0);
            pair.Server.Close(0);
        }
    }

    /// <summary>
    /// What is open now stays open, and nothing passes any more in either way, forever; connections from now on work.
    /// A node that vanishes looks so.
    /// </summary>
    public void StallOpenConnections()
    {
        foreach (var pair in _pairs.Keys)
            pair.Dead = true;
    }

    /// <summary>Whether the server saw a connection from this port of ours.</summary>
    public bool HasUsed(int port) => _ownPorts.ContainsKey(port);

    /// <summary>New connections are closed at once, and the open ones now.</summary>
    public void Refuse()
    {
        _refusing = true;
        CutAll();
    }

    public void Accept() => _refusing = false;

    /// <summary>Bytes from the client are taken and kept; the server sees nothing more.</summary>
    public void StallToServer()
    {
        Interlocked.Exchange(ref _stuckToServer, 0);
        _toServer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The server goes on to be asked; its answers do not arrive.</summary>
    public void StallToClient()
    {
        Interlocked.Exchange(ref _stuckToClient, 0);
        _toClient = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Ends stalls; what was kept goes on its way if the connection still lives.</summary>
    public void Flow()
    {
        _toServer.TrySetResult();
        _toClient.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Flow();
        CutAll();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        open.SetResult();
        return open;
    }

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        while (!_stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stopping.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                break;
            }
            running.RemoveAll(t => t.IsCompleted);
            running.Add(ServeAsync(client));
        }
        await Task.WhenAll(running);
    }

    private async Task ServeAsync(Socket client)
    {
        Interlocked.Increment(ref _connections);
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        var pair = new Pair(client, server);
        try
        {
            if (_refusing)
                return;
            await server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
            _ownPorts[((IPEndPoint?)server.LocalEndPoint)?.Port ?? 0] = 0;
            _pairs[pair] = pair;
            await Task.WhenAny(
                PumpAsync(pair, client, server, () => _toServer, bytes => Interlocked.Add(ref _stuckToServer, bytes)),
                PumpAsync(pair, server, client, () => _toClient, bytes => Interlocked.Add(ref _stuckToClient, bytes))
            );
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The server is not there, or the proxy stops: the client sees its connection end.
        }
        finally
        {
            _pairs.TryRemove(pair, out _);
            client.Close(0);
        }
    }

    private async Task PumpAsync(Pair pair, Socket from, Socket to, Func<TaskCompletionSource> gate, Action<long> stuck)
    {
        var buffer = new byte[BufferSize];
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory()) is > 0 and var read)
            {
                if (!gate().Task.IsCompleted)
                    stuck(read);
                await gate().Task;
                if (Delay > TimeSpan.Zero)
                    await Task.Delay(Delay, TimeProvider.System, _stopping.Token);
                if (pair.Dead)
                    continue; // taken and dropped, so that a sender sees no full window
                for (var sent = 0; sent < read; )
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, by us or by either side.
        }
    }

    private sealed class Pair(Socket client, Socket server)
    {
        private volatile bool _dead;

        public Socket Client => client;

        public Socket Server => server;

        public bool Dead
        {
            get => _dead;
            set => _dead = value;
        }
    }
}
