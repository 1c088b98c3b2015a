using KubeRuntime.Client;
using KubeRuntime.Informers;
using TestKit;

namespace KubeRuntime.Tests.Informers;

/// <summary>How watches end, and what comes after.</summary>
public sealed partial class ReflectorTests
{
    [Theory]
    [InlineData("cut")]
    [InlineData("reset")]
    [InlineData("end")]
    public async Task After_any_end_it_resumes_from_the_last_version_seen_and_lists_no_more(string end)
    {
        var watch = Answer.Lines(Widget.Event("ADDED", Widget.Json("b", 11)), Widget.Bookmark(15));
        var next = Answer.Lines(Widget.Event("ADDED", Widget.Json("c", 16)));
        Run(Answer.Whole(Widget.List(10, null)), watch, next);
        await ToldAsync("restarted", "listed", "synced", "applied b");

        await SkipRequestsAsync(2);
        watch.Line(Widget.Event("MODIFIED", Widget.Json("b", 14))).Line(Widget.Bookmark(15));
        await ToldAsync("applied b");
        _ = end switch
        {
            "cut" => watch.Cut(),
            "reset" => watch.Reset(),
            _ => watch.End(),
        };
        var resumed = await _server.NextRequestAsync();
        await ToldAsync("applied c");

        Assert.True(resumed.IsWatch);
        // A reset may take with it what was on its way.
        Assert.True(resumed.Query("resourceVersion") == "15" || end == "reset", resumed.Target);
        Assert.Single(_time.Pauses);
    }

    [Theory]
    [InlineData("in a connection that breaks", true)]
    [InlineData("in an answer that ends properly", false)]
    public async Task Half_a_line_is_not_taken(string where, bool cut)
    {
        var half = Widget.Event("ADDED", Widget.Json("b", 99))[..^3];
        var watch = Answer.Lines(Widget.Bookmark(12)).Text(half);
        Run(Answer.Whole(Widget.List(10, null)), cut ? watch.Cut() : watch.End());

        await SkipRequestsAsync(2);
        var resumed = await _server.NextRequestAsync();

        Assert.True(resumed.Query("resourceVersion") == "12", where);
        Assert.Equal(0, _mirror.Count);
    }

    [Fact]
    public async Task A_410_reply_to_a_watch_leads_to_a_new_list_that_finds_deletions()
    {
        Run(
            Answer.Whole(Widget.List(10, null, Widget.Json("a", 1), Widget.Json("b", 2))),
            Answer.Whole(Widget.Status(410, "Expired", "too old resource version: 10 (900)"), 410),
            Answer.Whole(Widget.List(900, null, Widget.Json("b", 2))),
            Answer.Lines()
        );

        await ToldAsync("restarted", "listed a b", "synced", "restarted", "listed b", "synced");

        await SkipRequestsAsync(3);
        Assert.Equal("900", (await _server.NextRequestAsync()).Query("resourceVersion"));
        Assert.Equal("b", Assert.Single(_mirror.Snapshot()).Metadata.Name);
    }

    [Fact]
    public async Task A_410_event_inside_a_watch_leads_to_a_new_list_that_finds_deletions()
    {
        var watch = Answer.Lines(Widget.Error(410, "Expired", "too old resource version: 10 (900)"));
        Run(
            Answer.Whole(Widget.List(10, null, Widget.Json("a", 1), Widget.Json("b", 2))),
            watch,
            Answer.Whole(Widget.List(900, null, Widget.Json("b", 2))),
            Answer.Lines()
        );

        await ToldAsync("restarted", "listed a b", "synced", "restarted", "listed b", "synced");

        await watch.Over.Within();
        await SkipRequestsAsync(3);
        Assert.Equal("900", (await _server.NextRequestAsync()).Query("resourceVersion"));
        Assert.Equal("b", Assert.Single(_mirror.Snapshot()).Metadata.Name);
    }

    [Theory]
    [InlineData("410 on a continue token", 410, "Expired")]
    [InlineData("400, a continue token that the server calls wrong", 400, "BadRequest")]
    public async Task A_continue_token_that_is_no_good_starts_the_list_over(string rule, int status, string reason)
    {
        Run(
            Answer.Whole(Widget.List(10, "two", Widget.Json("a", 1), Widget.Json("old", 2))),
            Answer.Whole(Widget.Status(status, reason, "The provided continue parameter is too old"), status),
            Answer.Whole(Widget.List(20, "two again", Widget.Json("a", 1))),
            Answer.Whole(Widget.List(20, null, Widget.Json("c", 12))),
            Answer.Lines()
        );

        await ToldAsync("restarted", "listed a old", "restarted", "listed a", "listed c", "synced");

        await SkipRequestsAsync(2);
        Assert.Null((await _server.NextRequestAsync()).Query("continue"));
        Assert.True(_mirror.Find(new NamespacedName("ns", "old")) is null, rule);
    }

    [Fact]
    public async Task A_version_that_the_server_calls_wrong_leads_to_a_new_list()
    {
        Run(
            Answer.Whole(Widget.List(10, null)),
            Answer.Whole(Widget.Status(400, "BadRequest", "resourceVersion: Invalid value"), 400),
            Answer.Whole(Widget.List(7, null)),
            Answer.Lines()
        );

        await SkipRequestsAsync(3);

        Assert.Equal("7", (await _server.NextRequestAsync()).Query("resourceVersion"));
    }

    [Theory]
    [InlineData(500, "InternalError")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(403, "Forbidden")]
    [InlineData(0, "")]
    public async Task Another_error_event_resumes_from_the_last_version(int code, string reason)
    {
        Run(
            Answer.Whole(Widget.List(10, null)),
            Answer.Lines(
                Widget.Event("ADDED", Widget.Json("a", 11)),
                Widget.Error(code, reason, "storage is (re)initializing")
            ),
            Answer.Lines()
        );

        await SkipRequestsAsync(2);
        var resumed = await _server.NextRequestAsync();

        Assert.True(resumed.IsWatch);
        Assert.Equal("11", resumed.Query("resourceVersion"));
        Assert.Single(_time.Pauses);
    }

    [Theory]
    [InlineData("a proxy that ends every watch at once: ever more seldom", "", 15)]
    [InlineData("a server that says 410 to every watch: ever more seldom", "410", 15)]
    [InlineData("a server that cuts every watch after one event: about once a second, for there is news", "event", 0.8)]
    public async Task Watches_that_end_at_once_are_not_opened_at_once(string rule, string what, double seconds)
    {
        var version = 10;
        _server.Otherwise = request =>
            (request.IsWatch, what) switch
            {
                (false, _) => Answer.Whole(Widget.List(++version, null)),
                (true, "410") => Answer.Lines(Widget.Error(410, "Expired", "too old")).End(),
                (true, "event") => Answer.Lines(Widget.Event("MODIFIED", Widget.Json("a", ++version))).Cut(),
                _ => Answer.Lines().End(),
            };
        Run();

        await SkipRequestsAsync(40);

        var pauses = _time.Pauses;
        Assert.True(pauses.Count >= (what == "410" ? 19 : 35), $"{rule}: {pauses.Count} pauses");
        Assert.All(pauses.Skip(10), p => Assert.True(p >= TimeSpan.FromSeconds(seconds), $"{rule}: {p}"));
        if (what == "event")
            Assert.All(pauses, p => Assert.True(p <= TimeSpan.FromSeconds(2), $"{rule}: {p}"));
    }

    [Fact]
    public async Task After_a_watch_that_lived_the_back_off_starts_anew()
    {
        var failures = Enumerable.Range(0, 8).Select(_ => Answer.Whole("", 503)).ToArray();
        var watch = new Answer();
        Run([.. failures, Answer.Whole(Widget.List(10, null)), watch, Answer.Lines()]);
        await SkipRequestsAsync(10);
        watch.Line(Widget.Event("ADDED", Widget.Json("a", 11)));
        await ToldAsync("restarted", "listed", "synced", "applied a");

        _time.Clock.Advance(TimeSpan.FromMinutes(1));
        watch.End();
        await SkipRequestsAsync(1);

        Assert.Equal(9, _time.Pauses.Count);
        Assert.True(_time.Pauses[7] > TimeSpan.FromSeconds(6));
        Assert.True(_time.Pauses[8] <= TimeSpan.FromMilliseconds(100));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(403)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(302)]
    public async Task A_failed_list_or_watch_is_tried_again(int status)
    {
        Run(
            Answer.Whole("no", status, "Location: http://192.0.2.1/elsewhere"),
            Answer.Whole(Widget.List(10, null)),
            Answer.Whole("no", status, "Location: http://192.0.2.1/elsewhere"),
            Answer.Lines(Widget.Event("ADDED", Widget.Json("a", 11)))
        );

        await ToldAsync("restarted", "listed", "synced", "applied a");

        Assert.Equal([false, false, true, true], _server.Requests.Select(r => r.IsWatch));
        Assert.Equal(2, _time.Pauses.Count);
    }

    [Theory]
    [InlineData("a Retry-After header", 429, 7, 7)]
    [InlineData("a Retry-After header with a 503", 503, 7, 7)]
    [InlineData("one that asks for longer than a timer can count is cut", 429, int.MaxValue, 300)]
    public async Task The_server_says_how_long_to_wait(string rule, int status, int asked, int waited)
    {
        var patient = new ImpatientTimeProvider(w => w != TimeSpan.FromSeconds(30));
        _server.Script(Answer.Whole("", status, $"Retry-After: {asked}"), Answer.Whole(Widget.List(10, null)));
        using var client = new KubeClient(new KubeConnection(_server.Address), "test/1.0", patient);
        var watcher = new Reflector<Widget>(
            client,
            Widget.Resource,
            new WatchScope("ns"),
            new Random(1),
            patient,
            _logger
        );

        _running = watcher.RunAsync(Tell, _stop.Token);
        await ToldAsync("restarted", "listed", "synced");

        Assert.True(patient.Pauses[0] == TimeSpan.FromSeconds(waited), $"{rule}: {patient.Pauses[0]}");
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running.Within());
    }
}
