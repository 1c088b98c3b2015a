namespace BucketEncryptionOperator.Credentials;

/// <summary>What is remembered of one place that keys come from. All but the turn is guarded by the gate of its <see cref="KeyEntries{TSource, TEntry}"/>.</summary>
internal abstract class KeyEntry
{
    /// <summary>One asks the source; the others take what it found.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);
}

/// <summary>The places that keys come from, for as long as a store uses them.</summary>
internal sealed class KeyEntries<TSource, TEntry> : IDisposable
    where TSource : notnull
    where TEntry : KeyEntry, new()
{
    private readonly Dictionary<TSource, TEntry> _entries = [];

    public Lock Gate { get; } = new();

    public int Count
    {
        get
        {
            lock (Gate)
                return _entries.Count;
        }
    }

    public TEntry Of(TSource source)
    {
        lock (Gate)
        {
            if (!_entries.TryGetValue(source, out var entry))
                _entries[source] = entry = new TEntry();
            return entry;
        }
    }

    public TEntry? Find(TSource source)
    {
        lock (Gate)
            return _entries.GetValueOrDefault(source);
    }

    public void Forget(TSource source)
    {
        lock (Gate)
            _entries.Remove(source);
    }

    public void Dispose()
    {
        lock (Gate)
        {
            foreach (var entry in _entries.Values)
                entry.Turn.Dispose();
            _entries.Clear();
        }
    }
}
