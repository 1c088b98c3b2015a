using System.Collections.Concurrent;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using TestKit;

namespace KubeRuntime.Tests.Informers;

public sealed class InformerTests : IAsyncDisposable
{
    private static readonly string[] Namespaces = ["x", "y"];
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private readonly ImpatientTimeProvider _time = new(isPause: wait => wait < TimeSpan.FromSeconds(30));
    private readonly KubeClient _client;

    public InformerTests() => _client = new KubeClient(new KubeConnection(_server.Address), "test/1.0", _time);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Each_of_several_namespaces_is_listed_and_watched_by_itself_and_all_changes_become_keys()
    {
        _server.Otherwise = request =>
            request.IsWatch
                ? Answer.Lines(Widget.Event("ADDED", Widget.Json("late", 7, ns: NamespaceOf(request))))
                : Answer.Whole(Widget.List(5, null, Widget.Json("early", 1, ns: NamespaceOf(request))));
        var mirror = new ObjectCache<Widget>(Namespaces);
        var source = Source(mirror);
        var keys = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();

        var running = source.RunAsync(key => keys.Enqueue(key.ToString()), stop.Token);
        await Waiting.UntilAsync(() => keys.Count == 4);

        Assert.Equal("x/early x/late y/early y/late", string.Join(' ', keys.Order(StringComparer.Ordinal)));
        Assert.True(source.IsSynced);
        Assert.All(_server.Requests, r => Assert.Contains("/namespaces/", r.Path, StringComparison.Ordinal));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
    }

    [Fact]
    public async Task One_namespace_that_cannot_be_listed_keeps_the_source_from_being_synced()
    {
        _server.Otherwise = request =>
            NamespaceOf(request) == "y" ? Answer.Whole("", 403)
            : request.IsWatch ? Answer.Lines()
            : Answer.Whole(Widget.List(5, null));
        var source = Source(new ObjectCache<Widget>(Namespaces));
        using var stop = new CancellationTokenSource();

        var running = source.RunAsync(_ => { }, stop.Token);
        await Waiting.UntilAsync(() =>
            _server.Requests.Any(r => r.IsWatch) && _server.Requests.Count(r => NamespaceOf(r) == "y") >= 3
        );

        Assert.False(source.IsSynced);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
    }

    [Fact]
    public async Task A_watcher_that_fails_ends_the_source_and_the_other_watchers()
    {
        var (x, y) = (new Answer(), new Answer());
        _server.Otherwise = request => NamespaceOf(request) == "y" ? y : x;
        var source = new Informer<Widget>(
            Watchers(),
            new ObjectCache<Widget>(Namespaces),
            _ => throw new InvalidOperationException("a bug")
        );

        var running = source.RunAsync(_ => { }, CancellationToken.None);
        await _server.NextRequestAsync();
        await _server.NextRequestAsync();
        x.Text(Widget.List(5, null, Widget.Json("a", 1, ns: "x"))).End();

        await Assert.ThrowsAsync<InvalidOperationException>(() => running.Within());
        await y.Over.Within();
    }

    [Fact]
    public async Task A_follower_is_told_what_is_there_and_every_change_by_a_map_of_its_own_until_it_is_stopped()
    {
        var more = new Answer();
        _server.Otherwise = request =>
            request.IsWatch
                ? NamespaceOf(request) == "x"
                    ? more
                    : Answer.Lines()
                : Answer.Whole(Widget.List(5, null, Widget.Json("early", 1, ns: NamespaceOf(request))));
        var source = Source(new ObjectCache<Widget>(Namespaces));
        var follower = source.Follow(change => [change.Key with { Namespace = "followed" }]);
        var (ledKeys, followed) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        using var stop = new CancellationTokenSource();
        using var stopFollower = new CancellationTokenSource();
        var running = source.RunAsync(key => ledKeys.Enqueue(key.ToString()), stop.Token);
        await follower.WhenSynced.Within();
        Assert.True(follower.IsSynced);
        Assert.Empty(follower.Heartbeats);

        var following = follower.RunAsync(key => followed.Enqueue(key.ToString()), stopFollower.Token);
        await Waiting.UntilAsync(() => followed.Count == 2);
        more.Text(Widget.Event("ADDED", Widget.Json("late", 7, ns: "x")) + "\n");
        await Waiting.UntilAsync(() => followed.Count == 3);
        await stopFollower.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.Within());
        more.Text(Widget.Event("ADDED", Widget.Json("later", 8, ns: "x")) + "\n");
        await Waiting.UntilAsync(() => ledKeys.Any(k => k == "x/later"));

        Assert.Equal("followed/early followed/early followed/late", string.Join(' ', followed));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within());
    }

    private static string NamespaceOf(ApiRequest request) => request.Path.Split('/')[^2];

    private Informer<Widget> Source(ObjectCache<Widget> mirror) => new(Watchers(), mirror, change => [change.Key]);

    private List<Reflector<Widget>> Watchers() =>
        [
            .. Namespaces.Select(ns => new Reflector<Widget>(
                _client,
                Widget.Resource,
                new WatchScope(ns),
                new Random(1),
                _time,
                new RecordingLogger()
            )),
        ];
}
