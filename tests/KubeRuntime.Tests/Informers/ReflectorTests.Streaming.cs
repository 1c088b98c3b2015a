using KubeRuntime.Client;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Informers;

public sealed partial class ReflectorTests
{
    [Fact]
    public async Task It_lists_by_a_stream_that_ends_at_its_bookmark_and_goes_on_as_the_watch()
    {
        var stream = Answer.Lines(
            Widget.Event("ADDED", Widget.Json("a", 1)),
            Widget.Bookmark(5),
            Widget.Event("ADDED", Widget.Json("b", 2))
        );
        Stream(stream, Answer.Lines());

        var list = await _server.NextRequestAsync();
        await ToldAsync("restarted", "listed a", "listed b");
        Assert.False(_mirror.IsSynced);
        stream.Line(Widget.EndBookmark(10)).Line(Widget.Event("ADDED", Widget.Json("c", 11)));
        await ToldAsync("synced", "applied c");
        stream.End();
        var resumed = await _server.NextRequestAsync();

        Assert.Equal("/apis/test.example.com/v1/namespaces/ns/widgets", list.Path);
        Assert.Equal(
            "1 true true NotOlderThan",
            $"{list.Query("watch")} {list.Query("sendInitialEvents")} {list.Query("allowWatchBookmarks")} "
                + $"{list.Query("resourceVersionMatch")}"
        );
        Assert.Null(list.Query("resourceVersion"));
        Assert.InRange(int.Parse(list.Query("timeoutSeconds") ?? ""), 300, 600);
        Assert.False(resumed.IsStreamingList);
        Assert.Equal("11", resumed.Query("resourceVersion"));
    }

    [Fact]
    public async Task Changes_between_the_initial_events_are_parts_of_the_list()
    {
        const string Bad =
            """{"metadata":{"name":"bad","namespace":"ns","resourceVersion":"3"},"spec":{"size":"secret"}}""";
        Stream(
            Answer.Lines(
                Widget.Event("ADDED", Widget.Json("a", 1)),
                Widget.Event("ADDED", Widget.Json("b", 2)),
                Widget.Event("ADDED", Bad),
                Widget.Event("MODIFIED", Widget.Json("a", 11, size: 7)),
                Widget.Event("DELETED", Widget.Json("b", 12)),
                Widget.EndBookmark(12)
            )
        );

        await ToldAsync("restarted", "listed a", "listed b", "listed ?ns/bad", "listed a", "deleted b", "synced");

        Assert.Equal(7, Assert.Single(_mirror.Snapshot()).Spec.Size);
    }

    [Theory]
    [InlineData("a 410 reply", true)]
    [InlineData("a 410 event", false)]
    public async Task After_a_410_the_next_streaming_list_finds_deletions(string rule, bool reply)
    {
        const string TooOld = "too old resource version: 10 (900)";
        var first = Answer.Lines(
            Widget.Event("ADDED", Widget.Json("a", 1)),
            Widget.Event("ADDED", Widget.Json("b", 2)),
            Widget.EndBookmark(10)
        );
        var second = Answer.Lines(Widget.Event("ADDED", Widget.Json("b", 2)), Widget.EndBookmark(900));
        if (reply)
            Stream(first.End(), Answer.Whole(Widget.Status(410, "Expired", TooOld), 410), second);
        else
            Stream(first.Line(Widget.Error(410, "Expired", TooOld)), second);

        await ToldAsync("restarted", "listed a", "listed b", "synced", "restarted", "listed b", "synced");

        Assert.True(_mirror.Snapshot() is [{ Metadata.Name: "b" }], rule);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("ended")]
    [InlineData("an error event")]
    [InlineData("an end bookmark without a version")]
    [InlineData("garbage")]
    public async Task A_streaming_list_that_stops_before_its_end_bookmark_starts_over_and_deletes_nothing(string how)
    {
        var broken = Answer.Lines(
            Widget.Event("ADDED", Widget.Json("a", 1)),
            Widget.Event("ADDED", Widget.Json("old", 2))
        );
        var next = Answer.Lines();
        Stream(broken, next);
        await ToldAsync("restarted", "listed a", "listed old");

        _ = how switch
        {
            "cut" => broken.Cut(),
            "ended" => broken.End(),
            "an error event" => broken.Line(Widget.Error(500, "InternalError", "etcd has no leader")),
            "garbage" => broken.Line("garbage"),
            _ => broken.Line(
                Widget.Event("BOOKMARK", """{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}""")
            ),
        };
        await ToldAsync("restarted");
        Assert.False(_mirror.IsSynced);
        Assert.NotNull(_mirror.Find(new NamespacedName("ns", "old")));
        next.Line(Widget.Event("ADDED", Widget.Json("a", 1))).Line(Widget.EndBookmark(20));
        await ToldAsync("listed a", "synced");

        Assert.Null(_mirror.Find(new NamespacedName("ns", "old")));
        Assert.Single(_time.Pauses);
        Assert.All(_server.Requests, r => Assert.True(r.IsStreamingList));
    }

    [Theory]
    [InlineData(400, "BadRequest")]
    [InlineData(422, "Invalid")]
    public async Task A_server_without_streaming_lists_is_asked_once_and_read_by_pages(int status, string reason)
    {
        Stream(
            Answer.Whole(Widget.Status(status, reason, "sendInitialEvents is forbidden"), status),
            Answer.Whole(Widget.List(10, null, Widget.Json("a", 1))),
            Answer.Lines(Widget.Error(410, "Expired", "too old")),
            Answer.Whole(Widget.List(20, null)),
            Answer.Lines()
        );

        await ToldAsync("restarted", "listed a", "synced", "restarted", "listed", "synced");
        await SkipRequestsAsync(5);

        Assert.Equal([true, false, false, false, false], _server.Requests.Select(r => r.IsStreamingList));
        Assert.Single(_time.Pauses);
        Assert.Single(
            _logger.Entries,
            e => e.Level == LogLevel.Information && e.Text.Contains("no streaming lists", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(_logger.Entries, e => e.Level >= LogLevel.Warning);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(403)]
    [InlineData(429)]
    public async Task A_streaming_list_that_is_refused_for_another_reason_is_asked_for_again(int status)
    {
        Stream(Answer.Whole("no", status), Answer.Lines(Widget.EndBookmark(10)));

        await ToldAsync("restarted", "synced");

        Assert.Equal(2, _server.Requests.Count(r => r.IsStreamingList));
        Assert.Single(_time.Pauses);
    }

    [Fact]
    public async Task After_three_broken_streams_a_list_is_read_by_pages_and_the_next_is_a_stream_again()
    {
        Stream(
            Answer.Lines().Cut(),
            Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 1))).Cut(),
            Answer.Lines().End(),
            Answer.Whole(Widget.List(10, null, Widget.Json("a", 1))),
            Answer.Lines(Widget.Error(410, "Expired", "too old")),
            Answer.Lines(Widget.EndBookmark(20))
        );

        await SkipRequestsAsync(6);

        Assert.Equal([true, true, true, false, false, true], _server.Requests.Select(r => r.IsStreamingList));
    }

    [Fact]
    public async Task A_streaming_list_that_falls_silent_is_given_up()
    {
        var silent = Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 1)));
        Stream(silent, Answer.Lines(Widget.EndBookmark(10)));
        await ToldAsync("restarted", "listed a");

        await _time.Clock.TimersScheduledAsync(1).Within();
        _time.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(silent.Over.IsCompleted);
        _time.Clock.Advance(TimeSpan.FromSeconds(2));

        await ToldAsync("restarted", "synced");
    }
}
