using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>
/// An HTTP/1.1 server on loopback that answers each request with whatever bytes the script says, and can misbehave as
/// no real server library would let it: half an answer, a reset, silence. One request a connection. Keeps every request
/// as text.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private static readonly byte[] Filler = Encoding.UTF8.GetBytes(new string('x', 8192));

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string, Reply> _script;
    private readonly X509Certificate2? _certificate;
    private readonly Task _loop;
    private long _endlessBytes;

    /// <param name="script">From the request's text to the reply.</param>
    /// <param name="certificate">With one, the server speaks TLS.</param>
    public ScriptedServer(Func<string, Reply> script, X509Certificate2? certificate = null)
    {
        _script = script;
        _certificate = certificate;
        _listener.Start();
        _loop = AcceptAsync();
    }

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What a client took of a <see cref="Reply.Endless"/>, with what the network has in store.</summary>
    public long EndlessBytes => Interlocked.Read(ref _endlessBytes);

    public Uri Address =>
        new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public static Reply Answer(int status, string body = "", params string[] headers) =>
        new Reply.Bytes(
            $"HTTP/1.1 {status} Status\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n"
                + $"Connection: close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n{body}"
        );

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        await _loop;
        _listener.Stop(); // not earlier: what is stopped cannot be asked for the next connection
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (!_stop.IsCancellationRequested)
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // Stopped.
        }
        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(
                        new SslServerAuthenticationOptions { ServerCertificate = _certificate },
                        _stop.Token
                    );
                    stream = tls;
                }
                var request = await ReadAsync(stream);
                Requests.Enqueue(request);
                switch (_script(request))
                {
                    case Reply.Bytes bytes:
                        await stream.WriteAsync(Encoding.UTF8.GetBytes(bytes.Text), _stop.Token);
                        break;
                    case Reply.Endless endless:
                        await stream.WriteAsync(Encoding.UTF8.GetBytes(endless.Head), _stop.Token);
                        while (true)
                        {
                            await stream.WriteAsync(Filler, _stop.Token);
                            Interlocked.Add(ref _endlessBytes, Filler.Length);
                        }
                    case Reply.Reset:
                        client.Client.LingerState = new LingerOption(enable: true, seconds: 0);
                        break;
                    default:
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
                        break;
                }
            }
            catch (Exception e)
                when (e
                        is IOException
                            or OperationCanceledException
                            or SocketException
                            or System.Security.Authentication.AuthenticationException
                )
            {
                // The client went away, or the test ended.
            }
        }
    }

    private async Task<string> ReadAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!IsComplete(text.ToString()))
        {
            var read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
                throw new IOException("half a request");
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        return text.ToString();
    }

    private static bool IsComplete(string text)
    {
        const string LengthName = "\r\ncontent-length:";
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var at = text.IndexOf(LengthName, 0, end, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return true;
        var from = at + LengthName.Length;
        var length = int.Parse(
            text.AsSpan(from, text.IndexOf("\r\n", from, StringComparison.Ordinal) - from),
            NumberStyles.AllowLeadingWhite,
            CultureInfo.InvariantCulture
        );
        return Encoding.UTF8.GetByteCount(text.AsSpan(end + 4)) >= length;
    }
}

/// <summary>What a scripted server does with a request.</summary>
internal abstract record Reply
{
    private Reply() { }

    /// <summary>These bytes, then the end of the connection.</summary>
    public sealed record Bytes(string Text) : Reply;

    /// <summary>The head, then letters until the client goes away.</summary>
    public sealed record Endless(string Head) : Reply;

    /// <summary>The connection is reset.</summary>
    public sealed record Reset : Reply;

    /// <summary>Nothing, until the server is stopped.</summary>
    public sealed record Silence : Reply;
}
