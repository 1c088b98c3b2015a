using System.Collections.Immutable;
using KubeRuntime.Client;
using KubeRuntime.Instrumentation;

namespace KubeRuntime.Informers;

/// <summary>
/// A source of keys for a controller. A watched kind is the usual one: its changes become keys of the controller's own
/// kind.
/// </summary>
public interface IInformer
{
    bool IsSynced { get; }

    Task WhenSynced { get; }

    /// <summary>The watchdogs of the loops that <see cref="RunAsync"/> runs.</summary>
    IReadOnlyList<Watchdog> Heartbeats { get; }

    Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken);
}

/// <param name="watchers">One reflector, or one per namespace that the cache was made for.</param>
/// <param name="map">
/// Returns the keys that a change concerns; none for a change that does not matter. Called by several reflectors at a
/// time.
/// </param>
public sealed class Informer<T>(
    IReadOnlyList<Reflector<T>> watchers,
    ObjectCache<T> cache,
    Func<Change<T>, IEnumerable<NamespacedName>> map
) : IInformer
    where T : class, IKubernetesObject
{
    /// <summary>Replaced as a whole, and read without a lock.</summary>
    private ImmutableArray<Action<Change<T>>> _followers = [];

    public bool IsSynced => cache.IsSynced;

    public Task WhenSynced => cache.WhenSynced;

    private ImmutableArray<T> Items => cache.Snapshot();

    public IReadOnlyList<Watchdog> Heartbeats => [.. watchers.Select(w => w.Heartbeat)];

    /// <summary>
    /// Makes a source of the same watch for another controller, with a map of its own. This informer must run too: the
    /// new source has no stream of its own.
    /// </summary>
    public IInformer Follow(Func<Change<T>, IEnumerable<NamespacedName>> follower) => new Follower(this, follower);

    /// <summary>
    /// Ends when the first reflector ends, which is a bug unless it was cancelled. The others end with it.
    /// </summary>
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

    private void Take(WatchEvent<T> e, WatchScope scope, Action<NamespacedName> enqueue)
    {
        foreach (var change in cache.Apply(e, scope.Namespace))
        {
            foreach (var key in map(change))
                enqueue(key);
            foreach (var follower in _followers)
                follower(change);
        }
    }

    private sealed class Follower(Informer<T> leader, Func<Change<T>, IEnumerable<NamespacedName>> map) : IInformer
    {
        public bool IsSynced => leader.IsSynced;

        public Task WhenSynced => leader.WhenSynced;

        public IReadOnlyList<Watchdog> Heartbeats => [];

        public async Task RunAsync(Action<NamespacedName> enqueue, CancellationToken cancellationToken)
        {
            ImmutableInterlocked.Update(
                ref leader._followers,
                static (all, one) => all.Add(one),
                (Action<Change<T>>)Take
            );
            try
            {
                // Earlier changes are not reported again. An object that comes right now is reported twice, and its key
                // is in the queue once.
                foreach (var item in leader.Items)
                    Take(new Change<T>(item.Metadata.Key, Old: null, item));
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                ImmutableInterlocked.Update(
                    ref leader._followers,
                    static (all, one) => all.Remove(one),
                    (Action<Change<T>>)Take
                );
            }

            void Take(Change<T> change)
            {
                foreach (var key in map(change))
                    enqueue(key);
            }
        }
    }
}
