using KubeRuntime.Api;
using KubeRuntime.Watching;

namespace KubeRuntime.Control;

/// <summary>A watched kind of a controller: its changes become keys of the controller's own kind.</summary>
public interface IWatchSource
{
    bool IsSynced { get; }

    Task WhenSynced { get; }

    /// <summary>Of the loops that <see cref="RunAsync"/> runs.</summary>
    IReadOnlyList<Heartbeat> Heartbeats { get; }

    Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken);
}

/// <param name="watchers">One, or one for each namespace that the mirror was made for.</param>
/// <param name="map">The keys that a change concerns; none, for a change that does not matter. Called by several watchers at a time.</param>
public sealed class WatchSource<T>(IReadOnlyList<Watcher<T>> watchers, Mirror<T> mirror, Func<Change<T>, IEnumerable<NamespacedName>> map) : IWatchSource
    where T : class, IKubernetesObject
{
    public bool IsSynced => mirror.IsSynced;

    public Task WhenSynced => mirror.WhenSynced;

    public IReadOnlyList<Heartbeat> Heartbeats => [.. watchers.Select(w => w.Heartbeat)];

    /// <summary>Ends when the first of the watchers does, which is a bug unless it was cancelled; the others end with it.</summary>
    public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = watchers.Select(w => w.RunAsync(e => Take(e, w.Scope, enqueue), together.Token)).ToList();
        try
        {
            await await Task.WhenAny(running);
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(WatchEvent<T> e, Scope scope, Action<NamespacedName> enqueue)
    {
        foreach (var change in mirror.Apply(e, scope.Namespace))
        {
            foreach (var key in map(change))
                enqueue(key);
        }
    }
}
