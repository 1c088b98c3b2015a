using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Integration.Tests.Harness;

/// <summary>
/// An HTTP proxy that reaches nothing: it writes down the first line of each request, and answers 502.
/// </summary>
internal sealed class RecordingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    public RecordingProxy()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"http://{_listener.LocalEndpoint}");

    /// <summary>
    /// For a process: this proxy for both schemes, and what needs none. Whatever the machine's own environment says is
    /// overwritten.
    /// </summary>
    public Dictionary<string, string> Environment(string except) =>
        new(StringComparer.Ordinal)
        {
            ["HTTPS_PROXY"] = Url.ToString(),
            ["HTTP_PROXY"] = Url.ToString(),
            ["NO_PROXY"] = except,
            ["https_proxy"] = "",
            ["http_proxy"] = "",
            ["no_proxy"] = "",
        };

    /// <summary>Such as <c>CONNECT host:443 HTTP/1.1</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Stop(); // not earlier: what is stopped cannot be asked for the next connection
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (!_stopping.IsCancellationRequested)
                connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
        await Task.WhenAll(connections);
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                if (await reader.ReadLineAsync(_stopping.Token) is { } line)
                    Requests.Enqueue(line);
                await stream.WriteAsync(
                    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(),
                    _stopping.Token
                );
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client went away, or the test ended.
            }
        }
    }
}
