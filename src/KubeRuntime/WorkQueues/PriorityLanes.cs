namespace KubeRuntime.WorkQueues;

/// <summary>
/// Holds waiting keys in two lanes, each in a fair order (<see cref="FairQueue{TKey}"/>): <i>fast</i> for what is new,
/// changed or failing, <i>slow</i> for checks that only fell due. The fast lane goes first, but after
/// <see cref="FastInARow"/> of its keys one of the slow lane is taken, so that neither starves the other. A key within
/// its share of the workers goes before any other, whichever lane it is in. Not thread-safe: the queue's lock guards
/// it.
/// </summary>
internal sealed class PriorityLanes<TKey>(Holdings holdings)
    where TKey : struct
{
    /// <summary>
    /// Number of fast keys in a row. Many changes slow the checks down to a ninth of the workers' time, and not
    /// further.
    /// </summary>
    public const int FastInARow = 8;

    private readonly FairQueue<TKey> _fast = new(holdings);
    private readonly FairQueue<TKey> _slow = new(holdings);
    private int _fastSinceSlow;

    public int Count => _fast.Count + _slow.Count;

    /// <summary>Adds a key at the end of its lane. It must not be waiting already.</summary>
    public void Add(TKey key, WorkGroup group, bool urgent) => (urgent ? _fast : _slow).Add(key, group);

    /// <summary>Moves a key from the slow lane to the end of the fast one, if it waits there.</summary>
    public void Raise(TKey key, WorkGroup group)
    {
        if (_slow.Remove(key))
            _fast.Add(key, group);
    }

    /// <summary>Takes the next key.</summary>
    /// <param name="share">Maximum number of keys that a tenant or a target holds while others wait.</param>
    /// <param name="most">Maximum number of keys that it holds at all.</param>
    /// <returns>False if nothing waits, or only keys of tenants and targets that hold the maximum.</returns>
    public bool TryTake(int share, int most, out TKey key)
    {
        var slowFirst = _fast.Count == 0 || _fastSinceSlow >= FastInARow;
        var (first, second) = slowFirst ? (_slow, _fast) : (_fast, _slow);
        if (first.TryTakeWithin(share, out key))
            return Took(first);
        if (second.TryTakeWithin(share, out key))
            return Took(second);
        if (first.TryTakeBeyond(most, out key))
            return Took(first);
        return second.TryTakeBeyond(most, out key) && Took(second);
    }

    /// <summary>Called when a tenant or a target has come below the share.</summary>
    public void ReturnSetAside()
    {
        _fast.ReturnSetAside();
        _slow.ReturnSetAside();
    }

    public void Clear()
    {
        _fast.Clear();
        _slow.Clear();
    }

    private bool Took(FairQueue<TKey> lane)
    {
        // only what a slow key has waited for counts
        _fastSinceSlow = lane == _slow || _slow.Count == 0 ? 0 : _fastSinceSlow + 1;
        return true;
    }
}
