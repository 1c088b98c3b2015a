using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket: read, decide, write if it must be, read back.</summary>
internal sealed class BucketReconciler(WriteGuard mayWrite, TimeProvider time, ILogger<BucketReconciler> logger)
{
    public async Task<BucketResult> ReconcileAsync(
        IBucketEncryptionApi api, AccessKey key, BucketAddress address, DesiredState desired, WriteHistory? history, CancellationToken cancellationToken)
    {
        BucketEncryption? observed = null;
        AppliedChange? applied = null;
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
                case Plan.Wait wait:
                    return new BucketResult(address.Bucket, new Outcome.Unconfirmed(observed, wait.History));
                case Plan.Apply or Plan.Remove when !mayWrite():
                    return new BucketResult(address.Bucket, new Outcome.Failed(NotLeading.Failure, observed));
                case Plan.Apply apply:
                    await api.PutAsync(address, key, apply.Target, before, cancellationToken);
                    applied = new AppliedChange(observed, apply.Target, time.GetUtcNow());
                    Log.EncryptionApplied(logger, address.Bucket, observed, apply.Target);
                    break;
                case Plan.Remove:
                    await api.DeleteAsync(address, key, cancellationToken);
                    applied = new AppliedChange(observed, new BucketEncryption.None(), time.GetUtcNow());
                    Log.EncryptionRemoved(logger, address.Bucket, observed);
                    break;
                case var plan:
                    throw new InvalidOperationException(plan.GetType().Name);
            }
            observed = null;
            observed = await ReadBackAsync(api, key, address, cancellationToken);
            return new BucketResult(address.Bucket, Confirm(desired, observed, history), applied);
        }
        catch (VendorException e)
        {
            return new BucketResult(address.Bucket, new Outcome.Failed(e.Failure, observed), applied);
        }
    }

    /// <returns>Null when it cannot be read just now: the write is done, and must be counted all the same.</returns>
    private static async Task<BucketEncryption?> ReadBackAsync(IBucketEncryptionApi api, AccessKey key, BucketAddress address, CancellationToken cancellationToken)
    {
        try
        {
            return (await api.GetAsync(address, key, cancellationToken)).Encryption;
        }
        catch (VendorException e) when (e.Failure.PassesByItself)
        {
            return null;
        }
    }

    private Outcome Confirm(DesiredState desired, BucketEncryption? readBack, WriteHistory? history) =>
        readBack is not null && desired.Encryption.IsMetBy(readBack)
            ? new Outcome.InSync(readBack)
            : new Outcome.Unconfirmed(readBack, WriteHistory.After(history, desired.Encryption, time.GetUtcNow()));
}
