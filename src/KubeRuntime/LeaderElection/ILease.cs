using KubeRuntime.Client;

namespace KubeRuntime.LeaderElection;

/// <summary>
/// One Lease, wherever it is kept. Failures are <see cref="KubeApiException"/>; one call at a time, a watch aside.
/// </summary>
public interface ILease
{
    /// <returns>Null when there is none.</returns>
    Task<Lease?> GetAsync(CancellationToken cancellationToken);

    /// <summary>Fails with <see cref="KubeFailureKind.Conflict"/> when there is one.</summary>
    Task<Lease> CreateAsync(LeaseRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Fails with <see cref="KubeFailureKind.Conflict"/> when the lease is no longer at
    /// <paramref name="resourceVersion"/>.
    /// </summary>
    Task<Lease> UpdateAsync(string resourceVersion, LeaseRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Tells of the lease as it is and of every change, null for its absence, until cancelled. What it tells may be
    /// old.
    /// </summary>
    Task WatchAsync(Action<Lease?> sink, CancellationToken cancellationToken);
}
