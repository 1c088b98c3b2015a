using System.Collections.Immutable;
using System.Diagnostics.Metrics;

namespace KubeRuntime.Instrumentation;

/// <summary>
/// The metrics of the runtime, with the names and labels of controller-runtime and client-go, so that their dashboards
/// and alerts work. Counts and times are recorded as they happen; states (depth, workers, leadership) are read when
/// metrics are collected. Without a listener a measurement costs the test of a flag. Label values come from the
/// program, never from objects, so their number is bounded.
/// </summary>
/// <remarks>
/// The bounds of buckets are a hint to the collector, with upstream's values. docs/runtime.md has the table.
/// </remarks>
public sealed class RuntimeMetrics
{
    public const string MeterName = "KubeRuntime";

    /// <summary>From 10 ns to 1000 s, by tens.</summary>
    private static readonly InstrumentAdvice<double> QueueBounds = new()
    {
        HistogramBucketBoundaries = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000],
    };

    private static readonly InstrumentAdvice<double> ReconcileBounds = new()
    {
        HistogramBucketBoundaries =
        [
            0.005,
            0.01,
            0.025,
            0.05,
            0.1,
            0.15,
            0.2,
            0.25,
            0.3,
            0.35,
            0.4,
            0.45,
            0.5,
            0.6,
            0.7,
            0.8,
            0.9,
            1,
            1.25,
            1.5,
            1.75,
            2,
            2.5,
            3,
            3.5,
            4,
            4.5,
            5,
            6,
            7,
            8,
            9,
            10,
            15,
            20,
            25,
            30,
            40,
            50,
            60,
        ],
    };

    private static readonly InstrumentAdvice<double> RequestBounds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    };

    private readonly States<long> _depth = new();
    private readonly States<double> _unfinished = new();
    private readonly States<double> _longest = new();
    private readonly States<long> _activeWorkers = new();
    private readonly States<long> _maxWorkers = new();
    private readonly States<long> _leading = new();

    /// <param name="meter">
    /// Best made by an <see cref="IMeterFactory"/>, under <see cref="MeterName"/>; its owner disposes it.
    /// </param>
    public RuntimeMetrics(Meter meter)
    {
        QueueAdds = meter.CreateCounter<long>(
            "workqueue_adds_total",
            description: "Keys that were added and did not wait already"
        );
        QueueRetries = meter.CreateCounter<long>(
            "workqueue_retries_total",
            description: "Keys that were added again after a failure"
        );
        QueueWait = Seconds("workqueue_queue_duration_seconds", "How long a key waited for a worker", QueueBounds);
        QueueWork = Seconds("workqueue_work_duration_seconds", "How long a worker had a key", QueueBounds);
        meter.CreateObservableGauge("workqueue_depth", _depth.Read, description: "Keys that wait for a worker");
        meter.CreateObservableGauge(
            "workqueue_unfinished_work_seconds",
            _unfinished.Read,
            description: "Time spent so far on keys that workers have now, summed"
        );
        meter.CreateObservableGauge(
            "workqueue_longest_running_processor_seconds",
            _longest.Read,
            description: "Time spent so far on the key that a worker has had for longest"
        );
        Reconciles = meter.CreateCounter<long>(
            "controller_runtime_reconcile_total",
            description: "Reconciles by result: success, requeue_after, requeue, error"
        );
        Errors = meter.CreateCounter<long>(
            "controller_runtime_reconcile_errors_total",
            description: "Reconciles that ended in a retry, a time-out or an exception"
        );
        Panics = meter.CreateCounter<long>(
            "controller_runtime_reconcile_panics_total",
            description: "Reconciles that threw what they should not"
        );
        Timeouts = meter.CreateCounter<long>(
            "controller_runtime_reconcile_timeouts_total",
            description: "Reconciles that reached their time limit"
        );
        ReconcileTime = Seconds(
            "controller_runtime_reconcile_time_seconds",
            "How long a reconcile took",
            ReconcileBounds
        );
        meter.CreateObservableGauge(
            "controller_runtime_active_workers",
            _activeWorkers.Read,
            description: "Workers that have a key"
        );
        meter.CreateObservableGauge(
            "controller_runtime_max_concurrent_reconciles",
            _maxWorkers.Read,
            description: "Workers"
        );
        Requests = meter.CreateCounter<long>(
            "rest_client_requests_total",
            description: "Requests to the API server by status code, method and host; <error> where no answer came"
        );
        RequestTime = Seconds(
            "rest_client_request_duration_seconds",
            "Time until the head of an answer",
            RequestBounds
        );
        meter.CreateObservableGauge(
            "leader_election_master_status",
            _leading.Read,
            description: "1 while this process leads"
        );
        EventsDropped = meter.CreateCounter<long>(
            "event_recorder_dropped_total",
            description: "Events that were not sent, by reason: queue_full, rate_limited, failed, shutdown"
        );

        Histogram<double> Seconds(string name, string description, InstrumentAdvice<double> bounds) =>
            meter.CreateHistogram(name, "s", description, tags: null, bounds);
    }

    internal Counter<long> QueueAdds { get; }

    internal Counter<long> QueueRetries { get; }

    internal Histogram<double> QueueWait { get; }

    internal Histogram<double> QueueWork { get; }

    internal Counter<long> Reconciles { get; }

    internal Counter<long> Errors { get; }

    internal Counter<long> Panics { get; }

    internal Counter<long> Timeouts { get; }

    internal Histogram<double> ReconcileTime { get; }

    internal Counter<long> Requests { get; }

    internal Histogram<double> RequestTime { get; }

    internal Counter<long> EventsDropped { get; }

    /// <param name="name">Name of the election, usually that of the lease.</param>
    public void WatchLeadership(string name, Func<bool> leads) =>
        _leading.Add(() => leads() ? 1 : 0, [new("name", name)]);

    internal void WatchQueue(string name, Func<int> depth, Func<(TimeSpan Sum, TimeSpan Longest)> running)
    {
        var tags = QueueTags(name);
        _depth.Add(() => depth(), tags);
        _unfinished.Add(() => running().Sum.TotalSeconds, tags);
        _longest.Add(() => running().Longest.TotalSeconds, tags);
    }

    internal void WatchWorkers(string controller, int max, Func<int> active)
    {
        _activeWorkers.Add(() => active(), [new("controller", controller)]);
        _maxWorkers.Add(() => max, [new("controller", controller)]);
    }

    /// <summary>controller-runtime names a queue twice.</summary>
    internal static KeyValuePair<string, object?>[] QueueTags(string name) =>
        [new("name", name), new("controller", name)];

    /// <summary>Functions that are called when metrics are collected.</summary>
    private sealed class States<T>
        where T : struct
    {
        private ImmutableArray<(Func<T> Read, KeyValuePair<string, object?>[] Tags)> _all = [];

        public void Add(Func<T> read, KeyValuePair<string, object?>[] tags) =>
            ImmutableInterlocked.Update(ref _all, static (all, one) => all.Add(one), (read, tags));

        public IEnumerable<Measurement<T>> Read() => _all.Select(state => new Measurement<T>(state.Read(), state.Tags));
    }
}
