using System.Collections.Concurrent;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Events;

/// <summary>Writes events for the queues of an <see cref="EventRecorder"/>. Thread-safe.</summary>
internal sealed class EventSender(
    IEventApi api,
    EventReporter reporter,
    TimeProvider time,
    ILogger logger,
    RuntimeMetrics? metrics
)
{
    private readonly ConcurrentDictionary<KubeFailureKind, bool> _reported = new();

    public TimeProvider Time => time;

    public EventReporter Reporter => reporter;

    public void Drop(string reason) =>
        metrics?.EventsDropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Sends it, and drops it when it cannot be sent.</summary>
    public async Task SendAsync(Eventsv1Event sent, int tries, Backoff backoff, CancellationToken cancellationToken)
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
                if (_reported.TryAdd(e.Failure, value: true))
                    Log.EventNotSent(logger, sent.Reason, sent.Regarding?.Name ?? "", e.Failure, e.Message);
                if (attempt >= tries || e.Failure is not (KubeFailureKind.Transient or KubeFailureKind.Throttled))
                {
                    Drop("failed");
                    return;
                }
                var pause = backoff.Delay(attempt);
                await Task.Delay(e.RetryAfter is { } asked && asked > pause ? asked : pause, time, cancellationToken);
            }
        }
    }

    private async Task WriteAsync(Eventsv1Event sent, CancellationToken cancellationToken)
    {
        try
        {
            if (sent.Series is { } series)
            {
                await api.UpdateAsync(
                    new NamespacedName(sent.Metadata.NamespaceProperty, sent.Metadata.Name),
                    series,
                    cancellationToken
                );
                return;
            }
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.NotFound)
        {
            // Events live for an hour, and an earlier try may have failed: it is created again, with its count.
        }
        try
        {
            await api.CreateAsync(sent, cancellationToken);
        }
        catch (KubeApiException e) when (e.Failure == KubeFailureKind.Conflict)
        {
            // It is there: an earlier try had only lost its answer.
        }
    }
}
