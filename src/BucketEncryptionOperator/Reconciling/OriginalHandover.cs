using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Hands what a bucket had before the first of all writes from a policy that gives the bucket up to its successor. This
/// is the only place where a reconcile writes the status of another policy.
/// <para>
/// The reason: the first policy's status holds the only record of the original, and goes with the policy. If the policy
/// waited until the successor had copied the record, then a successor whose keys or store do not work would keep it
/// from being deleted. So it writes the record, and goes. The write is bound to the successor's version, so a status
/// that the successor writes at the same time is a conflict, and never lost.
/// </para>
/// An original stays in its namespace and with its vendor, and never replaces a record of the successor's own.
/// </summary>
internal sealed class OriginalHandover(BucketOwnership ownership, Stores stores, StatusWriter writer)
{
    /// <summary>
    /// Returns what the bucket had before the first write of a policy that gives it up and has not handed the original
    /// over yet. The bucket has that policy's write now, which is not what its successor has to restore.
    /// </summary>
    public Original.Recorded? InheritedBy(BucketEncryptionPolicy policy, BucketId bucket) =>
        ownership
            .PoliciesReleasing(policy, bucket)
            .Where(p => IsAllowed(p, policy) && !PolicyReader.LeavesBucketsAlone(p))
            .SelectMany(p => (p.Status?.Buckets ?? []).Where(r => r.Name == bucket.Name))
            .Select(r => BucketMemory.Of(r, sameSpec: false).Original)
            .OfType<Original.Recorded>()
            .MinBy(o => o.At);

    /// <summary>Writes the original into the successor's status, unless that has a record of its own.</summary>
    /// <returns>
    /// Why the bucket does not get back what it had, although the policy has a record of it; null otherwise.
    /// </returns>
    /// <exception cref="KubeApiException">The successor's status was not written.</exception>
    public async Task<Failure?> HandOverAsync(
        BucketEncryptionPolicy policy,
        BucketEncryptionPolicy successor,
        BucketId bucket,
        Original? original,
        CancellationToken cancellationToken
    )
    {
        if (original is not Original.Recorded recorded)
            return null;
        if (!IsAllowed(policy, successor))
            return NotHandedOver;
        var row =
            (successor.Status?.Buckets ?? []).FirstOrDefault(b =>
                b.Name == bucket.Name && (b.Partition ?? bucket.Partition) == bucket.Partition
            )
            ?? new BucketStatus
            {
                Name = bucket.Name,
                State = BucketStatus.Unknown,
                Partition = bucket.Partition,
            };
        if (row.Original is { State: OriginalEncryption.Recorded })
            return null;
        try
        {
            var status = StatusComposer.WithRows(
                successor,
                [row with { Original = BucketMemory.Row(recorded) }],
                stays: _ => true
            );
            await writer.WriteAsync(successor, status, cancellationToken);
        }
        catch (KubeApiException e) when (e.MissingObject == successor.Metadata.Name)
        {
            // It went in this moment. Who is next, if anybody, shows at the next reconcile.
        }
        return null;
    }

    private bool IsAllowed(BucketEncryptionPolicy from, BucketEncryptionPolicy to) =>
        from.Metadata.Namespace == to.Metadata.Namespace && VendorOf(from) is { } vendor && vendor == VendorOf(to);

    private string? VendorOf(BucketEncryptionPolicy policy) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Vendor;

    private static Failure NotHandedOver { get; } =
        new(Reasons.RestoreUnavailable, "Restore")
        {
            Message =
                "A policy of another namespace, or of another vendor's store, owns the bucket now; it was left as it "
                + "is, and what it had before was not passed on.",
        };
}
