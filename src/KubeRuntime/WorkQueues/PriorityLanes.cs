namespace KubeRuntime.WorkQueues;

/// <summary>
/// Waiting keys in two lanes, each in a fair order (<see cref="FairQueue{TKey}"/>): <i>fast</i> for what is new,
/// changed or failing, <i>slow</i> for checks that only fell due. The fast lane goes first, but after
/// <see cref="FastInARow"/> of it one of the slow lane is taken, so that neither can hold the other up for ever. What
/// is within its share of the workers goes before what is not, whichever lane it is in. Not thread-safe: the queue's
/// lock guards it.
/// </summary>
internal sealed class PriorityLanes<TKey>(Holdings holdings)
    where TKey : struct
{
    /// <summary>A flood of changes slows the checks down to a ninth of the workers' time, and not further.</summary>
    public const int FastInARow = 8;

    private readonly FairQueue<TKey> _fast = new(holdings);
    private readonly FairQueue<TKey> _slow = new(holdings);
    private int _fastSinceSlow;

    public int Count => _fast.Count + _slow.Count;

    /// <summary>Puts a key at the end of its lane; it must not wait already.</summary>
    public void Add(TKey key, WorkGroup group, bool urgent) => (urgent ? _fast : _slow).Add(key, group);

    /// <summary>
    /// Moves a key from the slow lane to the end of the fast one; nothing, if it does not wait there.
    /// </summary>
    public void Raise(TKey key, WorkGroup group)
    {
        if (_slow.Remove(key))
            _fast.Add(key, group);
    }

    /// <summary>Takes the next key.</summary>
    /// <param name="share">What a tenant or a target holds at most while others wait.</param>
    /// <param name="most">What it holds at most.</param>
    /// <returns>False when nothing waits, or only keys of those that hold the most already.</returns>
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

    /// <summary>Somebody has come below the share.</summary>
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
