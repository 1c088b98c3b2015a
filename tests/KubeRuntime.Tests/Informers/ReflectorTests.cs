using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Informers;

/// <summary>
/// Back-offs pass at once on the tests' clock and are recorded; deadlines and watchdogs wait for the test.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit disposes through IAsyncLifetime")]
public sealed partial class ReflectorTests : IAsyncLifetime
{
    private readonly ImpatientTimeProvider _time = new(isPause: wait => wait < TimeSpan.FromSeconds(30));
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private readonly RecordingLogger _logger = new();
    private readonly ObjectCache<Widget> _mirror = new();
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _stop = new();
    private KubeClient? _client;
    private Task _running = Task.CompletedTask;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running.Within());
        _client?.Dispose();
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task It_lists_by_pages_and_watches_from_the_lists_version()
    {
        Run(
            Answer.Whole(Widget.List(10, "page two", Widget.Json("a", 1))),
            Answer.Whole(Widget.List(10, null, Widget.Json("b", 2))),
            Answer.Lines()
        );

        var first = await _server.NextRequestAsync();
        var second = await _server.NextRequestAsync();
        var watch = await _server.NextRequestAsync();
        await ToldAsync("restarted", "listed a", "listed b", "synced");

        Assert.Equal("/apis/test.example.com/v1/namespaces/ns/widgets", first.Path);
        Assert.Equal("500", first.Query("limit"));
        Assert.Null(first.Query("continue"));
        Assert.Null(first.Query("resourceVersion"));
        Assert.Equal("page two", second.Query("continue"));
        Assert.Equal("500", second.Query("limit"));
        Assert.Equal(first.Path, watch.Path);
        Assert.Equal("1", watch.Query("watch"));
        Assert.Equal("10", watch.Query("resourceVersion"));
        Assert.Equal("true", watch.Query("allowWatchBookmarks"));
        Assert.InRange(int.Parse(watch.Query("timeoutSeconds") ?? ""), 300, 600);
        Assert.Empty(_time.Pauses);
    }

    /// <summary>Tenants make objects large, as far as the API server lets them.</summary>
    [Fact]
    public async Task A_page_that_is_too_large_is_asked_for_again_in_halves()
    {
        var note = new string('x', 100 * 1024);
        var items = Enumerable.Range(0, 300).Select(i => Widget.Annotated($"w{i}", i + 1, note)).ToList();
        _server.Otherwise = request =>
        {
            if (request.IsWatch)
                return Answer.Lines();
            var (from, limit) = (int.Parse(request.Query("continue") ?? "0"), int.Parse(request.Query("limit")!));
            var next = from + limit < items.Count ? $"{from + limit}" : null;
            return Answer.Whole(Widget.List(1000, next, [.. items.Skip(from).Take(limit)]));
        };
        Run();

        await _mirror.WhenSynced.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(300, _mirror.Count);
        var limits = _server.Requests.Where(r => !r.IsWatch).Select(r => int.Parse(r.Query("limit")!)).ToList();
        Assert.Equal([500, 250, 125], limits.Take(3));
        Assert.Equal(limits.OrderDescending(), limits); // what was too large once is not tried again
    }

    [Fact]
    public async Task An_object_that_is_too_large_by_itself_is_named_by_the_one_before_it()
    {
        var large = Widget.Annotated("large", 2, new string('x', 17 * 1024 * 1024));
        _server.Otherwise = request =>
        {
            var page = (request.Query("limit"), request.Query("continue"));
            return page == ("1", null)
                ? Answer.Whole(Widget.List(1000, "next", Widget.Json("before", 1)))
                : Answer.Whole(Widget.List(1000, null, large));
        };
        Run();

        await Waiting.UntilAsync(() => _logger.Entries.Any(e => e.Level == LogLevel.Warning));

        Assert.Contains(
            "the object after ns/before is too large to be read",
            _logger.Entries.First(e => e.Level == LogLevel.Warning).Text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Selectors_go_with_lists_streams_and_watches()
    {
        _server.StreamsLists = true;
        _server.Script(
            Answer.Whole("", 422),
            Answer.Whole(Widget.List(10, "two")),
            Answer.Whole(Widget.List(10, null)),
            Answer.Lines()
        );
        _client = new KubeClient(new KubeConnection(_server.Address), "test/1.0", _time);
        var scope = new WatchScope("ns")
        {
            LabelSelector = "tier in (a,b),!old&x=1",
            FieldSelector = "metadata.name=a+b",
        };
        _running = new Reflector<Widget>(_client, Widget.Resource, scope, new Random(1), _time, _logger).RunAsync(
            Tell,
            _stop.Token
        );

        await SkipRequestsAsync(4);

        Assert.All(
            _server.Requests,
            r =>
                Assert.Equal(
                    ("tier in (a,b),!old&x=1", "metadata.name=a+b"),
                    (r.Query("labelSelector"), r.Query("fieldSelector"))
                )
        );
    }

    [Theory]
    [InlineData("a bookmark was seen: silence for five minutes is a broken watch", true)]
    [InlineData("none was seen: the server may send none, and its own end has to come first", false)]
    public async Task A_watch_that_falls_silent_is_opened_again_if_the_server_is_known_to_send_bookmarks(
        string rule,
        bool bookmark
    )
    {
        var silent = Answer.Lines(
            bookmark ? Widget.Bookmark(10) : Widget.Event("ADDED", Widget.Json("z", 10)),
            Widget.Event("ADDED", Widget.Json("a", 11))
        );
        Run(Answer.Whole(Widget.List(9, null)), silent, Answer.Lines());
        await SkipRequestsAsync(2);
        await ToldAsync(
            bookmark
                ? ["restarted", "listed", "synced", "applied a"]
                : ["restarted", "listed", "synced", "applied z", "applied a"]
        );
        await _time.Clock.TimersScheduledAsync(1).Within();

        _time.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.False(silent.Over.IsCompleted);
        _time.Clock.Advance(TimeSpan.FromSeconds(2));

        if (bookmark)
        {
            Assert.Equal("11", (await _server.NextRequestAsync()).Query("resourceVersion"));
            return;
        }
        silent.Line(Widget.Event("ADDED", Widget.Json("b", 12)));
        await ToldAsync("applied b");
        Assert.True(_server.Requests.Count == 2, rule);
    }

    [Fact]
    public async Task Events_reach_the_mirror_as_they_come()
    {
        var watch = new Answer();
        Run(Answer.Whole(Widget.List(10, null, Widget.Json("a", 1))), watch);
        await ToldAsync("restarted", "listed a", "synced");

        watch.Line(Widget.Event("ADDED", Widget.Json("b", 11)));
        await ToldAsync("applied b");
        watch
            .Line(Widget.Event("MODIFIED", Widget.Json("a", 12, size: 5)))
            .Line(Widget.Event("DELETED", Widget.Json("b", 13)));
        await ToldAsync("applied a", "deleted b");

        Assert.Equal(5, Assert.Single(_mirror.Snapshot()).Spec.Size);
    }

    [Fact]
    public async Task A_server_that_is_silent_past_its_own_end_is_taken_for_dead()
    {
        var silent = Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 11)));
        Run(Answer.Whole(Widget.List(10, null)), silent, Answer.Lines());
        await SkipRequestsAsync(1);
        var duration = TimeSpan.FromSeconds(
            int.Parse((await _server.NextRequestAsync()).Query("timeoutSeconds") ?? "")
        );
        await ToldAsync("restarted", "listed", "synced", "applied a");

        _time.Clock.Advance(duration + TimeSpan.FromSeconds(29));
        Assert.False(silent.Over.IsCompleted);
        _time.Clock.Advance(TimeSpan.FromSeconds(2));
        var resumed = await _server.NextRequestAsync();
        await silent.Over.Within();

        Assert.Equal("11", resumed.Query("resourceVersion"));
    }

    [Fact]
    public async Task A_list_that_is_not_answered_is_given_up_after_its_deadline()
    {
        Run(new Answer(), Answer.Whole(Widget.List(10, null)), Answer.Lines());
        await SkipRequestsAsync(1);

        _time.Clock.Advance(TimeSpan.FromSeconds(30));

        await ToldAsync("restarted", "listed", "synced");
    }

    [Theory]
    [InlineData("while it lists", 0)]
    [InlineData("while it opens a watch", 1)]
    [InlineData("while it watches", 2)]
    public async Task Cancellation_comes_out_as_such_and_closes_what_is_open(string rule, int stage)
    {
        var last = stage == 2 ? Answer.Lines() : new Answer();
        Run(stage == 0 ? [last] : [Answer.Whole(Widget.List(10, null)), last]);
        await SkipRequestsAsync(stage == 0 ? 1 : 2);
        if (stage == 2)
        {
            last.Line(Widget.Event("ADDED", Widget.Json("a", 11)));
            await ToldAsync("restarted", "listed", "synced", "applied a");
        }

        await _stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running.Within());
        await last.Over.Within();
        Assert.True(_logger.Entries.All(e => e.Level < LogLevel.Warning), rule);
    }

    [Fact]
    public async Task A_failure_that_goes_on_is_reported_once_and_again_when_it_becomes_another()
    {
        Run([
            .. Enumerable.Range(0, 6).Select(_ => Answer.Whole("", 403)),
            Answer.Whole("", 500),
            Answer.Whole("", 503),
            Answer.Whole("", 503),
            Answer.Whole(Widget.List(10, null)),
            Answer.Lines(),
        ]);

        await SkipRequestsAsync(11);

        Assert.Equal(3, _logger.Entries.Count(e => e.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task Many_reconnects_leave_no_timers_behind()
    {
        var opened = 0;
        _server.Otherwise = request =>
            !request.IsWatch ? Answer.Whole(Widget.List(10, null))
            : ++opened < 200 ? Answer.Lines(Widget.Bookmark(10 + opened)).Cut()
            : Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 999)));
        Run();

        await ToldAsync("restarted", "listed", "synced", "applied a");

        Assert.InRange(_time.Clock.ScheduledTimers, 0, 1);
    }

    private void Run(params Answer[] script)
    {
        _server.Script(script);
        _client = new KubeClient(new KubeConnection(_server.Address), "test/1.0", _time);
        var watcher = new Reflector<Widget>(
            _client,
            Widget.Resource,
            new WatchScope("ns"),
            new Random(1),
            _time,
            _logger
        );
        _running = watcher.RunAsync(Tell, _stop.Token);
    }

    /// <summary>As <see cref="Run"/>, with a server that knows streaming lists.</summary>
    private void Stream(params Answer[] script)
    {
        _server.StreamsLists = true;
        Run(script);
    }

    private void Tell(WatchEvent<Widget> e)
    {
        _mirror.Apply(e);
        _told.Writer.TryWrite(
            e switch
            {
                WatchEvent<Widget>.Restarted => "restarted",
                WatchEvent<Widget>.Synced => "synced",
                WatchEvent<Widget>.Listed l => string.Join(
                    ' ',
                    ["listed", .. l.Items.Select(i => i.Metadata.Name), .. l.Unreadable.Select(u => $"?{u.Key}")]
                ),
                WatchEvent<Widget>.Applied a => $"applied {a.Item.Metadata.Name}",
                WatchEvent<Widget>.Deleted d => $"deleted {d.Key.Name}",
                _ => e.ToString(),
            }
        );
    }

    private async Task ToldAsync(params string[] expected)
    {
        foreach (var text in expected)
            Assert.Equal(text, await _told.Reader.ReadAsync().AsTask().Within());
    }

    private async Task SkipRequestsAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await _server.NextRequestAsync();
    }
}
