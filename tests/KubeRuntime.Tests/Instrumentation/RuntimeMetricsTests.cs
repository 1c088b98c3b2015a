using System.Diagnostics.Metrics;
using KubeRuntime.Client;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;
using TestKit;

namespace KubeRuntime.Tests.Instrumentation;

public sealed class RuntimeMetricsTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _clock = new();
    private readonly MetricCollector _collected = new();
    private readonly RuntimeMetrics _metrics;
    private readonly WorkQueue<NamespacedName> _queue;
    private readonly NamespacedName _a = new("ns", "a");
    private readonly NamespacedName _b = new("ns", "b");

    public RuntimeMetricsTests()
    {
        _metrics = new RuntimeMetrics(_collected.Meter);
        _queue = new WorkQueue<NamespacedName>(
            new Backoff(Second, Second, new Random(1)),
            _clock,
            new WorkQueueMetrics(_metrics, "widget")
        );
    }

    public void Dispose()
    {
        _queue.Dispose();
        _collected.Dispose();
    }

    [Fact]
    public void The_names_are_those_of_controller_runtime_and_client_go_and_one_of_our_own() =>
        Assert.Equal(
            """
            controller_runtime_active_workers controller_runtime_max_concurrent_reconciles
            controller_runtime_reconcile_errors_total controller_runtime_reconcile_panics_total
            controller_runtime_reconcile_time_seconds controller_runtime_reconcile_timeouts_total
            controller_runtime_reconcile_total event_recorder_dropped_total leader_election_master_status
            rest_client_request_duration_seconds rest_client_requests_total workqueue_adds_total workqueue_depth
            workqueue_longest_running_processor_seconds workqueue_queue_duration_seconds workqueue_retries_total
            workqueue_unfinished_work_seconds workqueue_work_duration_seconds
            """.ReplaceLineEndings(" "),
            string.Join(' ', _collected.Instruments.Select(i => i.Name).Order(StringComparer.Ordinal))
        );

    [Fact]
    public void Bucket_bounds_are_upstreams()
    {
        var bounds = _collected
            .Instruments.OfType<Histogram<double>>()
            .ToDictionary(
                h => h.Name,
                h => h.Advice?.HistogramBucketBoundaries?.ToArray() ?? [],
                StringComparer.Ordinal
            );

        Assert.Equal((12, 1e-8, 1000), Shape("workqueue_queue_duration_seconds"));
        Assert.Equal((12, 1e-8, 1000), Shape("workqueue_work_duration_seconds"));
        Assert.Equal((40, 0.005, 60), Shape("controller_runtime_reconcile_time_seconds"));
        Assert.Equal((12, 0.005, 60), Shape("rest_client_request_duration_seconds"));
        Assert.All(bounds.Values, b => Assert.Equal(b.Order(), b));

        (int Count, double First, double Last) Shape(string name) =>
            (bounds[name].Length, bounds[name][0], bounds[name][^1]);
    }

    [Fact]
    public async Task A_queue_tells_how_many_wait_and_how_long()
    {
        _queue.Add(_a);
        _queue.Add(_a);
        _queue.Add(_b);
        Assert.Equal(
            (2, 2),
            (_collected.Last("workqueue_depth", "widget"), _collected.Sum("workqueue_adds_total", "widget"))
        );

        _clock.Advance(3 * Second);
        await _queue.TakeAsync(CancellationToken.None);

        Assert.Equal(1, _collected.Last("workqueue_depth", "widget"));
        Assert.Equal([3d], _collected.Values("workqueue_queue_duration_seconds", "widget"));
    }

    [Fact]
    public async Task A_queue_tells_what_workers_have_and_for_how_long()
    {
        _queue.Add(_a);
        await _queue.TakeAsync(CancellationToken.None);
        _clock.Advance(2 * Second);
        _queue.Add(_b);
        await _queue.TakeAsync(CancellationToken.None);
        _clock.Advance(5 * Second);
        Assert.Equal(
            (12, 7),
            (
                _collected.Last("workqueue_unfinished_work_seconds"),
                _collected.Last("workqueue_longest_running_processor_seconds")
            )
        );

        _queue.Done(_a);

        Assert.Equal([7d], _collected.Values("workqueue_work_duration_seconds", "widget"));
        Assert.Equal(
            (5, 5),
            (
                _collected.Last("workqueue_unfinished_work_seconds"),
                _collected.Last("workqueue_longest_running_processor_seconds")
            )
        );
    }

    [Fact]
    public async Task A_key_that_changes_under_a_worker_waits_from_then_on_and_a_retry_is_counted()
    {
        _queue.Add(_a);
        await _queue.TakeAsync(CancellationToken.None);
        _queue.Add(_a);
        _clock.Advance(4 * Second);
        _queue.Done(_a);
        await _queue.TakeAsync(CancellationToken.None);

        Assert.Equal([0d, 4d], _collected.Values("workqueue_queue_duration_seconds"));
        Assert.Equal(0, _collected.Sum("workqueue_retries_total"));
        _queue.AddRateLimited(_a, TimeSpan.Zero);
        _queue.AddAfter(_b, Second);

        Assert.Equal(1, _collected.Sum("workqueue_retries_total", "widget"));
    }

    [Fact]
    public async Task Requests_are_counted_by_code_method_and_host_and_those_without_an_answer_too()
    {
        await using var server = ScriptedApiServer.Start(
            Answer.Whole(Widget.Json("a", 1)),
            Answer.Whole(Widget.Status(404, "NotFound", "no"), 404)
        );
        using var client = new KubeClient(new KubeConnection(server.Address), "test/1.0", _clock, metrics: _metrics);
        using var refused = new KubeClient(
            new KubeConnection(new Uri("http://127.0.0.1:1")),
            "test/1.0",
            _clock,
            metrics: _metrics
        );

        foreach (var asked in (KubeClient[])[client, client, refused])
            await Record.ExceptionAsync(() => asked.GetAsync(Widget.Resource, _a, CancellationToken.None).Within());

        (string Code, string Host)[] answers =
        [
            ("200", server.Address.Authority),
            ("404", server.Address.Authority),
            ("<error>", "127.0.0.1:1"),
        ];
        Assert.All(answers, a => Assert.Equal(1, _collected.Sum("rest_client_requests_total", a.Code, "GET", a.Host)));
        Assert.Equal(
            2,
            _collected.Values("rest_client_request_duration_seconds", "GET", server.Address.Authority).Count
        );
    }

    [Fact]
    public void Leadership_is_asked_for_when_somebody_collects()
    {
        var leads = false;
        _metrics.WatchLeadership("lease", () => leads);
        Assert.Equal(0, _collected.Last("leader_election_master_status", "lease"));

        leads = true;

        Assert.Equal(1, _collected.Last("leader_election_master_status", "lease"));
    }

    [Fact]
    public async Task While_nobody_listens_nothing_is_recorded()
    {
        using var deaf = new MetricCollector(listens: false);
        using var queue = new WorkQueue<NamespacedName>(
            new Backoff(Second, Second, new Random(1)),
            _clock,
            new WorkQueueMetrics(new RuntimeMetrics(deaf.Meter), "widget")
        );

        queue.Add(_a);
        await queue.TakeAsync(CancellationToken.None);

        Assert.Empty(deaf.Collect());
        Assert.All(deaf.Instruments, i => Assert.False(i.Enabled));
    }
}
