using System.Net;
using System.Net.Sockets;

namespace KubeRuntime.Client;

/// <summary>None of a name's several addresses could be connected to.</summary>
/// <param name="failures">One per address that was tried, in their order.</param>
public sealed class ConnectFailedException(IReadOnlyList<(IPEndPoint Address, SocketError Error)> failures)
    : IOException(string.Join(", ", failures.Select(f => $"{f.Address}: {f.Error}")))
{
    public IReadOnlyList<(IPEndPoint Address, SocketError Error)> Failures => failures;
}

/// <summary>
/// Connects to a name that has several addresses, as RFC 8305 ("Happy Eyeballs") asks. The families take turns,
/// beginning with the one that the resolver put first. The next attempt starts when the last one has failed, or after
/// 250 ms, while the earlier ones go on. The first to connect wins; the others are cancelled, and have ended with their
/// sockets closed when the call returns.
/// </summary>
/// <param name="resolve">Returns all addresses of a name; throws a SocketException where it has none.</param>
/// <param name="connect">Connects to one address; throws a SocketException where nobody answers.</param>
public sealed class StaggeredConnector(
    TimeProvider time,
    Func<string, CancellationToken, Task<IPAddress[]>> resolve,
    Func<IPEndPoint, CancellationToken, Task<Stream>> connect
)
{
    /// <summary>RFC 8305, section 8.</summary>
    internal static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Maximum number of addresses that are tried. A name's owner chooses how many it has.</summary>
    internal const int MaxAttempts = 16;

    public StaggeredConnector(TimeProvider time)
        : this(time, Dns.GetHostAddressesAsync) { }

    /// <summary>With real sockets.</summary>
    public StaggeredConnector(TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
        : this(time, resolve, OpenAsync) { }

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var target = context.DnsEndPoint;
        return await ConnectAsync(await ResolveAsync(target.Host, cancellationToken), target.Port, cancellationToken);
    }

    /// <summary>Returns at least one address. An address as text is itself.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        var addresses = await resolve(host, cancellationToken);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
    }

    /// <param name="addresses">At least one.</param>
    /// <exception cref="SocketException">The one address could not be connected to.</exception>
    /// <exception cref="ConnectFailedException">None of several could.</exception>
    public async Task<Stream> ConnectAsync(
        IReadOnlyList<IPAddress> addresses,
        int port,
        CancellationToken cancellationToken
    )
    {
        var targets = Interleave(addresses).Take(MaxAttempts).Select(a => new IPEndPoint(a, port)).ToList();
        if (targets.Count == 1)
            return await connect(targets[0], cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = new Queue<IPEndPoint>(targets);
        var attempts = new List<Attempt>();
        var failures = new List<(IPEndPoint, SocketError)>();
        Attempt? winner = null;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (waiting.TryDequeue(out var target))
                    attempts.Add(new Attempt(target, AttemptAsync(target, stop.Token)));
                if (attempts.Count == 0)
                    throw new ConnectFailedException(failures);
                if (await FirstToEndAsync(attempts, isLast: waiting.Count == 0, cancellationToken) is not { } ended)
                    continue; // it is time for another one
                try
                {
                    var stream = await ended.Connection;
                    winner = ended;
                    return stream;
                }
                catch (SocketException e)
                {
                    attempts.Remove(ended);
                    failures.Add((ended.Target, e.SocketErrorCode));
                }
                catch (OperationCanceledException)
                {
                    cancellationToken.ThrowIfCancellationRequested(); // the caller knows its own token only
                    throw;
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var attempt in attempts.Where(a => a != winner))
                await CloseAsync(attempt.Connection);
        }
    }

    /// <summary>Returns each address once; the families take turns.</summary>
    internal static IEnumerable<IPAddress> Interleave(IReadOnlyList<IPAddress> addresses)
    {
        var distinct = addresses.Distinct().ToList();
        var first = distinct.FindAll(a => a.AddressFamily == distinct[0].AddressFamily);
        var second = distinct.FindAll(a => a.AddressFamily != distinct[0].AddressFamily);
        for (var i = 0; i < Math.Max(first.Count, second.Count); i++)
        {
            if (i < first.Count)
                yield return first[i];
            if (i < second.Count)
                yield return second[i];
        }
    }

    /// <returns>The attempt that has ended; null when it is time for another one.</returns>
    private async Task<Attempt?> FirstToEndAsync(
        List<Attempt> attempts,
        bool isLast,
        CancellationToken cancellationToken
    )
    {
        var connections = attempts.Select(a => a.Connection).ToList();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = isLast ? null : Task.Delay(AttemptDelay, time, stop.Token);
        var first = await Task.WhenAny(delay is null ? connections : [.. connections, delay]);
        await stop.CancelAsync();
        return attempts.Find(a => a.Connection == first);
    }

    /// <summary>What is thrown at once counts as a failure of the attempt, too.</summary>
    private async Task<Stream> AttemptAsync(IPEndPoint target, CancellationToken cancellationToken) =>
        await connect(target, cancellationToken);

    private static async Task CloseAsync(Task<Stream> attempt)
    {
        await ((Task)attempt).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (attempt.IsCompletedSuccessfully)
            await (await attempt).DisposeAsync(); // it has connected a moment after the winner
    }

    private static async Task<Stream> OpenAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        NetworkStream? stream = null;
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            stream = new NetworkStream(socket, ownsSocket: true);
            return stream;
        }
        finally
        {
            if (stream is null)
                socket.Dispose();
        }
    }

    private sealed record Attempt(IPEndPoint Target, Task<Stream> Connection);
}
