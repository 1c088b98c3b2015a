using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Events;
using KubeRuntime.Instrumentation;
using KubeRuntime.Tests.Instrumentation;
using Microsoft.Extensions.Logging;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Events;

#pragma warning disable CA1001 // xunit disposes through IAsyncLifetime.
public sealed partial class EventRecorderTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private static readonly EventReporter Reporter = new("example.com/test", "pod-1");
    private readonly ManualTimeProvider _clock = new();
    private readonly FakeEventApi _api = new();
    private readonly RecordingLogger _logger = new();
    private readonly MetricCollector _metrics = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly EventRecorder _recorder; // of one queue: events are sent in the order in which they came
    private readonly ITestOutputHelper _output;
    private Task _running = Task.CompletedTask;

    public EventRecorderTests(ITestOutputHelper output)
    {
        _output = output;
        _recorder = NewRecorder(queues: 1);
    }

    private EventRecorder NewRecorder(int queues) =>
        new(_api, Reporter, new Random(1), _clock, _logger, new RuntimeMetrics(_metrics.Meter), queues);

    private Occurrence Widget(string note = "it was made", string name = "a", string ns = "ns", bool warning = false) =>
        new(
            new EventSubject("test.example.com/v1", "Widget", new NamespacedName(ns, name), "uid-" + name),
            warning,
            "Made",
            "Make",
            note,
            _clock.GetUtcNow()
        );

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _metrics.Dispose();
    }

    public static TheoryData<string, string, string, string, string> Oddities() =>
        new()
        {
            { "plain", "a", "ns", "ok", "pod-1" },
            { "a cluster-scoped subject", "a", "", "ok", "pod-1" },
            { "a name that is no subdomain", "system:node", "", "ok", "pod-1" },
            { "the longest name", new string('a', 253), "ns", "ok", "pod-1" },
            {
                "a long name with a dot where it is cut",
                new string('a', 235) + ".b" + new string('c', 16),
                "ns",
                "ok",
                "pod-1"
            },
            { "no note", "a", "ns", "", "pod-1" },
            { "a long note", "a", "ns", new string('x', 5000), "pod-1" },
            {
                "a long note of wide characters",
                "a",
                "ns",
                "x" + string.Concat(Enumerable.Repeat("\U0001F511", 2000)),
                "pod-1"
            },
            { "a long instance", "a", "ns", "ok", new string('h', 300) },
        };

    [Theory]
    [MemberData(nameof(Oddities))]
    public async Task What_is_sent_is_legal(string what, string name, string ns, string note, string instance)
    {
        var recorder = new EventRecorder(_api, Reporter with { Instance = instance }, new Random(1), _clock, _logger);
        _running = recorder.RunAsync(_stop.Token);

        recorder.Record(Widget(note, name, ns, warning: true));

        Assert.Equal("POST", await _api.NextAsync());
        var stored = Assert.Single(_api.Stored.Values); // the fake has checked it
        Assert.True(
            (name, ns, "Warning") == (stored.Regarding?.Name, stored.Regarding?.NamespaceProperty, stored.Type),
            what
        );
        Assert.StartsWith(stored.Note, note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_note_is_cut_at_the_last_whole_character()
    {
        Run();

        _recorder.Record(Widget("x" + string.Concat(Enumerable.Repeat("\U0001F511", 2000))));

        await _api.NextAsync();
        Assert.Equal("x" + string.Concat(Enumerable.Repeat("\U0001F511", 255)), Assert.Single(_api.Stored.Values).Note);
    }

    [Fact]
    public async Task The_same_again_is_counted_on_the_first_from_the_second_on()
    {
        Run();
        _recorder.Record(Widget());
        Assert.Equal("POST", await _api.NextAsync());
        Assert.Null(Assert.Single(_api.Stored.Values).Series);

        _clock.Advance(TimeSpan.FromMinutes(1));
        _recorder.Record(Widget());
        _recorder.Record(Widget());

        Assert.Equal(("PATCH", "PATCH"), (await _api.NextAsync(), await _api.NextAsync()));
        Assert.Equal(
            new Eventsv1EventSeries { Count = 3, LastObservedTime = _clock.GetUtcNow().UtcDateTime },
            Assert.Single(_api.Stored.Values).Series
        );
    }

    [Fact]
    public async Task Other_words_another_subject_or_another_day_begin_anew()
    {
        Run();
        _recorder.Record(Widget());
        _recorder.Record(Widget("it was made again"));
        _recorder.Record(Widget(name: "b"));
        _recorder.Record(Widget(warning: true));
        for (var i = 0; i < 4; i++)
            Assert.Equal("POST", await _api.NextAsync());

        _clock.Advance(EventSeriesCache.Window + TimeSpan.FromSeconds(1));
        _recorder.Record(Widget());

        Assert.Equal("POST", await _api.NextAsync());
        Assert.Equal(5, _api.Stored.Count);
    }

    [Fact]
    public async Task A_series_whose_event_is_gone_is_made_anew_with_its_count()
    {
        Run();
        _recorder.Record(Widget());
        await _api.NextAsync();
        _api.Stored.Clear();

        _recorder.Record(Widget());

        Assert.Equal(("PATCH", "POST"), (await _api.NextAsync(), await _api.NextAsync()));
        Assert.Equal(2, Assert.Single(_api.Stored.Values).Series?.Count);
        Assert.Empty(_logger.Entries);
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_under_the_same_name()
    {
        _api.FaultAfter = call =>
            call == 1 ? new KubeApiException(KubeFailureKind.Transient, "the answer was lost") : null;
        Run();

        _recorder.Record(Widget());
        await _api.NextAsync();
        await _clock.TimersScheduledAsync(1).Within();
        _clock.Advance(TimeSpan.FromSeconds(1));
        await _api.NextAsync();
        _recorder.Record(Widget(name: "b"));
        await _api.NextAsync();

        Assert.Equal(2, _api.Stored.Count);
        Assert.Equal(0, _metrics.Sum("event_recorder_dropped_total"));
    }

    [Fact]
    public async Task A_retry_waits_as_long_as_the_server_asks()
    {
        _api.Fault = call =>
            call == 1
                ? new KubeApiException(KubeFailureKind.Throttled, "slow down") { RetryAfter = TimeSpan.FromSeconds(20) }
                : null;
        Run();
        _recorder.Record(Widget());
        await _api.NextAsync();
        await _clock.TimersScheduledAsync(1).Within();

        _clock.Advance(TimeSpan.FromSeconds(19));
        Assert.Equal((1, 1), (_clock.ScheduledTimers, _api.Calls));
        _clock.Advance(TimeSpan.FromSeconds(1));

        await _api.NextAsync();
        Assert.Single(_api.Stored);
    }

    [Fact]
    public async Task A_server_that_never_answers_well_costs_an_event_and_not_the_next_ones()
    {
        _api.Fault = call =>
            call <= EventRecorder.Tries ? new KubeApiException(KubeFailureKind.Transient, "down") : null;
        Run();

        _recorder.Record(Widget());
        _recorder.Record(Widget(name: "b"));
        await Waiting.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return _api.Stored.Count == 1;
        });

        Assert.Equal(EventRecorder.Tries + 1, _api.Calls);
        Assert.Equal("b", Assert.Single(_api.Stored.Values).Regarding?.Name);
        Assert.Equal(1, _metrics.Sum("event_recorder_dropped_total", "failed"));
        Assert.Single(_logger.Entries);
    }

    [Fact]
    public async Task What_will_be_wrong_again_is_tried_once_and_each_kind_is_logged_once()
    {
        KubeFailureKind[] kinds =
        [
            KubeFailureKind.Denied,
            KubeFailureKind.Denied,
            KubeFailureKind.Invalid,
            KubeFailureKind.NotFound,
            KubeFailureKind.Denied,
        ];
        _api.Fault = call => call <= kinds.Length ? new KubeApiException(kinds[call - 1], "no") : null;
        Run();

        for (var i = 0; i <= kinds.Length; i++)
        {
            _recorder.Record(Widget(name: $"w{i}"));
            await _api.NextAsync();
        }

        Assert.Single(_api.Stored);
        Assert.Equal(kinds.Length, _metrics.Sum("event_recorder_dropped_total", "failed"));
        Assert.Equal(3, _logger.Entries.Count(e => e.Level == LogLevel.Warning));
    }

    [Fact]
    public async Task A_subject_with_too_many_events_does_not_cost_the_others_theirs()
    {
        Run();

        for (var i = 0; i < SubjectLimits.Burst + 5; i++)
            _recorder.Record(Widget($"number {i}"));
        _recorder.Record(Widget(name: "b"));
        for (var i = 0; i < SubjectLimits.Burst + 1; i++)
            await _api.NextAsync();

        Assert.Equal(SubjectLimits.Burst, _api.Stored.Values.Count(e => e.Regarding?.Name == "a"));
        Assert.Single(_api.Stored.Values, e => e.Regarding?.Name == "b");
        Assert.Equal(5, _metrics.Sum("event_recorder_dropped_total", "rate_limited"));
    }

    [Fact]
    public async Task What_the_limit_holds_back_of_a_series_is_told_with_the_next_write()
    {
        Run();
        for (var i = 0; i < SubjectLimits.Burst + 5; i++)
            _recorder.Record(Widget());
        _recorder.Record(Widget(name: "b")); // sent when all before it have been sent or held back
        for (var i = 0; i < SubjectLimits.Burst + 1; i++)
            await _api.NextAsync();

        _clock.Advance(SubjectLimits.Refill);
        _recorder.Record(Widget());

        Assert.Equal("PATCH", await _api.NextAsync());
        var series = Assert.Single(_api.Stored.Values, e => e.Regarding?.Name == "a").Series;
        Assert.Equal(SubjectLimits.Burst + 6, series?.Count);
        Assert.Equal(0, _metrics.Sum("event_recorder_dropped_total"));
    }

    [Fact]
    public void A_full_queue_drops_what_is_new_and_holds_nobody_up()
    {
        for (var i = 0; i < EventRecorder.MaxWaiting + 7; i++)
            _recorder.Record(Widget());

        Assert.Equal(7, _metrics.Sum("event_recorder_dropped_total", "queue_full"));
    }

    [Fact]
    public async Task An_event_after_the_end_is_dropped_and_counted()
    {
        Run();
        await StopAsync();

        _recorder.Record(Widget());

        Assert.Equal(1, _metrics.Sum("event_recorder_dropped_total", "shutdown"));
    }

    [Fact]
    public async Task A_stop_sends_what_was_under_way_and_what_waits()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _api.Gate = _ => gate.Task;
        Run();
        _recorder.Record(Widget());
        await Waiting.UntilAsync(() => _api.Calls == 1);
        _recorder.Record(Widget(name: "b"));

        await _stop.CancelAsync();
        await Waiting.UntilAsync(() => _api.Calls == 2); // the first one again
        gate.SetResult();
        await _running.Within();

        Assert.Equal(2, _api.Stored.Count);
        Assert.Equal(3, _api.Calls);
    }

    [Fact]
    public async Task A_stop_waits_for_a_server_that_hangs_no_longer_than_the_flush_may_take()
    {
        _api.Gate = _ => new TaskCompletionSource().Task;
        Run();
        _recorder.Record(Widget());
        _recorder.Record(Widget(name: "b"));
        await Waiting.UntilAsync(() => _api.Calls == 1);
        await _stop.CancelAsync();
        await Waiting.UntilAsync(() => _api.Calls == 2);

        _clock.Advance(EventRecorder.FlushTimeout);

        await _running.Within();
        Assert.Equal(2, _metrics.Sum("event_recorder_dropped_total", "shutdown"));
    }

    [Fact]
    public void Memory_is_bounded_whatever_comes()
    {
        var limits = new SubjectLimits(_clock, maxRemembered: 100);
        var series = new EventSeriesCache(_clock, maxRemembered: 50);

        for (var i = 0; i < 1000; i++)
        {
            var occurrence = Widget(name: $"w{i}");
            Assert.True(limits.TryTake(occurrence.Subject));
            series.Begin(occurrence, KubeEvent.Of(occurrence, Reporter, i));
        }

        Assert.InRange(limits.Remembered, 1, 100);
        Assert.InRange(series.Remembered, 1, 50);
        Assert.NotNull(series.Continue(Widget(name: "w999")));
    }

    private void Run() => _running = _recorder.RunAsync(_stop.Token);

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.Within();
    }
}
