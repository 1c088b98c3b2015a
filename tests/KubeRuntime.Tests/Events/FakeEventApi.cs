using System.Collections.Concurrent;
using System.Threading.Channels;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Events;

namespace KubeRuntime.Tests.Events;

/// <summary>
/// Keeps events as a server does: a name once, a series only on what is there. Each event that comes in must be legal.
/// </summary>
internal sealed class FakeEventApi : IEventApi
{
    private readonly Channel<string> _calls = Channel.CreateUnbounded<string>();
    private int _begun;

    public ConcurrentDictionary<NamespacedName, Eventsv1Event> Stored { get; } = new();

    /// <summary>What was created, in this order.</summary>
    public ConcurrentQueue<Eventsv1Event> Created { get; } = new();

    /// <summary>
    /// From the number of the call, from 1, to how it fails before anything is stored; null for no fault.
    /// </summary>
    public Func<int, Exception?> Fault { get; set; } = _ => null;

    /// <summary>After the event was stored.</summary>
    public Func<int, Exception?> FaultAfter { get; set; } = _ => null;

    /// <summary>
    /// From the number of the call to what it waits for before anything is stored; its own cancellation ends the wait.
    /// </summary>
    public Func<int, Task> Gate { get; set; } = _ => Task.CompletedTask;

    public int Calls => Volatile.Read(ref _begun);

    /// <summary>POST or PATCH, once it is answered.</summary>
    public Task<string> NextAsync() => TestKit.Waiting.Within(_calls.Reader.ReadAsync().AsTask());

    public Task CreateAsync(Eventsv1Event created, CancellationToken cancellationToken) =>
        CallAsync(
            "POST",
            () =>
            {
                EventRules.Check(created);
                if (
                    !Stored.TryAdd(
                        new NamespacedName(created.Metadata.NamespaceProperty, created.Metadata.Name),
                        created
                    )
                )
                    throw new KubeApiException(KubeFailureKind.Conflict, "it exists");
                Created.Enqueue(created);
            },
            cancellationToken
        );

    public Task UpdateAsync(NamespacedName key, Eventsv1EventSeries series, CancellationToken cancellationToken) =>
        CallAsync(
            "PATCH",
            () =>
            {
                if (!Stored.TryGetValue(key, out var stored))
                    throw new KubeApiException(KubeFailureKind.NotFound, "it is gone");
                Stored[key] = stored with { Series = series };
                EventRules.Check(Stored[key]);
            },
            cancellationToken
        );

    private async Task CallAsync(string verb, Action act, CancellationToken cancellationToken)
    {
        var call = Interlocked.Increment(ref _begun);
        await Gate(call).WaitAsync(cancellationToken);
        try
        {
            if (Fault(call) is { } fault)
                throw fault;
            act();
            if (FaultAfter(call) is { } late)
                throw late;
        }
        finally
        {
            _calls.Writer.TryWrite(verb);
        }
    }
}
