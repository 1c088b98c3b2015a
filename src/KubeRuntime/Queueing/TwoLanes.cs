namespace KubeRuntime.Queueing;

/// <summary>
/// Waiting keys in two lanes, each first in, first out: <i>fast</i> for what is new, changed or failing, <i>slow</i> for checks that only fell due.
/// The fast lane goes first, but after <see cref="FastInARow"/> of it one of the slow lane is taken, so that neither can hold the other up for ever.
/// Not thread-safe: the queue's lock guards it.
/// </summary>
internal sealed class TwoLanes<TKey>
    where TKey : struct
{
    /// <summary>A flood of changes slows the checks down to a ninth of the workers' time, and not further.</summary>
    public const int FastInARow = 8;

    private readonly Queue<TKey> _fast = new();

    /// <summary>Linked, so that a key can leave from the middle when it is raised.</summary>
    private readonly LinkedList<TKey> _slow = new();
    private readonly Dictionary<TKey, LinkedListNode<TKey>> _slowPlaces = [];
    private int _fastSinceSlow;

    public int Count => _fast.Count + _slow.Count;

    /// <summary>Puts a key at the end of its lane; it must not wait already.</summary>
    public void Add(TKey key, bool urgent)
    {
        if (urgent)
            _fast.Enqueue(key);
        else
            _slowPlaces.Add(key, _slow.AddLast(key));
    }

    /// <summary>Moves a key from the slow lane to the end of the fast one; nothing, if it does not wait there.</summary>
    public void Raise(TKey key)
    {
        if (!_slowPlaces.Remove(key, out var place))
            return;
        _slow.Remove(place);
        _fast.Enqueue(key);
    }

    /// <exception cref="InvalidOperationException">Nothing waits.</exception>
    public TKey Take()
    {
        if (_slow.First is { } first && (_fast.Count == 0 || _fastSinceSlow >= FastInARow))
        {
            _slow.RemoveFirst();
            _slowPlaces.Remove(first.Value);
            _fastSinceSlow = 0;
            return first.Value;
        }
        _fastSinceSlow = _slow.Count == 0 ? 0 : _fastSinceSlow + 1; // only what a slow key has waited for counts
        return _fast.Dequeue();
    }

    public void Clear()
    {
        _fast.Clear();
        _slow.Clear();
        _slowPlaces.Clear();
    }
}
