using System.Text.Json.Nodes;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.LeaderElection;
using TestKit;

namespace KubeRuntime.Tests.LeaderElection;

public sealed class LeaseLockTests
{
    // In one line, for it is also an event's object.
    private const string Stored =
        """{"metadata":{"name":"l","namespace":"ns","resourceVersion":"7"},"spec":"""
        + """{"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":3,"""
        + "\"acquireTime\":\"2026-01-01T00:00:00.000000Z\",\"renewTime\":\"nonsense\"}}";
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private int _connections;

    [Fact]
    public async Task What_is_written_is_what_the_api_reads()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Stored, 201),
            Answer.Whole(Stored),
            Answer.Whole(Stored)
        );
        using var client = Client(server);
        using var lease = Lease(server, client);
        var claim = new LeaseRecord().HeldBy("a", TimeSpan.FromSeconds(15), Now);

        await lease.CreateAsync(claim, CancellationToken.None).Within();
        var stored = await lease
            .UpdateAsync("6", claim.HeldBy("a", TimeSpan.FromSeconds(15), Now), CancellationToken.None)
            .Within();
        await lease.UpdateAsync("7", claim.Released(Now.AddSeconds(1)), CancellationToken.None).Within();

        var create = await server.NextRequestAsync();
        Assert.Equal(("POST", "/apis/coordination.k8s.io/v1/namespaces/ns/leases"), (create.Method, create.Target));
        const string Created = """
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l","namespace":"ns"},"spec":
            {"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":"2026-01-02T03:04:05.000000Z",
            "renewTime":"2026-01-02T03:04:05.000000Z","leaseTransitions":0}}
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Created), JsonNode.Parse(create.Body)), create.Body);
        var renew = await server.NextRequestAsync();
        Assert.Equal(
            (
                "PATCH",
                "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l",
                "application/merge-patch+json; charset=utf-8"
            ),
            (renew.Method, renew.Target, renew.Headers["Content-Type"])
        );
        Assert.Contains("""{"metadata":{"resourceVersion":"6"},""", renew.Body, StringComparison.Ordinal);
        Assert.Contains("\"renewTime\":\"2026-01-02T03:04:05.000001Z\"", renew.Body, StringComparison.Ordinal);
        var release = await server.NextRequestAsync();
        var released = JsonNode.Parse(release.Body)?["spec"];
        Assert.Equal(("", 1), ((string?)released?["holderIdentity"], (int?)released?["leaseDurationSeconds"]));
        Assert.Equal(
            ("7", "a", 3, null),
            (
                stored.Metadata.ResourceVersion,
                stored.Spec.HolderIdentity,
                stored.Spec.LeaseTransitions,
                stored.Spec.RenewTime
            )
        );
    }

    [Fact]
    public async Task No_lease_is_null_and_a_call_without_an_answer_gets_the_next_one_a_new_connection()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Widget.Status(404, "NotFound", "no"), 404),
            new Answer(),
            Answer.Whole(Stored)
        );
        using var client = Client(server);
        using var lease = Lease(server, client);
        Assert.Null(await lease.GetAsync(CancellationToken.None).Within());
        Assert.Equal(1, _connections);

        using var giveUp = new CancellationTokenSource();
        var silent = lease.GetAsync(giveUp.Token);
        await server.NextRequestAsync();
        await server.NextRequestAsync();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => silent.Within());
        var found = await lease.GetAsync(CancellationToken.None).Within();

        Assert.Equal("a", found?.Spec.HolderIdentity);
        Assert.Equal(2, _connections);
    }

    [Fact]
    public async Task The_watch_tells_of_the_one_lease_of_its_coming_and_going()
    {
        var other = Stored
            .Replace("\"l\"", "\"other\"", StringComparison.Ordinal)
            .Replace("\"a\"", "\"b\"", StringComparison.Ordinal)
            .Trim();
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Widget.List(5, next: null, other)),
            Answer.Lines(
                Widget.Event("ADDED", Stored.Trim()),
                Widget.Event("MODIFIED", other),
                Widget.Event("DELETED", Stored.Trim())
            )
        );
        using var client = Client(server);
        using var lease = Lease(server, client);
        using var stop = new CancellationTokenSource();
        var told = new List<string?>();

        var watch = lease.WatchAsync(l => told.Add(l?.Spec.HolderIdentity), stop.Token);
        await Waiting.UntilAsync(() => told.Count == 3);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Within());
        Assert.Equal([null, "a", null], told);
    }

    [Theory]
    [InlineData("it is listed: no word of its absence", "", new[] { "a", "a" })]
    [InlineData("it is listed and cannot be read: it is there all the same", "unreadable", new[] { "a" })]
    [InlineData("it is not listed: there is none", "missing", new[] { null, "a" })]
    public async Task The_list_says_whether_there_is_a_lease(string rule, string listed, string?[] expected)
    {
        var other = Stored.Replace("\"l\"", "\"other\"", StringComparison.Ordinal).Trim();
        var ours =
            listed == "unreadable" ? Stored.Replace("15", "\"many\"", StringComparison.Ordinal).Trim() : Stored.Trim();
        var list =
            listed == "missing" ? Widget.List(5, next: null, other) : Widget.List(5, next: null, other, ours, other);
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(list),
            Answer.Lines(Widget.Event("MODIFIED", Stored.Trim()))
        );
        using var client = Client(server);
        using var lease = Lease(server, client);
        using var stop = new CancellationTokenSource();
        var told = new List<string?>();

        var watch = lease.WatchAsync(l => told.Add(l?.Spec.HolderIdentity), stop.Token);
        await Waiting.UntilAsync(() => told.Count >= expected.Length);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Within());
        Assert.Equal(
            (rule, string.Join(", ", expected.Select(e => e ?? "none"))),
            (rule, string.Join(", ", told.Select(t => t ?? "none")))
        );
    }

    [Theory]
    [InlineData("no time", "null")]
    [InlineData("a number", "17")]
    [InlineData("an object", """{"seconds":17,"more":[1]}""")]
    public async Task A_time_that_cannot_be_read_is_none_and_the_rest_is_read(string rule, string renewTime)
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Stored.Replace("\"nonsense\"", renewTime, StringComparison.Ordinal))
        );
        using var client = Client(server);
        using var lease = Lease(server, client);

        var found = await lease.GetAsync(CancellationToken.None).Within();

        Assert.True(found?.Spec is { RenewTime: null, LeaseTransitions: 3, HolderIdentity: "a" }, rule);
    }

    private static KubeClient Client(ScriptedApiServer server) =>
        new(new KubeConnection(server.Address), "test/1.0", TimeProvider.System);

    private LeaseLock Lease(ScriptedApiServer server, KubeClient client) =>
        new(
            () =>
            {
                _connections++;
                return Client(server);
            },
            new Reflector<Lease>(
                client,
                KubeRuntime.LeaderElection.Lease.Resource,
                new WatchScope("ns"),
                new Random(1),
                TimeProvider.System,
                new RecordingLogger()
            ),
            new NamespacedName("ns", "l")
        );
}
