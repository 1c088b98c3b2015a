using KubeRuntime.Client;
using TestKit;

namespace KubeRuntime.Tests.Client;

public sealed class KubeClientTests : IAsyncDisposable
{
    private const string Secret = "s3cr3t-t0k3n";
    private static readonly NamespacedName Key = new("ns", "a");
    private readonly ManualTimeProvider _clock = new();
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private readonly KubeClient _client;

    public KubeClientTests() => _client = NewClient(_server.Address);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Get_asks_for_the_object_with_token_and_name_of_the_client()
    {
        _server.Script(Answer.Whole(Widget.Json("a", 5, size: 7)));

        var widget = await _client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        var request = Assert.Single(_server.Requests);
        Assert.Equal(("GET", "/apis/test.example.com/v1/namespaces/ns/widgets/a"), (request.Method, request.Target));
        Assert.Equal("Bearer " + Secret, request.Headers["Authorization"]);
        Assert.Equal("test/1.0", request.Headers["User-Agent"]);
        Assert.Equal("application/json", request.Headers["Accept"]);
        Assert.Equal(7, widget.Spec.Size);
    }

    [Theory]
    [InlineData("core group, all namespaces", "", null, "/api/v1/widgets")]
    [InlineData("core group, one namespace", "", "ns", "/api/v1/namespaces/ns/widgets")]
    [InlineData("a group, all namespaces", "g.example.com", null, "/apis/g.example.com/v1/widgets")]
    [InlineData("a name that would leave its path", "", "../x?y", "/api/v1/namespaces/..%2Fx%3Fy/widgets")]
    public async Task List_asks_for_the_collection(string rule, string group, string? ns, string path)
    {
        _server.Script(Answer.Whole(Widget.List(5, null)));

        await _client
            .ListAsync(
                Widget.Resource with
                {
                    Group = group,
                },
                new WatchScope(ns),
                20,
                next: "a+b/c=&d",
                CancellationToken.None
            )
            .Within();

        var request = Assert.Single(_server.Requests);
        Assert.True(request.Path == path, $"{rule}: {request.Path}");
        Assert.Equal(("20", "a+b/c=&d"), (request.Query("limit"), request.Query("continue")));
    }

    [Theory]
    [InlineData("https://host/k8s/clusters/c-1")]
    [InlineData("https://host/k8s/clusters/c-1/")]
    public async Task A_server_behind_a_path_keeps_its_path(string address)
    {
        _server.Script(Answer.Whole(Widget.Json("a", 5)));
        using var client = NewClient(new Uri(_server.Address, new Uri(address).AbsolutePath));

        await client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        Assert.Equal(
            "/k8s/clusters/c-1/apis/test.example.com/v1/namespaces/ns/widgets/a",
            Assert.Single(_server.Requests).Path
        );
    }

    [Fact]
    public async Task Patch_sends_a_merge_patch_to_the_status()
    {
        _server.Script(Answer.Whole(Widget.Json("a", 6)));

        var stored = await _client
            .PatchStatusAsync(Widget.Resource, Key, """{"status":{}}"""u8.ToArray(), CancellationToken.None)
            .Within();

        var request = Assert.Single(_server.Requests);
        Assert.Equal(
            ("PATCH", "/apis/test.example.com/v1/namespaces/ns/widgets/a/status"),
            (request.Method, request.Target)
        );
        Assert.Equal("application/merge-patch+json", request.Headers["Content-Type"]);
        Assert.Equal("""{"status":{}}""", request.Body);
        Assert.Equal("6", stored.Metadata.ResourceVersion);
    }

    [Theory]
    [InlineData(301, KubeFailureKind.Transient)]
    [InlineData(307, KubeFailureKind.Transient)]
    [InlineData(400, KubeFailureKind.Invalid)]
    [InlineData(401, KubeFailureKind.Transient)]
    [InlineData(403, KubeFailureKind.Denied)]
    [InlineData(404, KubeFailureKind.NotFound)]
    [InlineData(405, KubeFailureKind.Invalid)]
    [InlineData(408, KubeFailureKind.Transient)]
    [InlineData(409, KubeFailureKind.Conflict)]
    [InlineData(410, KubeFailureKind.Expired)]
    [InlineData(415, KubeFailureKind.Invalid)]
    [InlineData(422, KubeFailureKind.Invalid)]
    [InlineData(429, KubeFailureKind.Throttled)]
    [InlineData(500, KubeFailureKind.Transient)]
    [InlineData(502, KubeFailureKind.Transient)]
    [InlineData(503, KubeFailureKind.Transient)]
    [InlineData(504, KubeFailureKind.Transient)]
    public async Task Each_status_has_a_meaning_whatever_its_body(int status, KubeFailureKind failure)
    {
        string[] bodies =
        [
            "",
            "plain",
            """{"error":"a proxy's"}""",
            "{",
            Widget.Status(status, "Reason", "words of the server"),
        ];
        foreach (var body in bodies)
            _server.Script(Answer.Whole(body, status, "Location: http://192.0.2.1/"));

        foreach (var body in bodies)
        {
            var e = await FailureAsync(
                _client.ListAsync(
                    Widget.Resource,
                    new WatchScope("ns"),
                    5,
                    next: "secret-token",
                    CancellationToken.None
                )
            );

            Assert.Equal(failure, e.Failure);
            Assert.Contains(status.ToString(), e.Message);
            Assert.Contains("GET /apis/test.example.com/v1/namespaces/ns/widgets", e.Message);
            Assert.DoesNotContain("secret-token", e.ToString());
            Assert.DoesNotContain(Secret, e.ToString());
        }
        Assert.Equal(bodies.Length, _server.Requests.Count);
    }

    /// <summary>Somebody before the API server has given the page: it says nothing about the object.</summary>
    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    public async Task An_object_is_missing_or_forbidden_only_where_the_server_says_so_itself(int status)
    {
        string[] pages = ["", "404 page not found", """{"error":"a proxy's"}""", """{"kind":"Widget"}""", "{"];
        _server.Script([
            .. pages
                .Concat([Widget.Status(status, "Reason", "words")])
                .SelectMany(p => new[] { Answer.Whole(p, status), Answer.Whole(p, status) }),
        ]);

        foreach (var page in pages)
        {
            Assert.Equal(
                KubeFailureKind.Transient,
                (await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None))).Failure
            );
            Assert.Equal(
                KubeFailureKind.Transient,
                (
                    await FailureAsync(
                        _client.PatchStatusAsync(Widget.Resource, Key, "{}"u8.ToArray(), CancellationToken.None)
                    )
                ).Failure
            );
        }
        var told = status == 404 ? KubeFailureKind.NotFound : KubeFailureKind.Denied;
        Assert.Equal(
            told,
            (await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None))).Failure
        );
        Assert.Equal(
            told,
            (
                await FailureAsync(
                    _client.PatchStatusAsync(Widget.Resource, Key, "{}"u8.ToArray(), CancellationToken.None)
                )
            ).Failure
        );
    }

    [Fact]
    public async Task The_servers_words_are_told()
    {
        _server.Script(Answer.Whole(Widget.Status(403, "Forbidden", "widgets is forbidden: User x cannot list"), 403));

        var e = await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None));

        Assert.Equal(
            "GET /apis/test.example.com/v1/namespaces/ns/widgets/a: 403 Forbidden: widgets is forbidden: User x "
                + "cannot list",
            e.Message
        );
    }

    [Theory]
    [InlineData("seconds", "Retry-After: 9", "", 9.0)]
    [InlineData("a date", "Retry-After: Thu, 01 Jan 2026 00:01:00 GMT", "", 60.0)]
    [InlineData("in the body", "X: y", """{"details":{"retryAfterSeconds":4}}""", 4.0)]
    [InlineData("nonsense", "Retry-After: soon", "", null)]
    [InlineData("too long", "Retry-After: 99999999", "", 300.0)]
    public async Task The_wait_that_the_server_asks_for_is_handed_on(
        string rule,
        string header,
        string body,
        double? seconds
    )
    {
        _server.Script(Answer.Whole(body, 429, header));

        var e = await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None));

        Assert.True(e.RetryAfter?.TotalSeconds == seconds, $"{rule}: {e.RetryAfter}");
    }

    [Fact]
    public async Task An_error_body_without_end_is_not_read_to_its_end()
    {
        var answer = new Answer { Status = 500 };
        for (var i = 0; i < 20; i++)
            answer.Text(new string('x', 16 * 1024));
        _server.Script(answer);

        var e = await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None));
        await answer.Over.Within();

        Assert.Equal(KubeFailureKind.Transient, e.Failure);
        Assert.EndsWith(": 500", e.Message);
    }

    [Theory]
    [InlineData("no answer at all", "")]
    [InlineData("half a body", "{\"metadata\":")]
    public async Task A_call_that_takes_too_long_is_a_passing_failure(string rule, string sent)
    {
        var answer = new Answer();
        if (sent.Length > 0)
            answer.Text(sent);
        _server.Script(answer);
        var call = _client.GetAsync(Widget.Resource, Key, CancellationToken.None);
        await _server.NextRequestAsync();

        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var e = await FailureAsync(call);
        await answer.Over.Within();

        Assert.True(
            e.Failure == KubeFailureKind.Transient && e.Message.EndsWith("no answer in time", StringComparison.Ordinal),
            rule
        );
        Assert.Equal(0, _clock.ScheduledTimers);
    }

    [Fact]
    public async Task The_callers_cancellation_stays_what_it_is()
    {
        _server.Script(new Answer(), new Answer());
        using var cancel = new CancellationTokenSource();
        var get = _client.GetAsync(Widget.Resource, Key, cancel.Token);
        var watch = _client.WatchAsync(
            Widget.Resource,
            new WatchScope("ns"),
            "1",
            TimeSpan.FromMinutes(5),
            cancel.Token
        );
        await _server.NextRequestAsync();
        await _server.NextRequestAsync();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get.Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Within());
    }

    [Theory]
    [InlineData("cut before an answer", 0)]
    [InlineData("cut inside the body", 1)]
    [InlineData("reset inside the body", 2)]
    [InlineData("a whole answer that is no JSON", 3)]
    [InlineData("JSON null", 4)]
    [InlineData("an object without a name", 5)]
    [InlineData("an object with a field of another type", 6)]
    public async Task An_answer_that_is_no_object_is_a_passing_failure(string rule, int kind)
    {
        // The runtime itself tries a GET again, a few times, when a connection ends without a byte
        _server.Otherwise = _ => new Answer().Cut();
        _server.Script(
            kind switch
            {
                0 => new Answer().Cut(),
                1 => new Answer().Text("{\"metadata\":").Cut(),
                2 => new Answer().Text("{\"metadata\":").Reset(),
                3 => Answer.Whole("<html>"),
                4 => Answer.Whole("null"),
                5 => Answer.Whole("{\"metadata\":null}"),
                _ => Answer.Whole("""{"metadata":{"name":"a"},"spec":{"size":"hush"}}"""),
            }
        );

        var e = await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None));

        Assert.True(e.Failure == KubeFailureKind.Transient, rule);
        Assert.DoesNotContain("hush", e.Message);
    }

    [Fact]
    public async Task No_server_is_a_passing_failure()
    {
        await _server.DisposeAsync();

        var e = await FailureAsync(_client.GetAsync(Widget.Resource, Key, CancellationToken.None));

        Assert.Equal(KubeFailureKind.Transient, e.Failure);
    }

    [Fact]
    public async Task A_token_that_the_server_does_not_know_any_more_is_read_from_its_file_before_the_next_request()
    {
        _server.Script(Answer.Whole("", 401), Answer.Whole(Widget.Json("a", 1)));
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "old");
            using var client = new KubeClient(
                new KubeConnection(_server.Address) { Token = BearerToken.FromFile(path, _clock) },
                "test/1.0",
                _clock
            );
            await File.WriteAllTextAsync(path, "new");

            Assert.Equal(
                KubeFailureKind.Transient,
                (await FailureAsync(client.GetAsync(Widget.Resource, Key, CancellationToken.None))).Failure
            );
            await client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Equal(
            "Bearer old, Bearer new",
            string.Join(", ", _server.Requests.Select(r => r.Headers["Authorization"]))
        );
    }

    private static Task<KubeApiException> FailureAsync(Task call) =>
        Assert.ThrowsAsync<KubeApiException>(() => call.Within());

    private KubeClient NewClient(Uri address) =>
        new(new KubeConnection(address) { Token = BearerToken.FromText(Secret) }, "test/1.0", _clock);
}
