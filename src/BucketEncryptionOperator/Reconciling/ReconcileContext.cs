using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// All that one reconcile works with. <see cref="PolicyResolver"/> makes it once, and only from a valid spec and a
/// store that the policy may use.
/// </summary>
/// <param name="Policy">The policy as it is stored now.</param>
/// <param name="Desired">What the policy asks for at this store.</param>
/// <param name="Session">The vendor's client with the store's access key; or why there is no key.</param>
internal sealed record ReconcileContext(
    StoredPolicy Policy,
    Store Store,
    DesiredState Desired,
    Result<VendorSession> Session
)
{
    /// <summary>This process has not reconciled the policy before.</summary>
    public bool IsFirst { get; init; }

    public PolicyTerms Terms => Desired.Terms;

    public string Partition => Store.Place.Partition;

    /// <summary>
    /// Results of buckets that were written, added as they are written: they are reported even if the reconcile does
    /// not come to its end.
    /// </summary>
    public ConcurrentQueue<BucketResult> Applied { get; } = new();

    /// <summary>Returns the task that gives a bucket the declared encryption.</summary>
    public BucketEnforcement Enforcement(BucketAddress address)
    {
        var status = Policy.Now.Status;
        var row = status?.RowOf(address.Bucket);
        if (row?.Partition is { } partition && partition != Partition)
            row = null; // a row of another partition is about another bucket
        var memory = BucketMemory.Of(row, status?.ObservedGeneration == Policy.Now.Metadata.Generation);
        return new BucketEnforcement(
            address,
            new BucketId(Partition, address.Bucket),
            Terms.Goal.Knowing(memory.VendorKey),
            memory
        );
    }

    /// <summary>
    /// Nothing but the time has changed since the last status: a process that has just started need not read the
    /// buckets before the policy's next resync.
    /// </summary>
    public bool IsSettled => Session.Value is { } session && Schedule.IsSettled(Policy.Now, session.Inputs);
}

/// <summary>A vendor's clients and the access key for one store: the same for all buckets of a policy.</summary>
/// <param name="Account">Asks about the key's account.</param>
/// <param name="Inputs">A hash of the versions of store and key, as <c>status.inputs</c> has it.</param>
internal sealed record VendorSession(IBucketEncryptionApi Api, IAccountApi Account, AccessKey Key, string Inputs);

/// <summary>
/// The policy of one reconcile, as it is stored now. Each write of the reconcile is bound to the version in
/// <see cref="Now"/>, and puts the version that it made in its place (<see cref="Replace"/>). So only the status, the
/// finalizers and the version change during a reconcile; everything else here is read from the spec once.
/// </summary>
internal sealed class StoredPolicy(BucketEncryptionPolicy read)
{
    private readonly ObjectMeta _began = read.Metadata;

    /// <summary>Buckets are worked on in parallel: one records while others read.</summary>
    private volatile BucketEncryptionPolicy _now = read;

    public BucketEncryptionPolicy Now => _now;

    public NamespacedName Key { get; } = read.Metadata.Key;

    public string Uid { get; } = read.Metadata.Uid;

    public PolicySpec Spec { get; } = read.Spec;

    public bool IsBeingDeleted { get; } = read.Metadata.DeletionTimestamp is not null;

    public bool HasFinalizer => PolicyFinalizer.IsOn(Now);

    /// <inheritdoc cref="Store.SelectableBuckets"/>
    /// <remarks>Null also where the store is not known.</remarks>
    public ImmutableArray<string>? SelectableBuckets { get; init; }

    /// <summary>What the spec asks for, as far as it can be known without the store; or why it is invalid.</summary>
    public Result<PolicyTerms> Terms { get; } = PolicyReader.ReadTerms(read.Spec);

    public TimeSpan Resync => Terms.Value?.Resync ?? PolicyReader.DefaultResync;

    /// <inheritdoc cref="PolicyReader.LeavesBucketsAlone"/>
    public bool LeavesBucketsAlone { get; } = PolicyReader.LeavesBucketsAlone(read);

    /// <summary>
    /// When the reconcile began, the finalizer was there and the status had never been written, or was cleared: a
    /// policy restored from a backup, or a status that somebody has replaced. The policy may have written to buckets
    /// before.
    /// </summary>
    public bool WasStatusLost { get; } =
        PolicyFinalizer.IsOn(read)
        && !PolicyReader.LeavesBucketsAlone(read)
        && read.Status?.ObservedGeneration is null or < 0
        && (read.Status?.Buckets ?? []).All(b => b.HeldTime is null && b.Original is null);

    /// <summary>
    /// As <see cref="WasStatusLost"/>, but reconciles have written a status since: its rows say that the originals are
    /// unavailable, and no row says that the policy owned the bucket.
    /// </summary>
    public bool WasStatusLostEarlier { get; } =
        PolicyFinalizer.IsOn(read)
        && (read.Status?.Buckets ?? []) is var rows
        && rows.All(b => b.HeldTime is null)
        && rows.Any(b => b.Original is { State: OriginalEncryption.Unavailable });

    /// <summary>
    /// Returns whether it is the same policy with the same spec, and neither or both are being deleted.
    /// </summary>
    public bool IsUnchangedIn(BucketEncryptionPolicy other) =>
        (other.Metadata.Uid, other.Metadata.Generation, other.Metadata.DeletionTimestamp)
        == (_began.Uid, _began.Generation, _began.DeletionTimestamp);

    /// <summary>Takes in the answer to a write of this reconcile.</summary>
    public void Replace(BucketEncryptionPolicy written) => _now = written;
}
