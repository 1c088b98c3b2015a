using System.Collections.Immutable;
using KubeRuntime.Client;

namespace KubeRuntime.Informers;

/// <summary>An object was added (no old), changed, or was deleted (no new).</summary>
public readonly record struct Change<T>(NamespacedName Key, T? Old, T? New)
    where T : class;

/// <summary>
/// Holds the objects of one kind in memory, as the API server last sent them. Reads are thread-safe. One reflector
/// feeds the cache, or one per namespace; a list then says what exists in its own namespace only.
/// </summary>
public sealed class ObjectCache<T>
    where T : class, IKubernetesObject
{
    private const string All = "";
    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, T> _objects = [];
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The objects that a list has named so far, by namespace; empty between lists.</summary>
    private readonly Dictionary<string, HashSet<NamespacedName>?> _named;

    /// <summary>Namespaces that were not listed yet.</summary>
    private readonly HashSet<string> _unlisted;

    /// <param name="namespaces">Each has a reflector of its own; none for one reflector of all namespaces.</param>
    public ObjectCache(params IReadOnlyCollection<string> namespaces)
    {
        _unlisted = namespaces.Count == 0 ? [All] : [.. namespaces];
        _named = _unlisted.ToDictionary(ns => ns, _ => (HashSet<NamespacedName>?)null, StringComparer.Ordinal);
    }

    /// <summary>Completes with the first complete list, of the last namespace if there are several.</summary>
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
    /// Stores what a write of this process returned, if the cache still holds the version that the write was based on.
    /// The watch brings the same version later and changes nothing, so a controller does not wake itself; and the next
    /// reconcile sees its own write.
    /// </summary>
    public void Replace(string basedOnResourceVersion, T written)
    {
        lock (_gate)
        {
            if (
                _objects.TryGetValue(written.Metadata.Key, out var held)
                && held.Metadata.ResourceVersion == basedOnResourceVersion
            )
                _objects[written.Metadata.Key] = written;
        }
    }

    /// <summary>Applies one event and returns what it changed.</summary>
    /// <param name="e">In the order of its reflector. Events of several reflectors may alternate.</param>
    /// <param name="ns">The namespace of its reflector; null for all.</param>
    public IReadOnlyList<Change<T>> Apply(WatchEvent<T> e, string? ns = null)
    {
        var part = ns ?? All;
        lock (_gate)
        {
            var named = _named[part];
            switch (e)
            {
                case WatchEvent<T>.Restarted:
                    _named[part] = [];
                    return [];
                case WatchEvent<T>.Listed listed:
                    foreach (var bad in listed.Unreadable)
                        named?.Add(bad.Key);
                    return [.. listed.Items.Select(item => Put(item, named)).OfType<Change<T>>()];
                case WatchEvent<T>.Synced:
                    return Complete(part, named);
                case WatchEvent<T>.Applied applied:
                    return Put(applied.Item, named) is { } change ? [change] : [];
                case WatchEvent<T>.Deleted deleted:
                    return _objects.Remove(deleted.Key, out var old)
                        ? [new Change<T>(deleted.Key, old, New: null)]
                        : [];
                default:
                    throw new InvalidOperationException(e.GetType().Name);
            }
        }
    }

    private Change<T>? Put(T item, HashSet<NamespacedName>? named)
    {
        var key = item.Metadata.Key;
        named?.Add(key);
        var old = _objects.GetValueOrDefault(key);
        if (old is not null && old.Metadata.ResourceVersion == item.Metadata.ResourceVersion)
            return null;
        _objects[key] = item;
        return new Change<T>(key, old, item);
    }

    private List<Change<T>> Complete(string part, HashSet<NamespacedName>? named)
    {
        var gone = named is null
            ? []
            : _objects.Keys.Where(k => (part == All || k.Namespace == part) && !named.Contains(k)).ToList();
        _named[part] = null;
        var changes = new List<Change<T>>(gone.Count);
        foreach (var key in gone)
        {
            if (_objects.Remove(key, out var old))
                changes.Add(new Change<T>(key, old, New: null));
        }
        if (_unlisted.Remove(part) && _unlisted.Count == 0)
            _synced.TrySetResult();
        return changes;
    }
}
