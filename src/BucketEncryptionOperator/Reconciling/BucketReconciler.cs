using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket: read, decide, write if it must be, read back.</summary>
internal sealed class BucketReconciler(TimeProvider time, ILogger<BucketReconciler> logger)
{
    public async Task<BucketResult> ReconcileAsync(
        IBucketEncryptionApi api, AccessKey key, BucketAddress address, DesiredState desired, WriteHistory? history, CancellationToken cancellationToken)
    {
        BucketEncryption? observed = null;
        DateTimeOffset? appliedAt = null;
        try
        {
            var before = await api.GetAsync(address, key, cancellationToken);
            observed = before.Encryption;
            switch (Planner.Decide(desired.Encryption, observed, desired.AllowDowngrade, history, time.GetUtcNow()))
            {
                case Plan.Keep:
                    return new BucketResult(address.Bucket, new Outcome.InSync(observed));
                case Plan.Refuse refuse:
                    return new BucketResult(address.Bucket, new Outcome.Failed(refuse.Failure, observed));
                case Plan.Wait when history is not null:
                    return new BucketResult(address.Bucket, new Outcome.Unconfirmed(observed, history));
                case Plan.Apply apply:
                    await api.PutAsync(address, key, apply.Target, before, cancellationToken);
                    Log.EncryptionApplied(logger, address.Bucket, observed, apply.Target);
                    break;
                default:
                    await api.DeleteAsync(address, key, cancellationToken);
                    Log.EncryptionRemoved(logger, address.Bucket, observed);
                    break;
            }
            appliedAt = time.GetUtcNow();
            observed = null;
            observed = (await api.GetAsync(address, key, cancellationToken)).Encryption;
            return new BucketResult(address.Bucket, Confirm(desired, observed, history), appliedAt);
        }
        catch (VendorException e)
        {
            return new BucketResult(address.Bucket, new Outcome.Failed(e.Failure, observed), appliedAt);
        }
    }

    private Outcome Confirm(DesiredState desired, BucketEncryption readBack, WriteHistory? history) =>
        desired.Encryption.IsMetBy(readBack)
            ? new Outcome.InSync(readBack)
            : new Outcome.Unconfirmed(readBack, WriteHistory.After(history, desired.Encryption, time.GetUtcNow()));
}
