using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

/// <summary>What the library's own operations lack, and have behind our handlers.</summary>
public sealed class TypedCallTests : IAsyncDisposable
{
    private const string Token = "s3cr3t-t0k3n";
    private readonly ManualTimeProvider _clock = new();
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private readonly KubeClient _client;

    public TypedCallTests() =>
        _client = new KubeClient(
            new KubeConnection(_server.Address) { Token = BearerToken.FromText(Token) },
            "test/1.0",
            _clock
        );

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_Secret_is_read_with_the_connections_token_and_the_clients_name()
    {
        _server.Script(
            Answer.Whole("""{"metadata": {"name": "s", "namespace": "ns", "uid": "u"}, "data": {"a": "Yg=="}}""")
        );

        var secret = await ReadAsync().Within();

        var request = await _server.NextRequestAsync();
        Assert.Equal(("GET", "/api/v1/namespaces/ns/secrets/s"), (request.Method, request.Target));
        Assert.Equal(
            ("Bearer " + Token, "test/1.0"),
            (request.Headers["Authorization"], request.Headers["User-Agent"])
        );
        Assert.Equal("b"u8, secret.Data["a"]);
    }

    /// <summary>The library reads a body from the socket without a token and without a limit.</summary>
    [Theory]
    [InlineData("no answer at all", "")]
    [InlineData("half a body", "{\"metadata\":")]
    public async Task A_call_that_takes_too_long_is_a_passing_failure(string rule, string sent)
    {
        var answer = new Answer();
        if (sent.Length > 0)
            answer.Text(sent);
        _server.Script(answer);
        var call = ReadAsync();
        await _server.NextRequestAsync();

        _clock.Advance(TimeSpan.FromSeconds(30));
        var e = await FailureAsync(call);

        Assert.True(
            e.Failure == KubeFailureKind.Transient && e.Message.EndsWith("no answer in time", StringComparison.Ordinal),
            rule
        );
    }

    [Fact]
    public async Task A_body_over_the_limit_is_told()
    {
        var answer = new Answer();
        for (var i = 0; i < 17; i++)
            answer.Text(new string(' ', 1024 * 1024));
        _server.Script(answer);

        Assert.Equal(KubeFailureKind.TooLarge, (await FailureAsync(ReadAsync())).Failure);
    }

    /// <summary>The library's exception has the request's headers in it, and the whole body in its message.</summary>
    [Fact]
    public async Task A_refusal_has_its_meaning_its_wait_and_neither_token_nor_body()
    {
        var page = "<html>hush" + new string('x', 100_000);
        _server.Script(
            Answer.Whole(page, 429, "Retry-After: 9"),
            Answer.Whole(page, 500),
            Answer.Whole(page, 404),
            Answer.Whole(Widget.Status(404, "NotFound", "no such secret"), 404),
            Answer.Whole(Widget.Status(409, "Conflict", "changed"), 409)
        );

        var failures = new List<KubeApiException>();
        for (var i = 0; i < 5; i++)
            failures.Add(await FailureAsync(ReadAsync()));

        Assert.Equal(
            [
                KubeFailureKind.Throttled,
                KubeFailureKind.Transient,
                KubeFailureKind.Transient,
                KubeFailureKind.NotFound,
                KubeFailureKind.Conflict,
            ],
            failures.Select(f => f.Failure)
        );
        Assert.Equal(TimeSpan.FromSeconds(9), failures[0].RetryAfter);
        Assert.All(failures, f => Assert.DoesNotContain("hush", f.ToString(), StringComparison.Ordinal));
        Assert.All(failures, f => Assert.DoesNotContain(Token, f.ToString(), StringComparison.Ordinal));
        Assert.Contains("no such secret", failures[3].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no JSON", "<html>hush")]
    [InlineData("null", "null")]
    [InlineData("no metadata", "{\"hush\": 1}")]
    [InlineData("no name", "{\"metadata\": {}}")]
    [InlineData("a value that is no base64", "{\"metadata\": {\"name\": \"s\"}, \"data\": {\"a\": \"hush!\"}}")]
    [InlineData("a field of another type", "{\"metadata\": {\"name\": \"s\"}, \"data\": \"hush\"}")]
    public async Task An_answer_that_is_no_Secret_is_a_passing_failure(string rule, string body)
    {
        _server.Script(Answer.Whole(body));

        var e = await FailureAsync(ReadAsync());

        Assert.True(e.Failure == KubeFailureKind.Transient, rule);
        Assert.DoesNotContain("hush", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_connection_is_a_passing_failure_and_a_cancelled_call_is_cancelled()
    {
        _server.Otherwise = _ => new Answer().Cut();
        _server.Script(new Answer().Text("{\"metadata\":").Cut());
        Assert.Equal(KubeFailureKind.Transient, (await FailureAsync(ReadAsync())).Failure);

        _server.Otherwise = _ => new Answer();
        using var cancel = new CancellationTokenSource();
        var call = ReadAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Within());
    }

    /// <summary>
    /// The server refuses a MicroTime without six digits; the library writes none for a whole second.
    /// </summary>
    [Fact]
    public async Task A_whole_second_is_written_with_six_digits()
    {
        _server.Script(Answer.Whole("""{"metadata": {"name": "l"}}""", 201));
        var at = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        var lease = new V1Lease
        {
            Metadata = new V1ObjectMeta { Name = "l" },
            Spec = new V1LeaseSpec { RenewTime = at },
        };

        await _client.CallAsync(
            "POST leases",
            k => k.CoordinationV1.CreateNamespacedLeaseAsync(lease, "ns"),
            CancellationToken.None
        );

        var written = JsonNode.Parse((await _server.NextRequestAsync()).Body);
        Assert.Equal("2026-01-02T03:04:05.000000Z", (string?)written?["spec"]?["renewTime"]);
    }

    private static Task<KubeApiException> FailureAsync(Task call) =>
        Assert.ThrowsAsync<KubeApiException>(() => call.Within());

    private Task<V1Secret> ReadAsync(CancellationToken cancellationToken = default) =>
        _client.CallAsync(
            "GET secrets ns/s",
            k => k.CoreV1.ReadNamespacedSecretAsync("s", "ns", cancellationToken: cancellationToken),
            cancellationToken
        );
}
