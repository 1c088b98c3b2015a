using KubeRuntime.Api;
using KubeRuntime.Watching;

namespace KubeRuntime.Control;

/// <summary>A watched kind of a controller: its changes become keys of the controller's own kind.</summary>
public interface IWatchSource
{
    bool IsSynced { get; }

    Task WhenSynced { get; }

    Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken);
}

/// <param name="map">The keys that a change concerns; none, for a change that does not matter.</param>
public sealed class WatchSource<T>(Watcher<T> watcher, Mirror<T> mirror, Func<Change<T>, IEnumerable<NamespacedName>> map) : IWatchSource
    where T : class, IKubernetesObject
{
    public bool IsSynced => mirror.IsSynced;

    public Task WhenSynced => mirror.WhenSynced;

    public Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken) => watcher.RunAsync(
        e =>
        {
            foreach (var change in mirror.Apply(e))
            {
                foreach (var key in map(change))
                    enqueue(key);
            }
        },
        cancellationToken);
}
