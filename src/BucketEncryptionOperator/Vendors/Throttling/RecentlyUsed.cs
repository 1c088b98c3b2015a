namespace BucketEncryptionOperator.Vendors.Throttling;

/// <summary>
/// A bounded cache, ordered by last use. Beyond the capacity it drops the value whose last use is longest ago. Not
/// thread-safe.
/// </summary>
/// <param name="keptUnused">Time after its last use for which <see cref="DropUnused"/> keeps a value.</param>
/// <param name="dropped">Called for each value that leaves the cache.</param>
internal sealed class RecentlyUsed<TKey, TValue>(
    int capacity,
    TimeSpan keptUnused,
    TimeProvider time,
    Action<TValue>? dropped = null
)
    where TKey : notnull
    where TValue : class
{
    private readonly Dictionary<TKey, LinkedListNode<Item>> _items = [];

    /// <summary>The most recently used item is the last.</summary>
    private readonly LinkedList<Item> _byUse = new();

    public int Count => _items.Count;

    /// <summary>The values; the most recently used one is the last.</summary>
    public IEnumerable<TValue> Values => _byUse.Select(i => i.Value);

    /// <summary>Returns the value without using it; null if there is none.</summary>
    public TValue? Find(TKey key) => _items.GetValueOrDefault(key)?.Value.Value;

    /// <summary>Returns the value, and counts as a use of it.</summary>
    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        if (_items.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
        }
        else
        {
            while (_items.Count >= capacity && _byUse.First is { } oldest)
                Drop(oldest);
            _items[key] = node = new LinkedListNode<Item>(new Item(key, create()));
        }
        _byUse.AddLast(node);
        node.Value.UsedAt = time.GetTimestamp();
        return node.Value.Value;
    }

    public void DropUnused()
    {
        while (_byUse.First is { } oldest && time.GetElapsedTime(oldest.Value.UsedAt) > keptUnused)
            Drop(oldest);
    }

    public void Clear()
    {
        while (_byUse.First is { } oldest)
            Drop(oldest);
    }

    private void Drop(LinkedListNode<Item> node)
    {
        _byUse.Remove(node);
        _items.Remove(node.Value.Key);
        dropped?.Invoke(node.Value.Value);
    }

    private sealed class Item(TKey key, TValue value)
    {
        public TKey Key => key;

        public TValue Value => value;

        public long UsedAt { get; set; }
    }
}
