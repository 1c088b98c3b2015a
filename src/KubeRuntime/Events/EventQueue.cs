using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.WorkQueues;

namespace KubeRuntime.Events;

/// <summary>
/// One of the queues of an <see cref="EventRecorder"/>, with the series and the limits of the subjects whose events it
/// gets.
/// </summary>
/// <param name="taken">Called for each event that waits no longer.</param>
internal sealed class EventQueue(EventSending sending, Random random, Action taken)
{
    private readonly Channel<Occurrence> _waiting = Channel.CreateUnbounded<Occurrence>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly SubjectLimits _limits = new(sending.Time);
    private readonly EventSeriesCache _series = new(sending.Time);
    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random);

    public void Add(Occurrence occurrence)
    {
        if (_waiting.Writer.TryWrite(occurrence))
            return;
        taken();
        sending.Drop("shutdown");
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
                unsent = Admit(await TakeAsync(cancellationToken));
                if (unsent is not null)
                    await sending.SendAsync(unsent, EventRecorder.Tries, _backoff, cancellationToken);
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
        using var deadline = new Deadline(EventRecorder.FlushTimeout, sending.Time, CancellationToken.None);
        try
        {
            if (unsent is not null)
                await sending.SendAsync(unsent, tries: 1, _backoff, deadline.Token);
            while (TryTake(out var occurrence))
            {
                if (Admit(occurrence) is { } admitted)
                    await sending.SendAsync(admitted, tries: 1, _backoff, deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            sending.Drop("shutdown");
            while (TryTake(out _))
                sending.Drop("shutdown");
        }
    }

    /// <returns>The event to send; null if its subject has reached its limit.</returns>
    private Eventsv1Event? Admit(Occurrence occurrence)
    {
        var again = _series.Continue(occurrence);
        if (!_limits.TryTake(occurrence.Subject))
        {
            if (again is null)
                sending.Drop("rate_limited");
            return null;
        }
        if (again is not null)
            return again;
        var first = KubeEvent.Of(occurrence, sending.Reporter, random.NextInt64());
        _series.Begin(occurrence, first);
        return first;
    }

    private async Task<Occurrence> TakeAsync(CancellationToken cancellationToken)
    {
        var occurrence = await _waiting.Reader.ReadAsync(cancellationToken);
        taken();
        return occurrence;
    }

    private bool TryTake([NotNullWhen(true)] out Occurrence? occurrence)
    {
        if (!_waiting.Reader.TryRead(out occurrence))
            return false;
        taken();
        return true;
    }
}
