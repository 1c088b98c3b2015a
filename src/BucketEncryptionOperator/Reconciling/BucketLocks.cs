using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// One lock per bucket: one policy at a time writes it. The lock also knows when this process last wrote the bucket,
/// and so whether a read is evidence.
/// </summary>
internal sealed class BucketLocks(TimeProvider time)
{
    /// <summary>A read that was begun while it could miss a write serves as evidence for a moment longer.</summary>
    private static readonly TimeSpan KeptFor = WriteHistory.ReadLag + WriteGate.FreshFor;

    private readonly Lock _gate = new();
    private readonly Dictionary<BucketId, LockState> _states = [];
    private long? _droppedAt;

    /// <summary>Number of buckets that are locked or waited for, or were written a moment ago.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _states.Count;
        }
    }

    /// <summary>
    /// How long a read may still show what was there before this process's last write; zero for not at all.
    /// </summary>
    public TimeSpan UntilReadsAreFresh(BucketId bucket)
    {
        lock (_gate)
            return _states.TryGetValue(bucket, out var state) ? UntilReadsAreFresh(state) : TimeSpan.Zero;
    }

    /// <summary>Waits until no other policy writes the bucket. Dispose the lock to release it.</summary>
    public async Task<BucketLock> EnterAsync(BucketId bucket, CancellationToken cancellationToken)
    {
        LockState state;
        lock (_gate)
        {
            DropOld();
            if (!_states.TryGetValue(bucket, out state!))
                _states[bucket] = state = new LockState();
            state.Wanted++;
        }
        var entered = false;
        try
        {
            await state.Free.WaitAsync(cancellationToken);
            entered = true;
            return new BucketLock(this, state);
        }
        finally
        {
            if (!entered)
                Leave(state);
        }
    }

    private void Leave(LockState state)
    {
        lock (_gate)
        {
            state.Wanted--;
            DropOld();
        }
    }

    /// <summary>
    /// Removes locks that say nothing any more: at most once in the time that one is kept, so that a pass over many
    /// buckets does not walk them all each time.
    /// </summary>
    private void DropOld()
    {
        if (_droppedAt is { } at && time.GetElapsedTime(at) < KeptFor)
            return;
        _droppedAt = time.GetTimestamp();
        foreach (var (bucket, _) in _states.Where(e => e.Value.Wanted == 0 && !IsOfUse(e.Value)).ToList())
            _states.Remove(bucket);
    }

    internal sealed class BucketLock(BucketLocks locks, LockState state) : IDisposable
    {
        private bool _writes;

        /// <inheritdoc cref="BucketLocks.UntilReadsAreFresh(BucketId)"/>
        public TimeSpan UntilReadsAreFresh => locks.UntilReadsAreFresh(state);

        /// <summary>
        /// Returns whether a read that was begun then shows what the bucket has: this process has not written the
        /// bucket since, nor so shortly before that the read may have missed the write.
        /// </summary>
        public bool IsFresh(long readAt) =>
            state.WrittenAt is not { } at || locks.Between(at, readAt) >= WriteHistory.ReadLag;

        /// <summary>A write is about to be sent.</summary>
        public void BeginWrite() => (_writes, state.WrittenAt) = (true, locks.Now());

        /// <summary>The write has ended in whatever way, or none was sent.</summary>
        public void EndWrite()
        {
            if (_writes)
                state.WrittenAt = locks.Now();
        }

        public void Dispose()
        {
            state.Free.Release();
            locks.Leave(state);
        }
    }

    private long Now() => time.GetTimestamp();

    private TimeSpan Between(long from, long to) => time.GetElapsedTime(from, to);

    private bool IsOfUse(LockState state) => state.WrittenAt is { } at && time.GetElapsedTime(at) < KeptFor;

    private TimeSpan UntilReadsAreFresh(LockState state) =>
        state.WrittenAt is { } at && WriteHistory.ReadLag - time.GetElapsedTime(at) is var left && left > TimeSpan.Zero
            ? left
            : TimeSpan.Zero;

    internal sealed class LockState
    {
        public SemaphoreSlim Free { get; } = new(1, 1);

        /// <summary>Number of those that have the lock or wait for it. Guarded by the gate.</summary>
        public int Wanted { get; set; }

        /// <summary>Set only by whoever has the lock.</summary>
        public long? WrittenAt { get; set; }
    }
}
