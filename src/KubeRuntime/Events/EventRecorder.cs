using KubeRuntime.Client;
using KubeRuntime.Instrumentation;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Events;

/// <summary>Reports to people what happened to an object.</summary>
public interface IEventRecorder
{
    /// <summary>Returns at once, whether or not the event is sent. Thread-safe.</summary>
    void Record(Occurrence occurrence);
}

/// <param name="Reason">The reason, for machines: one word in CamelCase, at most 128 characters.</param>
/// <param name="Action">What was done or tried, for machines; the same form as the reason.</param>
/// <param name="Note">For people. Cut after 1024 bytes.</param>
/// <param name="At">Time of the occurrence.</param>
public sealed record Occurrence(
    EventSubject Subject,
    bool IsWarning,
    string Reason,
    string Action,
    string Note,
    DateTimeOffset At
);

/// <param name="Controller">A qualified name, <c>example.com/name</c>.</param>
/// <param name="Instance">The process of the controller, for example the name of the pod.</param>
public sealed record EventReporter(string Controller, string Instance);

/// <summary>
/// Sends events (<c>events.k8s.io/v1</c>) from a few queues (<see cref="EventQueue"/>). Each queue sends one event at a
/// time. All events of a subject are in the same queue, so they stay in order. Best effort, and never in the way of
/// work:
/// <list type="bullet">
/// <item>
/// Each queue is bounded. A new event is dropped while its queue is full: the first ones show how a problem began.
/// </item>
/// <item>
/// The same event again within minutes is counted in a series on the first (<see cref="EventSeriesCache"/>).
/// </item>
/// <item>
/// Each subject has a limit (<see cref="SubjectLimits"/>). A first event over it is dropped; a further one of a series
/// is counted, and the next write tells the sum.
/// </item>
/// <item>
/// A failure that may pass is retried (<see cref="Tries"/>), under one name: that the event exists already means that
/// an earlier try went well.
/// </item>
/// <item>What is dropped is counted in a metric, and each kind of failure is logged once.</item>
/// </list>
/// </summary>
public sealed class EventRecorder : IEventRecorder
{
    /// <summary>Events that wait, in all queues together.</summary>
    internal const int MaxWaiting = 1000;

    /// <summary>The same of series that are remembered (<see cref="EventSeriesCache"/>).</summary>
    internal const int MaxSeries = 1024;

    /// <summary>The same of subjects that are remembered (<see cref="SubjectLimits"/>).</summary>
    internal const int MaxSubjects = 4096;

    internal const int Tries = 6;

    /// <summary>Time for the events that still wait at the end of the process.</summary>
    public static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How many events are sent at a time. One at a time is about 80 per second, and a first pass over many policies
    /// needs more.
    /// </summary>
    internal const int QueueCount = 4;

    private readonly EventQueue[] _queues;

    public EventRecorder(
        KubeClient client,
        EventReporter reporter,
        Random random,
        TimeProvider time,
        ILogger<EventRecorder> logger,
        RuntimeMetrics metrics
    )
        : this(new KubeEvents(client), reporter, random, time, logger, metrics) { }

    /// <param name="random">Used by this constructor alone.</param>
    /// <param name="queues">One makes all events wait for each other, in the order in which they came.</param>
    internal EventRecorder(
        IEventApi api,
        EventReporter reporter,
        Random random,
        TimeProvider time,
        ILogger logger,
        RuntimeMetrics? metrics = null,
        int queues = QueueCount
    )
    {
        var sender = new EventSender(api, reporter, time, logger, metrics);
        _queues =
        [
            .. Enumerable.Range(0, queues).Select(_ => new EventQueue(sender, queues, new Random(random.Next()))),
        ];
    }

    public void Record(Occurrence occurrence) =>
        _queues[(uint)occurrence.Subject.GetHashCode() % (uint)_queues.Length].Add(occurrence);

    /// <summary>Sends until cancelled, then what still waits, bounded by <see cref="FlushTimeout"/>.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_queues.Select(q => q.RunAsync(cancellationToken)));
}
