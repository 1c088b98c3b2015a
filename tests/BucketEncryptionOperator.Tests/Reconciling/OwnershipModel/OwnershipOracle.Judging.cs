using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

internal sealed partial class OwnershipOracle
{
    private IEnumerable<string> Judge(ModelRun run, BucketId bucket, VendorReceipt receipt, bool readsLag)
    {
        if (!MayWrite())
            yield return "without the lease";
        var now = Cache().FirstOrDefault(p => p.Metadata.Key == run.Key);
        if (Wanted(run, now, receipt) is { } unwanted)
            yield return unwanted;
        if (now is null)
            yield break;
        foreach (var unfounded in WriteOfSelected(run, now, receipt))
            yield return unfounded;
        if (!run.Reads.TryGetValue(bucket.Name, out var read))
        {
            yield return "without a read";
            yield break;
        }
        if (Fresh(read, bucket) is { } stale)
            yield return stale;
        var isRelease = IsLeaving(now, bucket.Name);
        if ((isRelease ? MayRelease(run, now, bucket) : null) is { } early)
            yield return early;
        if (isRelease && Restores(run, now, bucket, receipt) is { } foreign)
            yield return foreign;
        var weakens = Weakens(read, bucket, receipt, readsLag);
        if (weakens && now.Spec.AllowDowngrade != true)
            yield return "weakens without consent";
        if (!isRelease && !Entitled(now, bucket, weakens))
            yield return "is not the owner" + Describe(bucket);
    }

    private string? Wanted(ModelRun run, BucketEncryptionPolicy? now, VendorReceipt receipt)
    {
        var (meta, store) = (run.Policy.Metadata, run.Store!);
        if (now is null || now.Metadata.Uid != meta.Uid)
            return "the policy is gone";
        if (now.Metadata.Generation != meta.Generation)
            return "the spec has changed";
        if (now.Spec.Suspend == true)
            return "the policy is suspended";
        if (now.Spec.Mode == "Audit")
            return "the policy only audits";
        if (now.Metadata.DeletionTimestamp != meta.DeletionTimestamp)
            return "the policy is being deleted since";
        if (IsLeaving(now, receipt.Call.Bucket) && now.Spec.DeletionPolicy is not ("Delete" or "Restore"))
            return "the bucket is to stay as it is";
        if (StoreOf(now)?.Version != run.StoreVersion)
            return "the store has changed";
        return KeysGiven.GetValueOrDefault(store.Secret) != receipt.Key.Id
            ? "the key is not the store's any more"
            : null;
    }

    private string? Fresh(Evidence read, BucketId bucket)
    {
        var now = time.GetUtcNow();
        if (now - read.At >= FreshFor && (read.Turn is null || read.Turn != Turn))
            return $"on a read that is {now - read.At} old";
        if (!_written.TryGetValue(bucket, out var written))
            return null;
        return written > read.At ? "on a read from before another write of this process"
            : read.At - written < ReadLag ? $"on a read {read.At - written} after another write of this process"
            : null;
    }

    /// <summary>
    /// By the true state, but for what somebody else has changed since the read: nobody can know that.
    /// </summary>
    private bool Weakens(Evidence read, BucketId bucket, VendorReceipt receipt, bool readsLag)
    {
        if (receipt.Before is not { } before || (receipt.Failure is not null && receipt.Before == receipt.After))
            return false;
        var isBlind = readsLag || (_changedByOthers.TryGetValue(bucket, out var changed) && changed >= read.At);
        return Strength(receipt.After ?? before) < Strength(isBlind ? read.Shown : before);
    }

    private bool Entitled(BucketEncryptionPolicy writer, BucketId bucket, bool weakens) =>
        Assignments(bucket, writer)
            .Any(claims =>
            {
                claims.Add((writer, Claim.Open));
                var (owner, keeper) = OwnerAmong(claims);
                if (owner is null || owner.Metadata.Uid == writer.Metadata.Uid)
                    return owner is not null;
                return owner.Spec.Suspend != true
                    && Agree(owner, writer)
                    && (keeper is null || Agree(keeper, writer))
                    && IsWriteDenied(new ClaimKey(owner.Metadata.Uid, bucket))
                    && (!weakens || owner.Spec.AllowDowngrade == true);
            });

    private string? MayRelease(ModelRun run, BucketEncryptionPolicy policy, BucketId bucket)
    {
        if (!_claims.WasEverOpen(new ClaimKey(policy.Metadata.Uid, bucket)))
            return "releases a bucket that it never had";
        if (Assignments(bucket, policy).All(claims => claims.Count > 0))
            return "releases a bucket that another policy owns" + Describe(bucket);
        if (!_leaving.TryGetValue((policy.Metadata.Uid, bucket.Name), out var since))
            return "releases a bucket that was not seen to leave";
        var waited = time.GetUtcNow() - since;
        if (waited < ReleaseGrace)
            return $"releases after {waited}";
        // Who has come since the pass began may not have been seen; who is there still is awaited.
        var awaited =
            run.Awaited.GetValueOrDefault(bucket.Name)
                ?.Intersect(NewcomersTo(policy, bucket).Select(p => p.Metadata.Key))
                .ToList()
            ?? [];
        return waited < LongestAwaited && awaited.Count > 0
            ? $"releases after {waited} what {awaited[0]} is about to take over"
            : null;
    }

    /// <summary>
    /// What is put back was read at this very bucket, by a policy of the namespace, at a store of the vendor.
    /// </summary>
    private string? Restores(ModelRun run, BucketEncryptionPolicy policy, BucketId bucket, VendorReceipt receipt) =>
        policy.Spec.DeletionPolicy == "Restore"
        && receipt.After is { } after
        && receipt.Before != receipt.After
        && run.Store is { } store
        && !ReadOf(policy.Metadata.Namespace, store.Vendor, bucket).Contains(after)
            ? "puts back what nobody of the namespace has ever read there"
            : null;
}
