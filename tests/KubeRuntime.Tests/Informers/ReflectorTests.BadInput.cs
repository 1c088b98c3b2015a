using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Informers;

/// <summary>What a server should not send.</summary>
public sealed partial class ReflectorTests
{
    [Fact]
    public async Task An_unreadable_object_is_reported_and_the_others_go_on()
    {
        const string Bad =
            """{"metadata":{"name":"bad","namespace":"ns","resourceVersion":"3"},"spec":{"size":"secret"}}""";
        Run(
            Answer.Whole(
                Widget.List(
                    10,
                    null,
                    Widget.Json("a", 1),
                    Bad,
                    "{}",
                    "7",
                    "null",
                    """{"metadata":"x"}""",
                    """{"metadata":{"name":null}}""",
                    Widget.Json("b", 2)
                )
            ),
            Answer.Lines(
                Widget.Event("ADDED", Bad),
                Widget.Event("ADDED", "{}"),
                Widget.Event("MODIFIED", """{"metadata":{"resourceVersion":"11"}}"""),
                Widget.Event("ADDED", Widget.Json("c", 12)),
                Widget.Event(
                    "DELETED",
                    """{"metadata":{"name":"a","namespace":"ns","resourceVersion":"13"},"spec":{"size":"secret"}}"""
                )
            )
        );

        await ToldAsync("restarted", "listed a b ?ns/bad ? ? ? ? ?", "synced", "applied c", "deleted a");

        var reports = _logger.Entries.Where(e => e.Level == LogLevel.Warning).Select(e => e.Text).ToList();
        Assert.Equal(10, reports.Count);
        Assert.Contains(reports, r => r == "widgets ns/bad is passed over: cannot be read at $.spec.size");
        Assert.DoesNotContain(reports, r => r.Contains("secret", StringComparison.Ordinal));
        Assert.Equal(
            "b c",
            string.Join(" ", _mirror.Snapshot().Select(w => w.Metadata.Name).Order(StringComparer.Ordinal))
        );
    }

    [Theory]
    [InlineData("no JSON", "<html>busy</html>")]
    [InlineData("an empty line", "")]
    [InlineData("half a surrogate pair", """{"type":"\ud800","object":{}}""")]
    [InlineData(
        "two events on one line",
        """{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"50"}}}"""
            + """{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"51"}}}"""
    )]
    public async Task A_garbage_line_is_a_reason_to_resume_from_the_last_version(string rule, string line)
    {
        Run(Answer.Whole(Widget.List(10, null)), Answer.Lines(Widget.Bookmark(12), line), Answer.Lines());

        await SkipRequestsAsync(2);
        var resumed = await _server.NextRequestAsync();

        Assert.True(resumed.IsWatch && resumed.Query("resourceVersion") == "12", rule);
        Assert.Single(_time.Pauses);
    }

    [Fact]
    public async Task A_garbage_line_that_comes_on_every_resume_leads_to_a_new_list()
    {
        var lists = 0;
        _server.Otherwise = request =>
            request.IsWatch
                ? request.Query("resourceVersion") == "10"
                    ? Answer.Lines("garbage")
                    : Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 30)))
                : Answer.Whole(Widget.List(++lists * 10, null));
        Run();

        await ToldAsync("restarted", "listed", "synced", "restarted", "listed", "synced", "applied a");

        Assert.Equal(2, lists);
        Assert.Equal(10, _time.Pauses.Count);
    }

    [Fact]
    public async Task A_line_longer_than_the_bound_is_not_kept_in_memory()
    {
        var watch = Answer.Lines(Widget.Bookmark(12));
        for (var i = 0; i < 5; i++)
            watch.Text(new string('x', 1024 * 1024));
        Run(Answer.Whole(Widget.List(10, null)), watch, Answer.Lines());

        await SkipRequestsAsync(2);

        Assert.Equal("12", (await _server.NextRequestAsync()).Query("resourceVersion"));
        Assert.Contains(_logger.Entries, e => e.Text.Contains("longer than", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no version", "")]
    [InlineData("version 0", "0")]
    public async Task An_event_without_a_version_does_not_move_the_version_to_resume_from(string rule, string version)
    {
        Run(
            Answer.Whole(Widget.List(10, null)),
            Answer.Lines(Widget.Event("BOOKMARK", $$$"""{"metadata":{"resourceVersion":"{{{version}}}"}}""")).End(),
            Answer.Lines()
        );

        await SkipRequestsAsync(2);

        Assert.True((await _server.NextRequestAsync()).Query("resourceVersion") == "10", rule);
    }

    [Fact]
    public async Task A_list_without_a_version_is_not_taken()
    {
        Run(Answer.Whole("""{"metadata":{"resourceVersion":""},"items":[]}"""), Answer.Whole(Widget.List(10, null)));

        await ToldAsync("restarted", "listed", "synced");

        Assert.Single(_time.Pauses);
    }
}
