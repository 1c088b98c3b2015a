using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// What this process remembers of policies between reconciles: whether it has reconciled a policy before, and results
/// that no status has yet. When a policy is gone, everything about it is forgotten, here and in the steps.
/// </summary>
internal sealed class PolicyMemory(ReleasePlanner releases, PassProgress progress, StatusWriter writer)
{
    /// <summary>
    /// The uids of policies that this process has reconciled: the first reconcile may wait for its time.
    /// </summary>
    private readonly ConcurrentDictionary<NamespacedName, string> _known = new();

    /// <summary>By uid: what was written to buckets, until a status has it.</summary>
    private readonly ConcurrentDictionary<string, ImmutableArray<BucketResult>> _unreported = new(
        StringComparer.Ordinal
    );

    /// <summary>
    /// Returns whether this is the process's first reconcile of the policy, and remembers that it was.
    /// </summary>
    public bool MarkReconciled(BucketEncryptionPolicy policy)
    {
        var (key, uid) = (policy.Metadata.Key, policy.Metadata.Uid);
        var last = _known.GetValueOrDefault(key);
        if (last == uid)
            return false;
        if (last is not null)
            Forget(last); // the policy was made again under its name, and no reconcile has seen it gone
        _known[key] = uid;
        return true;
    }

    public ImmutableArray<BucketResult> Unreported(string uid) => _unreported.GetValueOrDefault(uid, []);

    /// <summary>
    /// Remembers results until a status has them. Of two results of a bucket the newer one counts, with the older one's
    /// write.
    /// </summary>
    public void Remember(string uid, IEnumerable<BucketResult> results)
    {
        var byBucket = Unreported(uid).ToDictionary(b => b.Bucket, StringComparer.Ordinal);
        foreach (var result in results)
        {
            var earlier = byBucket.GetValueOrDefault(result.Bucket);
            if (result.Applied is not null || result.WasRefused || earlier is not null)
                byBucket[result.Bucket] = result with { Applied = result.Applied ?? earlier?.Applied };
        }
        if (byBucket.Count > 0)
            _unreported[uid] = [.. byBucket.Values];
    }

    /// <summary>A status has all results.</summary>
    public void Reported(string uid) => _unreported.TryRemove(uid, out _);

    /// <summary>All buckets of the policy are released.</summary>
    public void Released(string uid) => releases.Forget(uid);

    /// <summary>The policy is gone.</summary>
    public void Forget(NamespacedName key)
    {
        if (_known.TryRemove(key, out var uid))
            Forget(uid);
    }

    private void Forget(string uid)
    {
        releases.Forget(uid);
        progress.Forget(uid);
        writer.Forget(uid);
        _unreported.TryRemove(uid, out _);
    }
}
