using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.LeaderElection;

/// <summary>
/// Releases the lease at the end of a term, so that no standby waits for it to expire. A claim whose answer never came
/// may have succeeded: so the lease is read again where the known version does not match.
/// </summary>
internal sealed class LeaseRelease(ILease lease, LeaseView view, string identity, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task RunAsync()
    {
        using var deadline = new Deadline(Timeout, time, CancellationToken.None);
        try
        {
            if (
                view.Look() is { Record: { } known } first
                && known.HolderIdentity == identity
                && await TryReleaseAsync(first, deadline.Token)
            )
                return;
            view.Observe(await lease.GetAsync(deadline.Token));
            if (
                view.Look() is { Record: { } found } second
                && found.HolderIdentity == identity
                && !await TryReleaseAsync(second, deadline.Token)
            )
                Log.LeaseNotReleased(logger, "somebody else writes it");
        }
        catch (KubeApiException e)
        {
            Log.LeaseNotReleased(logger, e.Message);
        }
        catch (OperationCanceledException)
        {
            Log.LeaseNotReleased(logger, $"no answer within {Timeout}");
        }
    }

    private async Task<bool> TryReleaseAsync(LeaseSnapshot judged, CancellationToken cancellationToken)
    {
        if (judged is not { Version: { } version, Record: { } record })
            return true; // it was deleted
        try
        {
            await lease.UpdateAsync(version, record.Released(time.GetUtcNow()), cancellationToken);
            Log.LeaseReleased(logger);
            return true;
        }
        catch (KubeApiException e) when (e.Failure is KubeFailureKind.Conflict or KubeFailureKind.NotFound)
        {
            return false;
        }
    }
}
