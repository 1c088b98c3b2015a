using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

/// <summary>
/// The clock stands still until a test moves it; each address connects, fails or stays silent when the test says so.
/// </summary>
public sealed class StaggeredConnectorTests
{
    private const int Port = 443;
    private static readonly TimeSpan Delay = StaggeredConnector.AttemptDelay;

    private readonly ManualTimeProvider _clock = new();
    private readonly ConcurrentQueue<string> _started = new();
    private readonly ConcurrentQueue<string> _cancelled = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Stream>> _answers = new(StringComparer.Ordinal);
    private readonly StaggeredConnector _connector;

    public StaggeredConnectorTests() =>
        _connector = new StaggeredConnector(_clock, (_, _) => Task.FromResult<IPAddress[]>([]), ConnectAsync);

    [Theory]
    [InlineData("families take turns", "fd00::1 fd00::2 10.0.0.1 10.0.0.2", "fd00::1 10.0.0.1 fd00::2 10.0.0.2")]
    [InlineData("the resolver's first comes first", "10.0.0.1 fd00::1 fd00::2", "10.0.0.1 fd00::1 fd00::2")]
    [InlineData(
        "what is left of the longer family follows",
        "fd00::1 fd00::2 fd00::3 10.0.0.1",
        "fd00::1 10.0.0.1 fd00::2 fd00::3"
    )]
    [InlineData("one family keeps its order", "10.0.0.2 10.0.0.1", "10.0.0.2 10.0.0.1")]
    [InlineData("each address once", "10.0.0.1 10.0.0.1 fd00::1", "10.0.0.1 fd00::1")]
    public void Addresses_are_tried_in_an_order(string sentence, string addresses, string expected)
    {
        var order = StaggeredConnector.Interleave(Addresses(addresses));

        Assert.True(expected == string.Join(' ', order), sentence);
    }

    [Fact]
    public async Task The_next_attempt_starts_after_a_quarter_of_a_second_and_the_first_one_may_still_win()
    {
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1 fd00::2"), Port, CancellationToken.None);
        await _clock.TimersScheduledAsync(1).Within();

        _clock.Advance(Delay - TimeSpan.FromTicks(1));
        Assert.Single(_started);
        _clock.Advance(TimeSpan.FromTicks(1));
        await StartedAsync(2);
        var stream = Answer("fd00::1");

        Assert.Same(stream, await connecting.Within());
        Assert.Equal("fd00::1 10.0.0.1", string.Join(' ', _started));
        Assert.Equal("10.0.0.1", Assert.Single(_cancelled));
        Assert.False(stream.IsDisposed);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public async Task Where_the_first_is_silent_the_second_wins_and_the_first_has_ended()
    {
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);
        await DelayPassesAsync();
        await StartedAsync(2);

        var stream = Answer("10.0.0.1");

        Assert.Same(stream, await connecting.Within());
        Assert.Equal("fd00::1", Assert.Single(_cancelled));
    }

    [Fact]
    public async Task A_failure_starts_the_next_attempt_at_once()
    {
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);

        Fail("fd00::1", SocketError.NetworkUnreachable);
        await StartedAsync(2);
        var stream = Answer("10.0.0.1");

        Assert.Same(stream, await connecting.Within());
        Assert.Equal(TimeSpan.Zero, _clock.GetUtcNow() - ManualTimeProvider.DefaultStart);
    }

    [Fact]
    public async Task A_late_failure_does_not_end_the_attempts_that_go_on()
    {
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);
        await DelayPassesAsync();
        await StartedAsync(2);

        Fail("10.0.0.1", SocketError.ConnectionRefused);
        var stream = Answer("fd00::1");

        Assert.Same(stream, await connecting.Within());
    }

    [Fact]
    public async Task Where_all_fail_each_failure_is_told()
    {
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);
        Fail("fd00::1", SocketError.NetworkUnreachable);
        await StartedAsync(2);
        Fail("10.0.0.1", SocketError.ConnectionRefused);

        var e = await Assert.ThrowsAsync<ConnectFailedException>(() => connecting.Within());

        Assert.Equal([SocketError.NetworkUnreachable, SocketError.ConnectionRefused], e.Failures.Select(f => f.Error));
        Assert.Equal("[fd00::1]:443: NetworkUnreachable, 10.0.0.1:443: ConnectionRefused", e.Message);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public async Task One_address_fails_with_its_own_error_and_needs_no_timer()
    {
        var connecting = _connector.ConnectAsync(Addresses("10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);
        Assert.Equal(0, _clock.ScheduledTimers);

        Fail("10.0.0.1", SocketError.ConnectionRefused);

        Assert.Equal(
            SocketError.ConnectionRefused,
            (await Assert.ThrowsAsync<SocketException>(() => connecting.Within())).SocketErrorCode
        );
    }

    [Fact]
    public async Task The_callers_cancellation_ends_every_attempt_and_comes_back_with_its_token()
    {
        using var stop = new CancellationTokenSource();
        var connecting = _connector.ConnectAsync(Addresses("fd00::1 10.0.0.1 fd00::2"), Port, stop.Token);
        await StartedAsync(1);
        await DelayPassesAsync();
        await StartedAsync(2);

        await stop.CancelAsync();

        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.Within());
        Assert.Equal(stop.Token, e.CancellationToken);
        Assert.Equal("10.0.0.1 fd00::1", string.Join(' ', _cancelled.Order(StringComparer.Ordinal)));
        Assert.Equal(2, _started.Count);
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    /// <summary>Cancellation and the end of a handshake may cross.</summary>
    [Fact]
    public async Task A_connection_that_comes_after_another_has_won_is_closed()
    {
        var late = new TrackedStream();
        var connector = new StaggeredConnector(
            _clock,
            (_, _) => Task.FromResult<IPAddress[]>([]),
            async (address, token) =>
            {
                if (address.Address.ToString() != "fd00::1")
                    return await ConnectAsync(address, token);
                _started.Enqueue("fd00::1");
                var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registration = token.Register(cancelled.SetResult);
                await cancelled.Task;
                return late;
            }
        );
        var connecting = connector.ConnectAsync(Addresses("fd00::1 10.0.0.1"), Port, CancellationToken.None);
        await StartedAsync(1);
        await DelayPassesAsync();
        await StartedAsync(2);

        var stream = Answer("10.0.0.1");

        Assert.Same(stream, await connecting.Within());
        Assert.True(late.IsDisposed);
    }

    /// <summary>Whoever owns a name chooses how many addresses it has.</summary>
    [Fact]
    public async Task Attempts_are_bounded()
    {
        var many = Enumerable.Range(1, 200).Select(i => IPAddress.Parse($"10.0.0.{i}")).ToList();
        var connector = new StaggeredConnector(
            _clock,
            (_, _) => Task.FromResult<IPAddress[]>([]),
            (_, _) => throw new SocketException((int)SocketError.ConnectionRefused)
        );

        var e = await Assert.ThrowsAsync<ConnectFailedException>(() =>
            connector.ConnectAsync(many, Port, CancellationToken.None).Within()
        );

        Assert.Equal(StaggeredConnector.MaxAttempts, e.Failures.Count);
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("fd00::1")]
    public async Task An_address_as_text_is_not_resolved(string text) =>
        Assert.Equal([IPAddress.Parse(text)], await _connector.ResolveAsync(text, CancellationToken.None));

    [Fact]
    public async Task A_name_without_addresses_does_not_resolve() =>
        Assert.Equal(
            SocketError.HostNotFound,
            (
                await Assert.ThrowsAsync<SocketException>(() =>
                    _connector.ResolveAsync("store.example", CancellationToken.None)
                )
            ).SocketErrorCode
        );

    /// <summary>Real sockets: a loser's handshake is given up, and the kernel knows it no more.</summary>
    [Fact]
    public async Task With_real_sockets_the_loser_leaves_no_handshake_behind()
    {
        using var live = new TcpListener(IPAddress.Loopback, 0);
        live.Start();
        using var hole = new BlackHole(IPAddress.IPv6Loopback, ((IPEndPoint)live.LocalEndpoint).Port);
        var connector = new StaggeredConnector(TimeProvider.System);

        await using var stream = await connector
            .ConnectAsync([IPAddress.IPv6Loopback, IPAddress.Loopback], hole.Port, CancellationToken.None)
            .Within();

        const string SynSent = " 02 ";
        var target = $"00000000000000000000000001000000:{hole.Port:X4}" + SynSent;
        Assert.DoesNotContain(
            await File.ReadAllLinesAsync("/proc/self/net/tcp6"),
            line => line.Contains(target, StringComparison.Ordinal)
        );
        using var accepted = await live.AcceptTcpClientAsync().Within();
        Assert.True(accepted.Connected);
    }

    private static List<IPAddress> Addresses(string text) => [.. text.Split(' ').Select(IPAddress.Parse)];

    private async Task DelayPassesAsync()
    {
        await _clock.TimersScheduledAsync(1).Within();
        _clock.Advance(Delay);
    }

    private Task StartedAsync(int count) => Waiting.UntilAsync(() => _started.Count >= count);

    private TrackedStream Answer(string address)
    {
        var stream = new TrackedStream();
        AnswerOf(address).SetResult(stream);
        return stream;
    }

    private void Fail(string address, SocketError error) =>
        AnswerOf(address).SetException(new SocketException((int)error));

    private TaskCompletionSource<Stream> AnswerOf(string address) =>
        _answers.GetOrAdd(
            address,
            _ => new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously)
        );

    private async Task<Stream> ConnectAsync(IPEndPoint target, CancellationToken cancellationToken)
    {
        var address = target.Address.ToString();
        _started.Enqueue(address);
        try
        {
            return await AnswerOf(address).Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _cancelled.Enqueue(address);
            throw;
        }
    }

    private sealed class TrackedStream : MemoryStream
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
