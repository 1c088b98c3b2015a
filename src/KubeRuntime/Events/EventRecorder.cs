using System.Threading.Channels;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;
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
/// Sends events (<c>events.k8s.io/v1</c>) from a queue, one at a time. Best effort, and never in the way of work:
/// <list type="bullet">
/// <item>
/// The queue is bounded; when it is full the new event is dropped, for the first ones tell how trouble began.
/// </item>
/// <item>
/// The same event again within minutes is counted in a series on the first (<see cref="EventSeriesCache"/>).
/// </item>
/// <item>
/// Each subject has a limit (<see cref="SubjectLimits"/>). A first event over it is dropped; a further one of a series
/// is counted, and the next write tells the sum.
/// </item>
/// <item>
/// What may pass is tried again for about a minute, under one name: that the event exists already means that an earlier
/// try went well.
/// </item>
/// <item>What is dropped is counted in a metric, and each kind of failure is logged once.</item>
/// </list>
/// </summary>
public sealed class EventRecorder : IEventRecorder
{
    internal const int MaxWaiting = 1000;
    internal const int Tries = 6;

    /// <summary>Time for the events that still wait at the end of the process.</summary>
    public static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(2);

    private readonly Channel<Occurrence> _waiting = Channel.CreateBounded<Occurrence>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true }
    );
    private readonly HashSet<KubeFailureKind> _reported = [];
    private readonly SubjectLimits _limits;
    private readonly EventSeriesCache _series;
    private readonly Backoff _backoff;
    private readonly IEventApi _api;
    private readonly EventReporter _reporter;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RuntimeMetrics? _metrics;

    public EventRecorder(
        KubeClient client,
        EventReporter reporter,
        Random random,
        TimeProvider time,
        ILogger<EventRecorder> logger,
        RuntimeMetrics metrics
    )
        : this(new KubeEvents(client), reporter, random, time, logger, metrics) { }

    internal EventRecorder(
        IEventApi api,
        EventReporter reporter,
        Random random,
        TimeProvider time,
        ILogger logger,
        RuntimeMetrics? metrics = null
    )
    {
        _limits = new SubjectLimits(time);
        _series = new EventSeriesCache(time);
        _backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random);
        _api = api;
        _reporter = reporter;
        _random = random;
        _time = time;
        _logger = logger;
        _metrics = metrics;
    }

    public void Record(Occurrence occurrence)
    {
        if (!_waiting.Writer.TryWrite(occurrence))
            Drop("queue_full");
    }

    /// <summary>Sends until cancelled, then what still waits, bounded by <see cref="FlushTimeout"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Eventsv1Event? unsent = null;
        try
        {
            while (true)
            {
                unsent = Admit(await _waiting.Reader.ReadAsync(cancellationToken));
                if (unsent is not null)
                    await SendAsync(unsent, Tries, cancellationToken);
                unsent = null;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _waiting.Writer.TryComplete();
        }
        await FlushAsync(unsent);
    }

    private async Task FlushAsync(Eventsv1Event? unsent)
    {
        using var deadline = new Deadline(FlushTimeout, _time, CancellationToken.None);
        try
        {
            if (unsent is not null)
                await SendAsync(unsent, tries: 1, deadline.Token);
            while (_waiting.Reader.TryRead(out var occurrence))
            {
                if (Admit(occurrence) is { } admitted)
                    await SendAsync(admitted, tries: 1, deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Drop("shutdown");
            while (_waiting.Reader.TryRead(out _))
                Drop("shutdown");
        }
    }

    /// <returns>The event to send; null if its subject has reached its limit.</returns>
    private Eventsv1Event? Admit(Occurrence occurrence)
    {
        var again = _series.Continue(occurrence);
        if (!_limits.TryTake(occurrence.Subject))
        {
            if (again is null)
                Drop("rate_limited");
            return null;
        }
        if (again is not null)
            return again;
        var first = KubeEvent.Of(occurrence, _reporter, _random.NextInt64());
        _series.Begin(occurrence, first);
        return first;
    }

    private async Task SendAsync(Eventsv1Event sent, int tries, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await WriteAsync(sent, cancellationToken);
                return;
            }
            catch (KubeApiException e)
            {
                if (_reported.Add(e.Failure))
                    Log.EventNotSent(_logger, sent.Reason, sent.Regarding?.Name ?? "", e.Failure, e.Message);
                if (attempt >= tries || e.Failure is not (KubeFailureKind.Transient or KubeFailureKind.Throttled))
                {
                    Drop("failed");
                    return;
                }
                var pause = _backoff.Delay(attempt);
                await Task.Delay(e.RetryAfter is { } asked && asked > pause ? asked : pause, _time, cancellationToken);
            }
        }
    }

    private async Task WriteAsync(Eventsv1Event sent, CancellationToken cancellationToken)
    {
        try
        {
            if (sent.Series is { } series)
            {
                await _api.UpdateAsync(
                    new NamespacedName(sent.Metadata.NamespaceProperty, sent.Metadata.Name),
                    series,
                    cancellationToken
                );
                return;
            }
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
        {
            // Events live for an hour, and an earlier try may have failed: it is made anew, with its count.
        }
        try
        {
            await _api.CreateAsync(sent, cancellationToken);
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Conflict)
        {
            // It is there: an earlier try had only lost its answer.
        }
    }

    private void Drop(string reason) =>
        _metrics?.EventsDropped.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
