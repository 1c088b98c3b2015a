using KubeRuntime.Informers;
using KubeRuntime.LeaderElection;

namespace Integration.Tests.Chaos;

/// <summary>
/// Every record of the lease, as a watch without faults tells it; and from it, who had the right to write at a moment.
/// <para>
/// A write of a replica at t is in time when some record r of that replica has r.renewTime ≤ t &lt; r.renewTime +
/// r.leaseDuration, and no record of another one, or a release, has come by t. renewTime is when the renewal was sent,
/// before it was stored; t is when the request had arrived at the vendor, after it was started. Both make the verdict
/// stricter than the promise (no write is <i>started</i> later). A record that the watch has skipped does too.
/// </para>
/// <para>
/// renewTime is the wall clock of the operator's process, t that of the simulator in the test's: one machine, one
/// clock. That it went as the monotonic clock does is checked (<see cref="ClockDrift"/>): a wall clock that was set
/// would make the verdict worthless.
/// </para>
/// </summary>
internal sealed class LeaseHistory
{
    private readonly Lock _gate = new();
    private readonly List<LeaseRecord> _records = [];
    private readonly DateTimeOffset _wallClock = TimeProvider.System.GetUtcNow();
    private readonly long _monotonicClock = TimeProvider.System.GetTimestamp();

    public TimeSpan ClockDrift =>
        (TimeProvider.System.GetUtcNow() - _wallClock - TimeProvider.System.GetElapsedTime(_monotonicClock)).Duration();

    public string Holder
    {
        get
        {
            lock (_gate)
                return _records.Count == 0 ? "" : _records[^1].HolderIdentity;
        }
    }

    public void Take(WatchEvent<Lease> e)
    {
        var leases =
            e is WatchEvent<Lease>.Listed listed ? listed.Items
            : e is WatchEvent<Lease>.Applied applied ? [applied.Item]
            : [];
        lock (_gate)
            _records.AddRange(leases.Select(l => l.Spec).Where(r => _records.Count == 0 || r != _records[^1]));
    }

    public DateTimeOffset? ReleasedAfter(DateTimeOffset moment)
    {
        lock (_gate)
            return _records.Find(r => r.HolderIdentity == "" && r.RenewTime >= moment)?.RenewTime;
    }

    public bool MayWrite(string? identity, DateTimeOffset at)
    {
        lock (_gate)
        {
            var last = _records.FindLastIndex(r => r.RenewTime <= at);
            return identity is not null
                && last >= 0
                && _records[last] is var r
                && r.HolderIdentity == identity
                && at < r.RenewTime + TimeSpan.FromSeconds(r.LeaseDurationSeconds ?? 0);
        }
    }
}
