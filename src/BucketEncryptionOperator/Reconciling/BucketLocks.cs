using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// One writer per bucket at a time, whatever policies name it. A turn also knows when this process last wrote the
/// bucket, and so how much a read is worth.
/// </summary>
internal sealed class BucketLocks(TimeProvider time)
{
    /// <summary>A read that was begun while it could miss a write serves as evidence for a moment longer.</summary>
    private static readonly TimeSpan KeptFor = WriteHistory.ReadLag + WriteGate.FreshFor;

    private readonly Lock _gate = new();
    private readonly Dictionary<BucketId, Entry> _entries = [];
    private long? _droppedAt;

    /// <summary>Buckets that somebody writes or waits for, and those that were written a moment ago.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
                return _entries.Count;
        }
    }

    /// <summary>
    /// How long a read may still show what was there before this process's last write; zero for not at all.
    /// </summary>
    public TimeSpan UntilReadsAreFresh(BucketId bucket)
    {
        lock (_gate)
            return _entries.TryGetValue(bucket, out var entry) ? UntilReadsAreFresh(entry) : TimeSpan.Zero;
    }

    /// <summary>Waits until no other policy writes the bucket. The turn ends when it is disposed.</summary>
    public async Task<BucketLock> EnterAsync(BucketId bucket, CancellationToken cancellationToken)
    {
        Entry entry;
        lock (_gate)
        {
            DropOld();
            if (!_entries.TryGetValue(bucket, out entry!))
                _entries[bucket] = entry = new Entry();
            entry.Wanted++;
        }
        var entered = false;
        try
        {
            await entry.Free.WaitAsync(cancellationToken);
            entered = true;
            return new BucketLock(this, entry);
        }
        finally
        {
            if (!entered)
                Leave(entry);
        }
    }

    private void Leave(Entry entry)
    {
        lock (_gate)
        {
            entry.Wanted--;
            DropOld();
        }
    }

    /// <summary>
    /// At most once in the time that an entry is kept, so that a pass over many buckets does not walk them all each
    /// time.
    /// </summary>
    private void DropOld()
    {
        if (_droppedAt is { } at && time.GetElapsedTime(at) < KeptFor)
            return;
        _droppedAt = time.GetTimestamp();
        foreach (var (bucket, _) in _entries.Where(e => e.Value.Wanted == 0 && !IsOfUse(e.Value)).ToList())
            _entries.Remove(bucket);
    }

    internal sealed class BucketLock(BucketLocks turns, Entry entry) : IDisposable
    {
        private bool _writes;

        /// <inheritdoc cref="BucketLocks.UntilReadsAreFresh(BucketId)"/>
        public TimeSpan UntilReadsAreFresh => turns.UntilReadsAreFresh(entry);

        /// <summary>
        /// Whether a read that was begun then shows what the bucket has: this process has not written the bucket since,
        /// nor so shortly before that the read may have missed the write.
        /// </summary>
        public bool Trusts(long readAt) =>
            entry.WrittenAt is not { } at || turns.Between(at, readAt) >= WriteHistory.ReadLag;

        /// <summary>A write is about to be sent.</summary>
        public void Writes() => (_writes, entry.WrittenAt) = (true, turns.Now());

        /// <summary>The write has ended, however; or none was sent.</summary>
        public void Wrote()
        {
            if (_writes)
                entry.WrittenAt = turns.Now();
        }

        public void Dispose()
        {
            entry.Free.Release();
            turns.Leave(entry);
        }
    }

    private long Now() => time.GetTimestamp();

    private TimeSpan Between(long from, long to) => time.GetElapsedTime(from, to);

    private bool IsOfUse(Entry entry) => entry.WrittenAt is { } at && time.GetElapsedTime(at) < KeptFor;

    private TimeSpan UntilReadsAreFresh(Entry entry) =>
        entry.WrittenAt is { } at && WriteHistory.ReadLag - time.GetElapsedTime(at) is var left && left > TimeSpan.Zero
            ? left
            : TimeSpan.Zero;

    internal sealed class Entry
    {
        public SemaphoreSlim Free { get; } = new(1, 1);

        /// <summary>Who has the turn or waits for it. Guarded by the gate.</summary>
        public int Wanted { get; set; }

        /// <summary>Only whoever has the turn sets it.</summary>
        public long? WrittenAt { get; set; }
    }
}
