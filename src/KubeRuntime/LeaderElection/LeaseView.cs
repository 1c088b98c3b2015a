namespace KubeRuntime.LeaderElection;

/// <summary>
/// What one process knows of the lease, and since when. Ages are its own monotonic time since it first saw the record
/// as it is: that is never more than the time since the holder sent it, so who waits for an age to pass waits at least
/// as long as the holder has.
/// </summary>
internal sealed class LeaseView(string identity, TimeSpan defaultDuration, TimeProvider time)
{
    private readonly Lock _gate = new();
    private LeaseRecord? _record;
    private string? _version;
    private long _changedAt;
    private TaskCompletionSource? _news;

    /// <summary>
    /// What is known at this moment, as one snapshot. A judgement and the write that follows from it must use the same
    /// snapshot: the watch may change the view between any two calls.
    /// </summary>
    public LeaseSnapshot Look()
    {
        lock (_gate)
            return new LeaseSnapshot(_record, _version, UntilFree());
    }

    /// <summary>A promise that the next news keeps. For one waiter: the next call replaces it.</summary>
    public TaskCompletionSource NextNews()
    {
        var news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _news = news;
        return news;
    }

    /// <summary>
    /// Takes in the lease as somebody told it. Its age starts anew only if the record is another, not when a label was
    /// touched. A lease that goes does not free its holder's place: the holder does not know yet, and may still write
    /// until its time is up.
    /// </summary>
    public void Observe(Lease? lease)
    {
        TaskCompletionSource? news;
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
            news = _news;
        }
        news?.TrySetResult();
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

/// <summary>The lease as one process knew it at one moment.</summary>
/// <param name="Record">Null while nothing is known at all: nobody may claim what he has not seen.</param>
/// <param name="Version">
/// Version of the lease that <paramref name="Record"/> was read from. Null while there is no lease.
/// </param>
/// <param name="UntilFree">
/// How long nobody else may claim the lease; zero when it is free, ours, or was not renewed for its duration.
/// </param>
internal readonly record struct LeaseSnapshot(LeaseRecord? Record, string? Version, TimeSpan UntilFree);
