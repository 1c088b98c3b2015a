using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket, whatever stores lead to it.</summary>
internal readonly record struct BucketId(string Partition, string Name);

/// <summary>What a policy may do with a bucket that several policies may name.</summary>
internal abstract record BucketStanding
{
    private BucketStanding() { }

    /// <summary>The policy owns the bucket.</summary>
    public sealed record Owner : BucketStanding;

    /// <summary>
    /// The vendor denies the owner's writes, and this policy declares the same: it writes in the owner's place.
    /// </summary>
    public sealed record StandIn(BucketEncryptionPolicy For) : BucketStanding;

    /// <summary>Another policy owns the bucket, or blocks it although its keys are denied.</summary>
    /// <param name="IsDenied">The vendor denies the other policy's keys.</param>
    public sealed record NotOwner(BucketEncryptionPolicy To, bool IsDenied) : BucketStanding;
}

/// <summary>
/// Which policy owns a bucket that several name. It rests on the operator's own evidence alone:
/// <list type="bullet">
/// <item>
/// A policy claims a bucket once its own keys have read it. Only the vendor's coded answer about that very bucket to
/// that very key changes a claim: a denial makes it a denied claim, "no such bucket" ends it. A policy that is being
/// deleted, is in mode Audit, or does not name the bucket any more has given its claim up.
/// </item>
/// <item>
/// The oldest claim owns (creationTimestamp, then uid). A denied claim does not own, and keeps the bucket from every
/// policy that declares something else: a denial never gives a bucket to another declaration.
/// </item>
/// <item>Beside an owner whose writes are denied the next policy that declares the same may write in its place.</item>
/// </list>
/// Claims are read from statuses, so that they outlive the process. What a read has shown since is added here, before a
/// status has it.
/// </summary>
/// <param name="partitionOf">Of the policy's store; null while the policy has none.</param>
internal sealed class BucketOwnership(
    ObjectCache<BucketEncryptionPolicy> policies,
    Func<BucketEncryptionPolicy, string?> partitionOf
)
{
    private readonly Lock _gate = new();

    /// <summary>By a bucket's name: the policies that name it, and those that have to release it.</summary>
    private readonly Dictionary<string, HashSet<NamespacedName>> _keysByBucket = new(StringComparer.Ordinal);

    /// <summary>By uid: claims that reads have shown and no status has yet.</summary>
    private readonly Dictionary<string, Dictionary<BucketId, Claim>> _unreported = new(StringComparer.Ordinal);

    /// <summary>Updates the index after a change of a policy's spec, or of what it has to release.</summary>
    /// <returns>The other policies whose share of a bucket it may change.</returns>
    public IReadOnlyCollection<NamespacedName> Track(Change<BucketEncryptionPolicy> change)
    {
        var (before, now) = (Names(change.Old), Names(change.New));
        lock (_gate)
        {
            foreach (var name in before.Except(now, StringComparer.Ordinal))
            {
                if (_keysByBucket.TryGetValue(name, out var keys) && keys.Remove(change.Key) && keys.Count == 0)
                    _keysByBucket.Remove(name);
            }
            foreach (var name in now)
            {
                if (!_keysByBucket.TryGetValue(name, out var keys))
                    _keysByBucket[name] = keys = [];
                keys.Add(change.Key);
            }
            if (change.Old is { Metadata.Uid: var uid } && change.New?.Metadata.Uid != uid)
                _unreported.Remove(uid);
        }
        // A new policy has read nothing yet: others are enqueued when it claims something.
        return change.Old is { } old ? OthersNaming(change.New ?? old, before.Union(now, StringComparer.Ordinal)) : [];
    }

    /// <summary>The other policies of the same partition that name one of the buckets or have to release it.</summary>
    public HashSet<NamespacedName> OthersNaming(BucketEncryptionPolicy policy, IEnumerable<string> buckets)
    {
        var others = new HashSet<NamespacedName>();
        var partition = partitionOf(policy);
        foreach (var bucket in buckets)
        {
            var here = partition ?? RowOf(policy, bucket)?.Partition;
            others.UnionWith(
                PoliciesNaming(bucket)
                    .Where(p =>
                        p.Metadata.Key != policy.Metadata.Key && here is not null && PartitionOf(p, bucket) == here
                    )
                    .Select(p => p.Metadata.Key)
            );
        }
        return others;
    }

    /// <summary>The other policies that have to release the bucket.</summary>
    public IEnumerable<BucketEncryptionPolicy> PoliciesReleasing(BucketEncryptionPolicy policy, BucketId bucket) =>
        PoliciesNaming(bucket.Name)
            .Where(p =>
                p.Metadata.Uid != policy.Metadata.Uid
                && PartitionOf(p, bucket.Name) == bucket.Partition
                && ReleasePlanner
                    .Leaving(p)
                    .Any(r => r.Name == bucket.Name && (r.Partition ?? bucket.Partition) == bucket.Partition)
            );

    /// <summary>
    /// Records what a read has shown about the policy's claim, until a status has it. Nothing is recorded for a policy
    /// that is gone, or was made again under its name.
    /// </summary>
    public void RecordClaim(BucketEncryptionPolicy policy, BucketId bucket, Claim claim)
    {
        lock (_gate)
        {
            if (policies.Find(policy.Metadata.Key)?.Metadata.Uid != policy.Metadata.Uid)
                return;
            if (!_unreported.TryGetValue(policy.Metadata.Uid, out var unreported))
                _unreported[policy.Metadata.Uid] = unreported = [];
            foreach (var elsewhere in unreported.Keys.Where(b => b.Name == bucket.Name && b != bucket))
                unreported.Remove(elsewhere); // the store led there before
            unreported[bucket] = claim;
        }
    }

    /// <summary>
    /// Forgets the claims that the policy's status has now. What it does not have yet, because a read failed or a write
    /// of the status did, is kept.
    /// </summary>
    public void ForgetReported(BucketEncryptionPolicy policy)
    {
        lock (_gate)
        {
            if (_unreported.GetValueOrDefault(policy.Metadata.Uid) is not { } unreported)
                return;
            foreach (var (bucket, claim) in unreported)
            {
                if (
                    ClaimIn(RowOf(policy, bucket.Name), bucket) == claim
                    || !policy.Spec.Buckets.Any(b => b.Name == bucket.Name)
                )
                    unreported.Remove(bucket);
            }
            if (unreported.Count == 0)
                _unreported.Remove(policy.Metadata.Uid);
        }
    }

    public Claim ClaimOf(BucketEncryptionPolicy policy, BucketId bucket)
    {
        lock (_gate)
        {
            if (
                _unreported.GetValueOrDefault(policy.Metadata.Uid) is { } unreported
                && unreported.TryGetValue(bucket, out var claim)
            )
                return claim;
        }
        return ClaimIn(RowOf(policy, bucket.Name), bucket);
    }

    /// <summary>What the policy may do with the bucket, once its own keys have read it.</summary>
    public BucketStanding StandingOf(BucketEncryptionPolicy policy, BucketId bucket, Goal.Declared goal)
    {
        var claims = Claims(bucket);
        var (owner, blocker) = OwnerAmong(claims);
        if (owner is null)
            return blocker is null || blocker.Metadata.Uid == policy.Metadata.Uid
                ? new BucketStanding.Owner()
                : new BucketStanding.NotOwner(blocker, IsDenied: true);
        if (owner.Metadata.Uid == policy.Metadata.Uid)
            return new BucketStanding.Owner();
        if (blocker is not null && !Agree(blocker, goal))
            return new BucketStanding.NotOwner(blocker, IsDenied: true);
        return StandInAmong(claims, owner, bucket)?.Metadata.Uid == policy.Metadata.Uid
            ? new BucketStanding.StandIn(owner)
            : new BucketStanding.NotOwner(owner, IsDenied: false);
    }

    /// <summary>
    /// Returns the policy that may write the bucket now, or may as soon as nothing stops it; null where there is none.
    /// </summary>
    public BucketEncryptionPolicy? WriterOf(BucketId bucket)
    {
        var claims = Claims(bucket);
        return OwnerAmong(claims).Owner is { } owner ? StandInAmong(claims, owner, bucket) ?? owner : null;
    }

    /// <summary>
    /// Returns the policy that owns the bucket, or blocks it although its keys are denied; null where nobody claims it.
    /// </summary>
    public BucketEncryptionPolicy? OwnerOf(BucketId bucket) =>
        OwnerAmong(Claims(bucket)) is var (owner, blocker) ? owner ?? blocker : null;

    /// <summary>
    /// Returns enforcing policies of the partition that name the bucket and have not read it under their present spec:
    /// one of them may be about to claim it.
    /// </summary>
    public IReadOnlyList<BucketEncryptionPolicy> CandidatesFor(BucketId bucket, BucketEncryptionPolicy leaving) =>
        [
            .. PoliciesNaming(bucket.Name)
                .Where(p =>
                    p.Metadata.Uid != leaving.Metadata.Uid
                    && p.Spec.Suspend != true
                    && MayClaim(p, bucket)
                    && ClaimOf(p, bucket) == Claim.None
                    && !HasObserved(p, bucket)
                ),
        ];

    /// <summary>
    /// Returns whether the vendor has denied the policy's writes of the bucket for long enough to let another policy
    /// write in its place.
    /// </summary>
    public static bool IsWriteDenied(BucketEncryptionPolicy policy, string bucket) =>
        policy.Status?.ObservedGeneration == policy.Metadata.Generation
        && RowOf(policy, bucket) is { Denied.Count: >= DeniedWrites.Enough };

    public static bool Agree(BucketEncryptionPolicy other, Goal.Declared goal) =>
        PolicyReader.ReadTerms(other.Spec).Value is { } terms && terms.Goal.AgreesWith(goal);

    private static (BucketEncryptionPolicy? Owner, BucketEncryptionPolicy? Blocker) OwnerAmong(
        List<(BucketEncryptionPolicy Policy, Claim Claim)> claims
    )
    {
        var blocker = claims is [(var oldest, Claim.Denied), ..] ? oldest : null;
        if (blocker is null)
            return (claims is [(var first, _), ..] ? first : null, null);
        var open = claims.Where(c =>
            c.Claim == Claim.Open
            && PolicyReader.ReadTerms(c.Policy.Spec).Value is { } terms
            && Agree(blocker, terms.Goal)
        );
        return (open.Select(c => c.Policy).FirstOrDefault(), blocker);
    }

    private static BucketEncryptionPolicy? StandInAmong(
        List<(BucketEncryptionPolicy Policy, Claim Claim)> claims,
        BucketEncryptionPolicy owner,
        BucketId bucket
    )
    {
        if (
            owner.Spec.Suspend == true
            || !IsWriteDenied(owner, bucket.Name)
            || PolicyReader.ReadTerms(owner.Spec).Value is not { } terms
        )
            return null;
        return claims
            .Where(c =>
                c.Claim == Claim.Open
                && c.Policy.Metadata.Uid != owner.Metadata.Uid
                && c.Policy.Spec.Suspend != true
                && !IsWriteDenied(c.Policy, bucket.Name)
                && Agree(c.Policy, terms.Goal)
            )
            .Select(c => c.Policy)
            .FirstOrDefault();
    }

    /// <summary>Returns all claims on the bucket, the oldest policy's first.</summary>
    private List<(BucketEncryptionPolicy Policy, Claim Claim)> Claims(BucketId bucket) =>
        [
            .. PoliciesNaming(bucket.Name)
                .Where(p => MayClaim(p, bucket))
                .Select(p => (Policy: p, Claim: ClaimOf(p, bucket)))
                .Where(c => c.Claim != Claim.None)
                .OrderBy(c => c.Policy.Metadata.CreationTimestamp)
                .ThenBy(c => c.Policy.Metadata.Uid, StringComparer.Ordinal),
        ];

    private bool MayClaim(BucketEncryptionPolicy policy, BucketId bucket) =>
        policy.Metadata.DeletionTimestamp is null
        && !PolicyReader.IsAudit(policy.Spec)
        && PartitionOf(policy, bucket.Name) == bucket.Partition
        && policy.Spec.Buckets.Any(b => b.Name == bucket.Name);

    /// <summary>
    /// By its store; while that does not exist, by what its reads have shown or its status remembers.
    /// </summary>
    private string? PartitionOf(BucketEncryptionPolicy policy, string bucket) =>
        partitionOf(policy) ?? ObservedPartition(policy, bucket) ?? RowOf(policy, bucket)?.Partition;

    private string? ObservedPartition(BucketEncryptionPolicy policy, string bucket)
    {
        lock (_gate)
        {
            return _unreported
                .GetValueOrDefault(policy.Metadata.Uid)
                ?.Keys.Where(b => b.Name == bucket)
                .Select(b => b.Partition)
                .FirstOrDefault();
        }
    }

    private bool HasObserved(BucketEncryptionPolicy policy, BucketId bucket)
    {
        lock (_gate)
        {
            if (_unreported.GetValueOrDefault(policy.Metadata.Uid)?.ContainsKey(bucket) == true)
                return true;
        }
        return policy.Status?.ObservedGeneration == policy.Metadata.Generation
            && RowOf(policy, bucket.Name) is { State: not BucketStatus.Unknown } row
            && (row.Partition ?? bucket.Partition) == bucket.Partition;
    }

    private IEnumerable<BucketEncryptionPolicy> PoliciesNaming(string bucket)
    {
        NamespacedName[] keys;
        lock (_gate)
            keys = _keysByBucket.TryGetValue(bucket, out var naming) ? [.. naming] : [];
        return keys.Select(policies.Find).OfType<BucketEncryptionPolicy>();
    }

    /// <summary>A row of a bucket elsewhere is another bucket's.</summary>
    private static Claim ClaimIn(BucketStatus? row, BucketId bucket)
    {
        if (row is null || (row.Partition is { } partition && partition != bucket.Partition))
            return Claim.None;
        return row.ClaimedTime is not null ? Claim.Open
            : row.ClaimDeniedTime is not null ? Claim.Denied
            : Claim.None;
    }

    private static BucketStatus? RowOf(BucketEncryptionPolicy policy, string bucket) =>
        policy.Status?.Buckets.FirstOrDefault(b => b.Name == bucket);

    private static HashSet<string> Names(BucketEncryptionPolicy? policy) =>
        policy is null || policy.Spec.Buckets.IsDefault
            ? []
            :
            [
                .. policy.Spec.Buckets.Select(b => b.Name),
                .. (policy.Status?.Buckets ?? []).Where(b => b.HeldTime is not null).Select(b => b.Name),
            ];
}
