using KubeRuntime.Client;

namespace KubeRuntime.LeaderElection;

/// <summary>One Lease. Failures are <see cref="KubeApiException"/>. One call at a time, besides a watch.</summary>
public interface ILease
{
    /// <returns>Null if there is no lease.</returns>
    Task<Lease?> GetAsync(CancellationToken cancellationToken);

    /// <summary>Fails with <see cref="KubeFailureKind.Conflict"/> if there is a lease already.</summary>
    Task<Lease> CreateAsync(LeaseRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Fails with <see cref="KubeFailureKind.Conflict"/> when the lease is no longer at
    /// <paramref name="resourceVersion"/>.
    /// </summary>
    Task<Lease> UpdateAsync(string resourceVersion, LeaseRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Reports the lease as it is and every change, null for its absence, until cancelled. The reports may lag.
    /// </summary>
    Task WatchAsync(Action<Lease?> sink, CancellationToken cancellationToken);
}
