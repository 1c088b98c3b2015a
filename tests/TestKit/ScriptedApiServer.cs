using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace TestKit;

/// <summary>
/// An HTTP/1.1 server on loopback that answers one scripted <see cref="Answer"/> a request, in order, and records what
/// was asked. It speaks over plain sockets so that a test says to the byte what the client sees: half a line, a
/// connection that ends early, a server that says nothing.
/// </summary>
/// <remarks>
/// When the script is over (and <see cref="Otherwise"/> gives nothing), a request is recorded and stays without an
/// answer.
/// </remarks>
public sealed class ScriptedApiServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Answer> _script = new();
    private readonly Channel<ApiRequest> _arrivals = Channel.CreateUnbounded<ApiRequest>();
    private readonly ConcurrentQueue<ApiRequest> _requests = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private Task _accepting = Task.CompletedTask;
    private int _refusedStreams;

    private ScriptedApiServer() { }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>All requests so far, in order of arrival.</summary>
    public IReadOnlyList<ApiRequest> Requests => [.. _requests];

    /// <summary>Answers what the script does not; null leaves the request without an answer.</summary>
    public Func<ApiRequest, Answer?> Otherwise { get; set; } = _ => null;

    /// <summary>
    /// False, as before Kubernetes 1.34: a request for a streaming list is refused as such a server refuses it. It
    /// takes nothing from the script and is not among <see cref="Requests"/>; <see cref="RefusedStreams"/> counts it.
    /// </summary>
    public bool StreamsLists { get; set; }

    public int RefusedStreams => Volatile.Read(ref _refusedStreams);

    public static ScriptedApiServer Start(params Answer[] script)
    {
        var server = new ScriptedApiServer();
        server.Script(script);
        server._listener.Start();
        server._accepting = server.AcceptAsync();
        return server;
    }

    /// <summary>Adds answers to the end of the script.</summary>
    public void Script(params Answer[] answers)
    {
        foreach (var answer in answers)
            _script.Enqueue(answer);
    }

    /// <summary>The next request that this method has not returned yet; waits for it, bounded.</summary>
    public Task<ApiRequest> NextRequestAsync() => _arrivals.Reader.ReadAsync().AsTask().Within();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting.Within();
        _listener.Stop(); // not earlier: what is stopped cannot be asked for the next connection
        await Task.WhenAll(_connections).Within();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            while (await ReadRequestAsync(stream) is { } request)
            {
                if (request.IsStreamingList && !StreamsLists)
                {
                    Interlocked.Increment(ref _refusedStreams);
                    if (!await AnswerAsync(socket, stream, Refusal()))
                        return;
                    continue;
                }
                _requests.Enqueue(request);
                var answer = _script.TryDequeue(out var scripted) ? scripted : Otherwise(request) ?? new Answer();
                _arrivals.Writer.TryWrite(request);
                if (!await AnswerAsync(socket, stream, answer))
                    return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client went away, or the server is stopped.
        }
    }

    private async Task<ApiRequest?> ReadRequestAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!IsComplete(head))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        var headers = lines
            .Skip(1)
            .Select(l => l.Split(": ", 2))
            .ToDictionary(h => h[0], h => h[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[
            headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0
        ];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new ApiRequest(first[0], first[1], headers, Encoding.UTF8.GetString(body));
    }

    private static bool IsComplete(List<byte> head) => head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'];

    /// <returns>Whether the connection can carry another request.</returns>
    private async Task<bool> AnswerAsync(Socket socket, NetworkStream stream, Answer answer)
    {
        // Peeking completes when the client has closed, and takes nothing from a later request.
        var clientGone = socket.ReceiveAsync(new byte[1], SocketFlags.Peek, _stop.Token).AsTask();
        var headSent = false;
        try
        {
            while (true)
            {
                var next = answer.Parts.ReadAsync(_stop.Token).AsTask();
                if (await Task.WhenAny(next, clientGone) == clientGone && !next.IsCompleted)
                    return false;
                var part = await next;
                if (part.Kind == Answer.PartKind.Reset)
                    socket.LingerState = new LingerOption(enable: true, seconds: 0);
                if (part.Kind is Answer.PartKind.Cut or Answer.PartKind.Reset)
                    return false;
                byte[] bytes = part.Kind == Answer.PartKind.End ? [.. "0\r\n\r\n"u8] : Chunk(part.Bytes);
                await stream.WriteAsync(
                    headSent ? bytes : [.. Encoding.ASCII.GetBytes(answer.Head()), .. bytes],
                    _stop.Token
                );
                headSent = true;
                if (part.Kind == Answer.PartKind.End)
                    return true;
            }
        }
        finally
        {
            answer.Leave();
        }
    }

    private static Answer Refusal() =>
        Answer.Whole(
            "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Invalid\",\"code\":422,"
                + "\"message\":\"sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the "
                + "WatchList feature gate is enabled\"}",
            422
        );

    private static byte[] Chunk(byte[] bytes) =>
        bytes.Length == 0 ? [] : [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];
}

/// <param name="Target">Path with query, as sent.</param>
public sealed record ApiRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Path => Target.Split('?')[0];

    /// <summary>The parameter's value, unescaped, or null.</summary>
    public string? Query(string name) =>
        Target.Split('?', 2) is [_, var query]
            ? query
                .Split('&')
                .Select(p => p.Split('=', 2))
                .Where(p => p[0] == name)
                .Select(p => Uri.UnescapeDataString(p[1]))
                .FirstOrDefault()
            : null;

    public bool IsWatch => Query("watch") == "1";

    public bool IsStreamingList => IsWatch && Query("sendInitialEvents") == "true";
}

/// <summary>
/// One answer, for one request. It may be written ahead or while the client reads: the status line leaves with the
/// first part, an answer without parts is silence, and one that neither ends nor is cut stays open until the client
/// goes.
/// </summary>
public sealed class Answer
{
    private readonly Channel<Part> _parts = Channel.CreateUnbounded<Part>();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal enum PartKind
    {
        Text,
        End,
        Cut,
        Reset,
    }

    public int Status { get; init; } = 200;

    /// <summary>More header lines, <c>Name: value</c>.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>Completes when the exchange is over: ended, cut, or the client has gone.</summary>
    public Task Over => _left.Task;

    internal ChannelReader<Part> Parts => _parts.Reader;

    /// <summary>A whole answer.</summary>
    public static Answer Whole(string body, int status = 200, params string[] headers) =>
        new Answer { Status = status, Headers = headers }
            .Text(body)
            .End();

    /// <summary>An open stream that has sent these lines.</summary>
    public static Answer Lines(params string[] lines) => new Answer().Text(string.Concat(lines.Select(l => l + "\n")));

    public Answer Line(string line) => Text(line + "\n");

    public Answer Text(string text) => Add(new Part(PartKind.Text, Encoding.UTF8.GetBytes(text)));

    /// <summary>The proper end of an answer.</summary>
    public Answer End() => Add(new Part(PartKind.End, []));

    /// <summary>Closes the connection in mid-answer, as a proxy or a dying server does.</summary>
    public Answer Cut() => Add(new Part(PartKind.Cut, []));

    /// <summary>Resets the connection.</summary>
    public Answer Reset() => Add(new Part(PartKind.Reset, []));

    internal string Head() =>
        string.Concat(
            $"HTTP/1.1 {Status} Scripted\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            string.Concat(Headers.Select(h => h + "\r\n")),
            "\r\n"
        );

    internal void Leave() => _left.TrySetResult();

    private Answer Add(Part part)
    {
        _parts.Writer.TryWrite(part);
        return this;
    }

    internal readonly record struct Part(PartKind Kind, byte[] Bytes);
}
