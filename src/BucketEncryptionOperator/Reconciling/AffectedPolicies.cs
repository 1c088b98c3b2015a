using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Enqueues other policies that a reconcile affects, because something is new: this policy's claim on a bucket has
/// changed, it has found drift that another one writes, its writes are denied for long enough that another one may
/// write, or it has released a bucket. What stays as it was enqueues nobody.
/// </summary>
/// <param name="enqueue">Adds another policy to the work queue.</param>
internal sealed class AffectedPolicies(
    ObjectCache<BucketEncryptionPolicy> policies,
    BucketOwnership ownership,
    PolicyMemory memory,
    Action<NamespacedName> enqueue
)
{
    /// <param name="before">The policy before its status was written.</param>
    public void EnqueueAfter(BucketEncryptionPolicy before, StatusReport report, Findings findings)
    {
        var affected = ByRelease(report.Policy, findings);
        if (report.Written)
            affected.UnionWith(ByStatus(before, report.Policy));
        Enqueue(affected);
    }

    /// <summary>Enqueues policies that may have what this one has released.</summary>
    public void EnqueueAfterRelease(BucketEncryptionPolicy policy, Findings findings) =>
        Enqueue(ByRelease(policy, findings));

    private HashSet<NamespacedName> ByRelease(BucketEncryptionPolicy policy, Findings findings)
    {
        var released = findings.Releases.Where(r => r.Outcome is Outcome.Released).Select(r => r.Bucket).ToList();
        return released.Count == 0 ? [] : ownership.OthersNaming(policy, released);
    }

    private HashSet<NamespacedName> ByStatus(BucketEncryptionPolicy before, BucketEncryptionPolicy now)
    {
        var affected = new HashSet<NamespacedName>();
        var rows = (before.Status?.Buckets ?? []).ToDictionary(b => b.Name, StringComparer.Ordinal);
        // A bucket that a selector has dropped: its claim went with the row.
        foreach (var gone in rows.Values.Where(r => ClaimOf(r) != Claim.None && now.Status?.RowOf(r.Name) is null))
            affected.UnionWith(ownership.OthersNaming(now, [gone.Name]));
        foreach (var row in now.Status?.Buckets ?? [])
        {
            if (row.Partition is not { } partition)
                continue;
            var (last, id) = (rows.GetValueOrDefault(row.Name), new BucketId(partition, row.Name));
            if (ClaimOf(last) != ClaimOf(row))
                affected.UnionWith(
                    IsOneMoreClaim(row, id)
                        ? ownership.PoliciesReleasing(now, id).Select(p => p.Metadata.Key)
                        : ownership.OthersNaming(now, [row.Name])
                );
            else if (
                IsForTheWriter(last, row)
                && ownership.WriterOf(id) is { } writer
                && writer.Metadata.Uid != now.Metadata.Uid
            )
                affected.Add(writer.Metadata.Key);
        }
        return affected;

        // A claim behind an older one changes nothing for anybody but who waits for a successor.
        bool IsOneMoreClaim(BucketStatus row, BucketId id) =>
            row.ClaimedTime is not null && ownership.OwnerOf(id)?.Metadata.Uid != now.Metadata.Uid;
    }

    /// <summary>Returns whether the policy that writes the bucket has something to do now.</summary>
    private static bool IsForTheWriter(BucketStatus? last, BucketStatus row) =>
        (IsNewly(Reasons.HeldByAnother, last, row) || IsNewly(Reasons.OwnedByOthers, last, row))
        || IsDenied(row) != IsDenied(last);

    private static bool IsNewly(Reason reason, BucketStatus? last, BucketStatus row) =>
        reason.Is(row.Error?.Code) && !reason.Is(last?.Error?.Code);

    private static bool IsDenied(BucketStatus? row) => row?.Denied?.Count >= DeniedWrites.Enough;

    private static Claim ClaimOf(BucketStatus? row) =>
        row?.ClaimedTime is not null ? Claim.Open
        : row?.ClaimDeniedTime is not null ? Claim.Denied
        : Claim.None;

    private void Enqueue(IEnumerable<NamespacedName> affected)
    {
        foreach (var key in affected)
        {
            if (policies.Find(key) is { } policy)
                memory.MarkReconciled(policy); // or its first reconcile would find it settled, and wait for its resync
            enqueue(key);
        }
    }
}
