using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>
/// Judges every write at the moment in which the vendor gets it, by the rules alone: it knows the vendors' true state,
/// what each key was answered, and what the operator's mirror holds, and nothing of how the operator decides.
/// <list type="bullet">
/// <item>A write is wanted: <see cref="Wanted"/>.</item>
/// <item>It acts on fresh evidence: <see cref="Fresh"/>.</item>
/// <item>
/// Its policy owns the bucket, or stands in for the owner, or releases a bucket that nobody else claims:
/// <see cref="Entitled"/>, <see cref="MayRelease"/>.</item>
/// <item>It weakens nothing without consent: <see cref="Weakens"/>.</item>
/// </list>
/// What a look has found is known to the operator some steps after the vendor's answer. Until then the model counts
/// both as possible.
/// </summary>
internal sealed partial class OwnershipOracle(TimeProvider time)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadLag = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ReleaseGrace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestAwaited = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Least time between the first and the third denied write. Times in a status are in whole seconds.
    /// </summary>
    private static readonly TimeSpan DeniedFor = TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(2);

    private const int DeniedEnough = 3;

    private static readonly AsyncLocal<object?> TurnFlow = new();

    private readonly ModelClaims _claims = new();
    private readonly Dictionary<BucketId, DateTimeOffset> _written = [];
    private readonly Dictionary<BucketId, DateTimeOffset> _changedByOthers = [];
    private readonly Dictionary<(string Uid, string Bucket), DateTimeOffset> _leaving = [];
    private readonly Dictionary<ClaimKey, List<DateTimeOffset>> _denied = [];
    private readonly HashSet<(string Uid, long Generation, BucketId Bucket)> _looked = [];
    private readonly Dictionary<(InMemoryVendor, string), int> _writing = [];
    private readonly HashSet<ClaimKey> _hasWritten = [];

    /// <summary>
    /// What policies of a namespace have read of a bucket with keys of theirs, by the store's vendor.
    /// </summary>
    private readonly HashSet<(string Namespace, string Vendor, BucketId Bucket, BucketEncryption Read)> _read = [];

    /// <summary>The write that the flow's call belongs to; null for a look.</summary>
    public static object? Turn
    {
        get => TurnFlow.Value;
        set => TurnFlow.Value = value;
    }

    public required Func<IReadOnlyList<BucketEncryptionPolicy>> Cache { get; init; }

    public required Func<BucketEncryptionPolicy, ModelStore?> StoreOf { get; init; }

    /// <summary>
    /// The id of the key that the API server has last given from the Secret to this process; null where it has none.
    /// </summary>
    public Dictionary<NamespacedName, string?> KeysGiven { get; } = [];

    public Func<bool> MayWrite { get; set; } = () => true;

    public List<string> Violations { get; } = [];

    public ModelClaims Claims => _claims;

    public ModelLeaks Leaks { get; } = new();

    public int Writes { get; private set; }

    public int Denials { get; private set; }

    public IEnumerable<BucketEncryption> ReadOf(string ns, string vendor, BucketId bucket) =>
        _read.Where(r => r.Namespace == ns && r.Vendor == vendor && r.Bucket == bucket).Select(r => r.Read);

    public void Began(ModelRun run)
    {
        var (policy, now) = (run.Policy, time.GetUtcNow());
        run.BeganAt = Lists.Clock;
        foreach (var bucket in BucketsOf(policy))
        {
            if (!IsLeaving(policy, bucket))
                _leaving.Remove((policy.Metadata.Uid, bucket));
            else
                _leaving.TryAdd((policy.Metadata.Uid, bucket), now);
            if (run.Store is { } store)
                run.Awaited[bucket] =
                [
                    .. NewcomersTo(policy, new BucketId(store.Place.Partition, bucket)).Select(p => p.Metadata.Key),
                ];
        }
    }

    /// <summary>The operator has taken in what the run's looks have found.</summary>
    public void Settled(ModelRun run)
    {
        foreach (var (key, found) in run.Pending)
            _claims.Set(key, found);
        run.Pending.Clear();
        CacheChanged(); // the bucket may have been given up meanwhile
    }

    /// <summary>The run was cancelled: the operator may or may not have taken in what its looks have found.</summary>
    public static void CutOff(ModelRun run) => run.Pending.Clear();

    public void Ended(ModelRun run)
    {
        Settled(run);
        if (run.HadKubernetesFault)
            return;
        foreach (var accepted in run.Accepted)
            _denied.Remove(accepted);
    }

    /// <summary>The process was killed: what no status says is forgotten.</summary>
    public void Restarted(IEnumerable<BucketEncryptionPolicy> stored)
    {
        _written.Clear();
        _leaving.Clear();
        KeysGiven.Clear();
        Lists.Forget();
        _claims.ReadAgain(stored);
    }

    /// <summary>Returns whether the policy has written the bucket since it named the bucket.</summary>
    public bool HasWritten(ClaimKey key) => _hasWritten.Contains(key);

    /// <summary>The policy has given the bucket up: when it names it again, it has not written it yet.</summary>
    public void GivenUp(ClaimKey key) => _hasWritten.Remove(key);

    public void ChangedByOthers(BucketId bucket) => _changedByOthers[bucket] = time.GetUtcNow();

    /// <summary>A policy, or a store, is another one in the mirror now.</summary>
    public void CacheChanged() =>
        _claims.Doubt(k => !Cache().Any(p => p.Metadata.Uid == k.Uid && MayClaim(p, k.Bucket)));

    /// <summary>
    /// The mirror has received a status. The operator may have lost the answer to its write. The operator goes by that
    /// status from now on, or by what it has found since.
    /// </summary>
    public void Learned(BucketEncryptionPolicy policy)
    {
        foreach (var row in (policy.Status?.Buckets ?? []).Where(r => r.Partition is not null))
        {
            var id = new BucketId(row.Partition!, row.Name);
            _claims.MayBe(new ClaimKey(policy.Metadata.Uid, id), ModelClaims.InRow(row));
        }
    }

    public IDisposable Writing(InMemoryVendor installation, string bucket)
    {
        var key = (installation, bucket);
        _writing[key] = _writing.GetValueOrDefault(key) + 1;
        if (_writing[key] > 1)
            Violate($"two writers of {bucket} at a time");
        return new Ending(() => _writing[key]--);
    }

    /// <summary>Writes that a killed process was at are nobody's.</summary>
    public void ForgetWriting() => _writing.Clear();

    public void Received(VendorReceipt receipt, bool readsLag)
    {
        var run = ModelRun.Current ?? throw new InvalidOperationException("a call outside of any reconcile");
        if (run.Store is not { } store)
        {
            Violate($"{run} called a vendor without a store");
            return;
        }
        var bucket = new BucketId(store.Place.Partition, receipt.Call.Bucket);
        if (receipt.Failure is { Kind: FailureKind.Denied, IsVendorAnswer: true })
            Denials++;
        if (receipt.Call.Operation == "Get")
            Read(run, store, bucket, receipt);
        else
            Written(run, bucket, receipt, readsLag);
    }

    public BucketEncryptionPolicy? OwnerOf(BucketId bucket)
    {
        var claims = Claimants(bucket)
            .Select(p => (Policy: p, Claim: _claims.Only(new ClaimKey(p.Metadata.Uid, bucket))))
            .Where(c => c.Claim is not (null or Claim.None))
            .Select(c => (c.Policy, c.Claim!.Value))
            .ToList();
        return OwnerAmong(claims).Owner;
    }

    /// <summary>Whether nothing is in doubt about who owns the bucket.</summary>
    public bool IsCertain(BucketId bucket) =>
        Claimants(bucket).All(p => _claims.Only(new ClaimKey(p.Metadata.Uid, bucket)) is not null);

    /// <summary>Whether a claim of the policy on the bucket counts.</summary>
    public bool MayClaim(BucketEncryptionPolicy policy, BucketId bucket) =>
        policy.Metadata.DeletionTimestamp is null
        && policy.Spec.Mode != "Audit"
        && Means(policy, bucket.Name)
        && PartitionOf(policy, bucket.Name) == bucket.Partition;

    public static bool Agree(BucketEncryptionPolicy a, BucketEncryptionPolicy b) =>
        a.Spec.Encryption == b.Spec.Encryption && (a.Spec.Match ?? "Exact") == (b.Spec.Match ?? "Exact");

    /// <summary>Returns whether the policy changes a bucket when it gives the bucket up.</summary>
    public static bool ReleasesBuckets(BucketEncryptionPolicy policy) =>
        policy.Spec is { DeletionPolicy: "Delete" or "Restore", Mode: not "Audit" }
        && (policy.Metadata.DeletionTimestamp is null || policy.Spec.Suspend != true);

    public static int Strength(BucketEncryption encryption) =>
        encryption switch
        {
            BucketEncryption.None => 0,
            BucketEncryption.Aes256 => 1,
            BucketEncryption.Kms { KeyId: null } => 2,
            BucketEncryption.Kms => 3,
            _ => 4,
        };

    private static IEnumerable<string> BucketsOf(BucketEncryptionPolicy policy) =>
        policy
            .Spec.Buckets.Select(b => b.Name)
            .Union((policy.Status?.Buckets ?? []).Select(b => b.Name), StringComparer.Ordinal);

    public bool IsLeaving(BucketEncryptionPolicy policy, string bucket) =>
        policy.Metadata.DeletionTimestamp is not null || !Means(policy, bucket);

    private static (BucketEncryptionPolicy? Owner, BucketEncryptionPolicy? Keeper) OwnerAmong(
        IEnumerable<(BucketEncryptionPolicy Policy, Claim Claim)> claims
    )
    {
        var all = claims.ToList();
        var byAge = all.OrderBy(c => AgeAmong(c.Policy, all.Select(o => o.Policy)))
            .ThenBy(c => c.Policy.Spec.BucketSelector is not null)
            .ThenBy(c => c.Policy.Metadata.CreationTimestamp)
            .ThenBy(c => c.Policy.Metadata.Uid, StringComparer.Ordinal)
            .ToList();
        var keeper = byAge is [(var oldest, Claim.Denied), ..] ? oldest : null;
        return (
            byAge.FirstOrDefault(c => c.Claim == Claim.Open && (keeper is null || Agree(keeper, c.Policy))).Policy,
            keeper
        );
    }

    /// <summary>
    /// A policy that names the bucket is as old as the oldest selector of its namespace, if that one is older.
    /// </summary>
    private static DateTimeOffset? AgeAmong(
        BucketEncryptionPolicy policy,
        IEnumerable<BucketEncryptionPolicy> claimants
    ) =>
        claimants
            .Where(p =>
                policy.Spec.BucketSelector is null
                && p.Spec.BucketSelector is not null
                && p.Metadata.Namespace == policy.Metadata.Namespace
            )
            .Append(policy)
            .Min(p => p.Metadata.CreationTimestamp);

    /// <summary>The store's; while it is not there, where the policy has looked last.</summary>
    private string? PartitionOf(BucketEncryptionPolicy policy, string bucket) =>
        StoreOf(policy)?.Place.Partition ?? _claims.LookedAt(policy.Metadata.Uid, bucket);

    private IEnumerable<BucketEncryptionPolicy> Claimants(BucketId bucket) => Cache().Where(p => MayClaim(p, bucket));

    private void Read(ModelRun run, ModelStore store, BucketId bucket, VendorReceipt receipt)
    {
        var policy = run.Policy;
        _looked.Add((policy.Metadata.Uid, policy.Metadata.Generation, bucket));
        if (receipt.Shown is { } shown)
        {
            run.Reads[bucket.Name] = new Evidence(shown, time.GetUtcNow(), Turn);
            _read.Add((policy.Metadata.Namespace, store.Vendor, bucket, shown));
            Leaks.Learn(policy.Metadata.Namespace, shown);
        }
        run.Looked.Add(bucket.Name);
        if (receipt.Failure is { IsVendorAnswer: true, Kind: FailureKind.Missing })
            run.Gone.Add((receipt.Key.Id!, bucket.Name));
        if (policy.Spec.BucketSelector is not null)
            MustMean(run, receipt.Call);
        if (IsLeaving(policy, bucket.Name) || policy.Spec.Mode == "Audit")
            return;
        var key = new ClaimKey(policy.Metadata.Uid, bucket);
        Claim? found = receipt.Failure switch
        {
            null => Claim.Open,
            { IsVendorAnswer: true, Kind: FailureKind.Missing } => Claim.None,
            { IsVendorAnswer: true, Kind: FailureKind.Denied } => Claim.Denied,
            _ => null,
        };
        var isListed = ClaimsByList(run, store, receipt);
        if (found is not { } now || (now == Claim.Open && isListed == false))
            return;
        _claims.Looked(key);
        _claims.MayBecome(key, now);
        if (isListed is null && now == Claim.Open)
            return;
        if (!run.ReadsBack.Remove(bucket.Name)) // the next look takes up what a read after a write has found
            run.Pending.Add((key, now));
    }

    private void Written(ModelRun run, BucketId bucket, VendorReceipt receipt, bool readsLag)
    {
        Writes++;
        run.ReadsBack.Add(bucket.Name);
        var key = new ClaimKey(run.Policy.Metadata.Uid, bucket);
        var judged = Judge(run, bucket, receipt, readsLag).ToList();
        foreach (var problem in judged)
            Violate(
                $"{run} writes {receipt.Call.Operation} {bucket.Name} of {bucket.Partition} ({receipt.Before} to "
                    + $"{receipt.After}, {receipt.Failure?.Code ?? "done"}): {problem}"
            );
        if (receipt.Failure is { Kind: FailureKind.Denied, IsVendorAnswer: true })
            (_denied.TryGetValue(key, out var times) ? times : _denied[key] = []).Add(time.GetUtcNow());
        else if (receipt.Failure is null)
            run.Accepted.Add(key);
        if (receipt.Before != receipt.After)
            _hasWritten.Add(key);
        if (receipt.Failure is null || receipt.Before != receipt.After)
            _written[bucket] = time.GetUtcNow();
    }

    private bool IsWriteDenied(ClaimKey owner) =>
        _denied.TryGetValue(owner, out var times) && times.Count >= DeniedEnough && times[^1] - times[0] >= DeniedFor;

    /// <summary>Every way in which the others' claims may stand.</summary>
    private IEnumerable<List<(BucketEncryptionPolicy Policy, Claim Claim)>> Assignments(
        BucketId bucket,
        BucketEncryptionPolicy but
    )
    {
        IEnumerable<List<(BucketEncryptionPolicy, Claim)>> all =
        [
            [],
        ];
        foreach (var policy in Claimants(bucket).Where(p => p.Metadata.Uid != but.Metadata.Uid))
        {
            var possible = _claims.Of(new ClaimKey(policy.Metadata.Uid, bucket));
            all = all.SelectMany(before =>
                possible.Select(c =>
                    c == Claim.None ? before : (List<(BucketEncryptionPolicy, Claim)>)[.. before, (policy, c)]
                )
            );
        }
        return all.Select(a => a.ToList());
    }

    /// <summary>Policies of which it is certain that they are about to claim the bucket.</summary>
    private IEnumerable<BucketEncryptionPolicy> NewcomersTo(BucketEncryptionPolicy leaving, BucketId bucket) =>
        Cache()
            .Where(p =>
                p.Metadata.Uid != leaving.Metadata.Uid
                && p.Spec.Suspend != true
                && MayClaim(p, bucket)
                && StoreOf(p) is { } store
                && KeysThere(store)
                && _claims.Only(new ClaimKey(p.Metadata.Uid, bucket)) == Claim.None
                && (p.Spec.BucketSelector is null || p.Status?.ObservedGeneration != p.Metadata.Generation)
                && !_looked.Contains((p.Metadata.Uid, p.Metadata.Generation, bucket))
            );

    public required Func<ModelStore, bool> KeysThere { get; init; }

    private string Describe(BucketId bucket) =>
        string.Concat(
            Claimants(bucket)
                .OrderBy(p => p.Metadata.CreationTimestamp)
                .Select(p =>
                    $"\n    {p.Metadata.Key} of {p.Metadata.CreationTimestamp:HH:mm} {p.Spec.Encryption.Algorithm} "
                    + $"{p.Spec.Encryption.KmsKey?.Id} suspended {p.Spec.Suspend}: "
                    + $"{string.Join(" or ", _claims.Of(new ClaimKey(p.Metadata.Uid, bucket)))}"
                )
        );

    private void Violate(string what) => Violations.Add($"{time.GetUtcNow():HH:mm:ss.fff} {what}");

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
