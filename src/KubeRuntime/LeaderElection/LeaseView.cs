namespace KubeRuntime.LeaderElection;

/// <summary>
/// What one process knows of the lease, and since when. An age is the process's own monotonic time since it first saw
/// the record as it is. It is never more than the time since the holder sent the record. So a process that waits for an
/// age waits at least as long as the holder may write.
/// </summary>
internal sealed class LeaseView(string identity, TimeSpan defaultDuration, TimeProvider time)
{
    private readonly Lock _gate = new();
    private LeaseRecord? _record;
    private string? _version;
    private long _changedAt;
    private TaskCompletionSource? _nextChange;

    /// <summary>
    /// What is known at this moment, as one snapshot. A judgement and the write that follows from it must use the same
    /// snapshot: the watch may change the view between any two calls.
    /// </summary>
    public LeaseSnapshot Look()
    {
        lock (_gate)
            return new LeaseSnapshot(_record, _version, UntilFree());
    }

    /// <summary>
    /// Returns a source that completes with the next change. For one waiter: the next call replaces it.
    /// </summary>
    public TaskCompletionSource NextChange()
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _nextChange = next;
        return next;
    }

    /// <summary>
    /// Takes over the lease as a read or a watch returned it. Its age starts again only if the record has changed, not
    /// if a label has. A deleted lease is not free: its holder does not know yet, and may write until its time has
    /// passed.
    /// </summary>
    public void Observe(Lease? lease)
    {
        TaskCompletionSource? changed;
        lock (_gate)
        {
            _version = lease?.Metadata.ResourceVersion;
            if (lease is not null && lease.Spec == _record)
                return;
            if (lease is not null || _record is null)
            {
                _record = lease?.Spec ?? new LeaseRecord();
                _changedAt = time.GetTimestamp();
            }
            changed = _nextChange;
        }
        changed?.TrySetResult();
    }

    private TimeSpan UntilFree()
    {
        if (_record is null || _record.HolderIdentity == "" || _record.HolderIdentity == identity)
            return TimeSpan.Zero;
        var duration = _record.LeaseDurationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : defaultDuration;
        var left = duration - time.GetElapsedTime(_changedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}

/// <summary>What one process knew of the lease at one moment.</summary>
/// <param name="Record">Null while nothing is known: an unknown lease must not be claimed.</param>
/// <param name="Version">
/// Version of the lease that <paramref name="Record"/> was read from. Null while there is no lease.
/// </param>
/// <param name="UntilFree">
/// Time for which no other process may claim the lease; zero if it is free, ours, or was not renewed for its duration.
/// </param>
internal readonly record struct LeaseSnapshot(LeaseRecord? Record, string? Version, TimeSpan UntilFree);
