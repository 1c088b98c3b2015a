using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>One bucket, whatever stores lead to it.</summary>
internal readonly record struct BucketId(string Partition, string Name);

/// <summary>
/// What a policy may do with a bucket that several policies may name. Not what its row means for the conditions: that
/// is <see cref="Standing"/>.
/// </summary>
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
/// The oldest claim owns (creationTimestamp, then uid). Within a namespace a policy that names the bucket goes before
/// one that selects it, and is as old as that one for other namespaces. A denied claim does not own, and keeps the
/// bucket from every policy that declares something else: a denial never gives a bucket to another declaration.
/// </item>
/// <item>Beside an owner whose writes are denied the next policy that declares the same may write in its place.</item>
/// </list>
/// Claims are read from statuses, so that they outlive the process. What a read has shown since is added here, before a
/// status has it.
/// </summary>
/// <param name="storeOf">The policy's store; null while the policy has none.</param>
internal sealed class BucketOwnership(
    ObjectCache<BucketEncryptionPolicy> policies,
    Func<BucketEncryptionPolicy, Store?> storeOf
)
{
    private readonly Lock _gate = new();

    private readonly BucketIndex _index = new();

    /// <summary>By uid: claims that reads have shown and no status has yet.</summary>
    private readonly Dictionary<string, Dictionary<BucketId, Claim>> _unreported = new(StringComparer.Ordinal);

    /// <summary>Updates the index after a change of a policy's spec, or of what it has to release.</summary>
    /// <returns>The other policies whose share of a bucket it may change.</returns>
    public IReadOnlyCollection<NamespacedName> Track(Change<BucketEncryptionPolicy> change)
    {
        var concerned = _index.Track(change);
        lock (_gate)
        {
            if (change.Old is { Metadata.Uid: var uid } && change.New?.Metadata.Uid != uid)
                _unreported.Remove(uid);
        }
        if (change.New is { } now)
            AddUnreported(now);
        // A new policy has read nothing yet: others are enqueued when it claims something.
        return change.Old is { } old ? OthersNaming(change.New ?? old, concerned) : [];
    }

    /// <summary>The other policies of the same partition that name one of the buckets or have to release it.</summary>
    public HashSet<NamespacedName> OthersNaming(BucketEncryptionPolicy policy, IEnumerable<string> buckets)
    {
        var others = new HashSet<NamespacedName>();
        var partition = storeOf(policy)?.Place.Partition;
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
        _index.AddSelected(policy.Metadata.Key, bucket.Name);
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
                    || !PolicyBuckets.Include(policy, storeOf(policy)?.SelectableBuckets, bucket.Name)
                )
                    unreported.Remove(bucket);
            }
            if (unreported.Count == 0)
                _unreported.Remove(policy.Metadata.Uid);
        }
    }

    /// <summary>
    /// The status of a policy was written, by this process or by the one that leads: with a selector, it has the
    /// buckets of its rows, and those that it has claimed since.
    /// </summary>
    public void TrackSelected(BucketEncryptionPolicy policy)
    {
        _index.SetSelected(policy);
        AddUnreported(policy);
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
                .Union(Find(_index.Selectors))
                .Where(p =>
                    p.Metadata.Uid != leaving.Metadata.Uid
                    && p.Spec.Suspend != true
                    && MayWant(p, bucket)
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
            .. InOrder(
                PoliciesNaming(bucket.Name)
                    .Where(p => MayWant(p, bucket))
                    .Select(p => (Policy: p, Claim: ClaimOf(p, bucket)))
                    .Where(c => c.Claim != Claim.None)
                    .ToList()
            ),
        ];

    private static IEnumerable<(BucketEncryptionPolicy Policy, Claim Claim)> InOrder(
        List<(BucketEncryptionPolicy Policy, Claim Claim)> claims
    )
    {
        return claims.Count < 2
            ? claims
            : claims
                .OrderBy(c => AgeOf(c.Policy))
                .ThenBy(c => c.Policy.Spec.BucketSelector is not null)
                .ThenBy(c => c.Policy.Metadata.CreationTimestamp)
                .ThenBy(c => c.Policy.Metadata.Uid, StringComparer.Ordinal);

        // A policy that names the bucket stands before a selector of its namespace, also in the order of the
        // namespaces: otherwise the order could go in a circle.
        DateTimeOffset? AgeOf(BucketEncryptionPolicy policy) =>
            policy.Spec.BucketSelector is not null
                ? policy.Metadata.CreationTimestamp
                : claims
                    .Where(c =>
                        c.Policy.Metadata.Namespace == policy.Metadata.Namespace
                        && c.Policy.Spec.BucketSelector is not null
                    )
                    .Select(c => c.Policy.Metadata.CreationTimestamp)
                    .Append(policy.Metadata.CreationTimestamp)
                    .Min();
    }

    /// <summary>
    /// Returns whether the policy names the bucket, or its selector may select it, and it could own it. With a claim
    /// that makes it a claimant.
    /// </summary>
    private bool MayWant(BucketEncryptionPolicy policy, BucketId bucket) =>
        policy.Metadata.DeletionTimestamp is null
        && !PolicyReader.IsAudit(policy.Spec)
        && PartitionOf(policy, bucket.Name) == bucket.Partition
        && PolicyBuckets.MayInclude(policy, storeOf(policy)?.SelectableBuckets, bucket.Name);

    /// <summary>
    /// By its store; while that does not exist, by what its reads have shown or its status remembers.
    /// </summary>
    private string? PartitionOf(BucketEncryptionPolicy policy, string bucket) =>
        storeOf(policy)?.Place.Partition ?? ObservedPartition(policy, bucket) ?? RowOf(policy, bucket)?.Partition;

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
        if (policy.Status?.ObservedGeneration != policy.Metadata.Generation)
            return false;
        return RowOf(policy, bucket.Name) is { } row
            ? row.State != BucketStatus.Unknown && (row.Partition ?? bucket.Partition) == bucket.Partition
            : policy.Spec.BucketSelector is not null && HasLookedEverywhere(policy.Status);
    }

    /// <summary>
    /// Returns whether a selector without a row of a bucket does not select it. While its list or its tags cannot be
    /// read, or it is full, it may want the bucket.
    /// </summary>
    private static bool HasLookedEverywhere(PolicyStatus status) =>
        status is { Discovery.NotCovered: 0 }
        && status.Conditions.Find(ConditionTypes.Ready) is { Status: Condition.True };

    private IEnumerable<BucketEncryptionPolicy> PoliciesNaming(string bucket) => Find(_index.KeysOf(bucket));

    private IEnumerable<BucketEncryptionPolicy> Find(NamespacedName[] keys) =>
        keys.Select(policies.Find).OfType<BucketEncryptionPolicy>();

    /// <summary>The status does not have them yet, and what a selector selects is read from its status.</summary>
    private void AddUnreported(BucketEncryptionPolicy policy)
    {
        string[] unreported;
        lock (_gate)
            unreported = _unreported.TryGetValue(policy.Metadata.Uid, out var claims)
                ? [.. claims.Keys.Select(b => b.Name)]
                : [];
        foreach (var bucket in unreported)
            _index.AddSelected(policy.Metadata.Key, bucket);
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

    private static BucketStatus? RowOf(BucketEncryptionPolicy policy, string bucket) => policy.Status?.RowOf(bucket);
}
