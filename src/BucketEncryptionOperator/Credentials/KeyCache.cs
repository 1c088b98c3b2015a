namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// What is remembered of one place that keys come from. All but the turn is guarded by the gate of its
/// <see cref="KeyCache{TSource, TEntry}"/>.
/// </summary>
internal abstract class CachedKey
{
    /// <summary>One asks the source; the others take what it found.</summary>
    public SemaphoreSlim Refresh { get; } = new(1, 1);
}

/// <summary>
/// The places that keys come from, for as long as a store uses them. Whoever removes the last store calls
/// <see cref="Forget"/>; a reconcile that is under way then may ask once more, and gets an entry that is not kept.
/// </summary>
/// <param name="isUsed">Whether any store takes its keys from there; null where nobody forgets any.</param>
internal sealed class KeyCache<TSource, TEntry>(Func<TSource, bool>? isUsed = null) : IDisposable
    where TSource : notnull
    where TEntry : CachedKey, new()
{
    private readonly Dictionary<TSource, TEntry> _cache = [];

    public Lock Gate { get; } = new();

    public int Count
    {
        get
        {
            lock (Gate)
                return _cache.Count;
        }
    }

    public TEntry Of(TSource source)
    {
        TEntry? entry;
        lock (Gate)
        {
            if (_cache.TryGetValue(source, out entry))
                return entry;
            _cache[source] = entry = new TEntry();
        }
        // After it is in: a store that goes from now on is followed by a call of Forget.
        if (isUsed?.Invoke(source) == false)
            Forget(source);
        return entry;
    }

    public TEntry? Find(TSource source)
    {
        lock (Gate)
            return _cache.GetValueOrDefault(source);
    }

    public void Forget(TSource source)
    {
        lock (Gate)
            _cache.Remove(source);
    }

    public void Dispose()
    {
        lock (Gate)
        {
            foreach (var entry in _cache.Values)
                entry.Refresh.Dispose();
            _cache.Clear();
        }
    }
}
