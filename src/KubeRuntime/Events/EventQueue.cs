using System.Threading.Channels;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.WorkQueues;

namespace KubeRuntime.Events;

/// <summary>
/// One of the queues of an <see cref="EventRecorder"/>: it sends one event at a time. It has the series and the limits
/// of its subjects.
/// </summary>
/// <param name="queues">How many share the recorder's bounds.</param>
/// <param name="random">For the names of events and the back-off; its own, because it is not thread-safe.</param>
internal sealed class EventQueue(EventSender sender, int queues, Random random)
{
    private readonly Channel<Occurrence> _waiting = Channel.CreateBounded<Occurrence>(
        new BoundedChannelOptions(EventRecorder.MaxWaiting / queues) { SingleReader = true }
    );
    private readonly SubjectLimits _limits = new(sender.Time, EventRecorder.MaxSubjects / queues);
    private readonly EventSeriesCache _series = new(sender.Time, EventRecorder.MaxSeries / queues);
    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random);
    private volatile bool _ended;

    /// <summary>Returns at once. Drops the event if the queue is full or has ended. Thread-safe.</summary>
    public void Add(Occurrence occurrence)
    {
        if (!_waiting.Writer.TryWrite(occurrence))
            sender.Drop(_ended ? "shutdown" : "queue_full");
    }

    /// <summary>
    /// Sends until cancelled, then what still waits, bounded by <see cref="EventRecorder.FlushTimeout"/>.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Eventsv1Event? unsent = null;
        try
        {
            while (true)
            {
                unsent = Admit(await _waiting.Reader.ReadAsync(cancellationToken));
                if (unsent is not null)
                    await sender.SendAsync(unsent, EventRecorder.Tries, _backoff, cancellationToken);
                unsent = null;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The flush comes next.
        }
        finally
        {
            _ended = true;
            _waiting.Writer.TryComplete();
        }
        await FlushAsync(unsent);
    }

    private async Task FlushAsync(Eventsv1Event? unsent)
    {
        using var deadline = new Deadline(EventRecorder.FlushTimeout, sender.Time, CancellationToken.None);
        try
        {
            if (unsent is not null)
                await sender.SendAsync(unsent, tries: 1, _backoff, deadline.Token);
            while (_waiting.Reader.TryRead(out var occurrence))
            {
                if (Admit(occurrence) is { } admitted)
                    await sender.SendAsync(admitted, tries: 1, _backoff, deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            sender.Drop("shutdown");
            while (_waiting.Reader.TryRead(out _))
                sender.Drop("shutdown");
        }
    }

    /// <returns>The event to send; null if its subject has reached its limit.</returns>
    private Eventsv1Event? Admit(Occurrence occurrence)
    {
        var again = _series.Continue(occurrence);
        if (!_limits.TryTake(occurrence.Subject))
        {
            if (again is null)
                sender.Drop("rate_limited");
            return null;
        }
        if (again is not null)
            return again;
        var first = KubeEvent.Of(occurrence, sender.Reporter, random.NextInt64());
        _series.Begin(occurrence, first);
        return first;
    }
}
