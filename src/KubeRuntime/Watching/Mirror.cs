using System.Collections.Immutable;
using KubeRuntime.Api;

namespace KubeRuntime.Watching;

/// <summary>An object came (no old), changed, or went (no new).</summary>
public readonly record struct Change<T>(NamespacedName Key, T? Old, T? New)
    where T : class;

/// <summary>
/// The objects of one kind, in memory, as the API server last told. Reads are from any thread; one watcher feeds it.
/// </summary>
public sealed class Mirror<T>
    where T : class, IKubernetesObject
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, T> _objects = [];
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>During a list: what it has named so far.</summary>
    private HashSet<NamespacedName>? _named;

    /// <summary>Completes with the first complete list.</summary>
    public Task WhenSynced => _synced.Task;

    public bool IsSynced => _synced.Task.IsCompleted;

    public int Count
    {
        get
        {
            lock (_gate)
                return _objects.Count;
        }
    }

    public T? Find(NamespacedName key)
    {
        lock (_gate)
            return _objects.GetValueOrDefault(key);
    }

    public ImmutableArray<T> Snapshot()
    {
        lock (_gate)
            return [.. _objects.Values];
    }

    /// <summary>
    /// Puts in what a write of ours returned, if the mirror still holds the version that the write was based on. The watch will
    /// bring the same version and change nothing, so a controller does not wake itself; and the next reconcile sees its own write.
    /// </summary>
    public void Replace(string basedOnResourceVersion, T written)
    {
        lock (_gate)
        {
            if (_objects.TryGetValue(written.Metadata.Key, out var held) && held.Metadata.ResourceVersion == basedOnResourceVersion)
                _objects[written.Metadata.Key] = written;
        }
    }

    /// <summary>Takes in one event and returns what it changed.</summary>
    public IReadOnlyList<Change<T>> Apply(WatchEvent<T> e)
    {
        lock (_gate)
        {
            switch (e)
            {
                case WatchEvent<T>.Restarted:
                    _named = [];
                    return [];
                case WatchEvent<T>.Listed listed:
                    foreach (var bad in listed.Unreadable)
                        _named?.Add(bad.Key);
                    return [.. listed.Items.Select(Put).OfType<Change<T>>()];
                case WatchEvent<T>.Synced:
                    return Complete();
                case WatchEvent<T>.Applied applied:
                    return Put(applied.Item) is { } change ? [change] : [];
                case WatchEvent<T>.Deleted deleted:
                    return _objects.Remove(deleted.Key, out var old) ? [new Change<T>(deleted.Key, old, New: null)] : [];
                default:
                    throw new InvalidOperationException(e.GetType().Name);
            }
        }
    }

    private Change<T>? Put(T item)
    {
        var key = item.Metadata.Key;
        _named?.Add(key);
        var old = _objects.GetValueOrDefault(key);
        if (old is not null && old.Metadata.ResourceVersion == item.Metadata.ResourceVersion)
            return null;
        _objects[key] = item;
        return new Change<T>(key, old, item);
    }

    private List<Change<T>> Complete()
    {
        var gone = _named is { } named ? _objects.Keys.Where(k => !named.Contains(k)).ToList() : [];
        _named = null;
        var changes = new List<Change<T>>(gone.Count);
        foreach (var key in gone)
        {
            if (_objects.Remove(key, out var old))
                changes.Add(new Change<T>(key, old, New: null));
        }
        _synced.TrySetResult();
        return changes;
    }
}
