using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// What must be on record before a vendor is written to, so that no crash in between is forgotten: that the policy owns
/// the bucket, what the bucket had before, and that the write is about to be sent; and the finalizer, so that the
/// policy cannot go before its buckets are released. The status comes first: a finalizer without an original then means
/// that the original was lost, and not that nothing was written yet.
/// </summary>
internal sealed class WriteAheadRecorder(
    KubeClient client,
    ObjectCache<BucketEncryptionPolicy> policies,
    BucketOwnership ownership,
    Stores stores,
    StatusWriter writer,
    TimeProvider time
)
{
    public const string Finalizer = "bucketencryption.io/release";

    /// <summary>
    /// Buckets that a policy may have to release. With the 256 that its spec may name, its status then has no more rows
    /// than the CRD takes.
    /// </summary>
    public const int MostHeld = 256;

    public static bool HasFinalizer(BucketEncryptionPolicy policy) => Finalizers.Has(policy.Metadata, Finalizer);

    /// <summary>
    /// The finalizer is there and the status was never written, or has been cleared: a policy restored from a backup,
    /// or a status that somebody has replaced.
    /// </summary>
    public static bool HasLostStatus(BucketEncryptionPolicy policy) =>
        HasFinalizer(policy)
        && policy.Status?.ObservedGeneration is null or < 0
        && (policy.Status?.Buckets ?? []).All(b => b.HeldTime is null && b.Original is null);

    /// <summary>
    /// Returns whether a policy's status was lost and the policy was reconciled since: its rows say that the originals
    /// are unavailable, and no row says that the policy owned the bucket.
    /// </summary>
    public static bool HasNothingToRelease(BucketEncryptionPolicy policy) =>
        HasFinalizer(policy)
        && (policy.Status?.Buckets ?? []) is var rows
        && rows.All(b => b.HeldTime is null)
        && rows.Any(b => b.Original is { State: OriginalEncryption.Unavailable });

    /// <summary>Opens the record of one pass.</summary>
    public WriteAheadRecord Open(PassBasis basis) => new(this, basis, HasLostStatus(basis.Policy), time);

    /// <returns>The policy with the rows in its status.</returns>
    /// <exception cref="KubeApiException">Nothing may be written to a vendor then.</exception>
    public async Task<BucketEncryptionPolicy> WriteAsync(
        BucketEncryptionPolicy policy,
        IReadOnlyList<BucketStatus> rows,
        CancellationToken cancellationToken
    ) => (await writer.WriteAsync(policy, StatusComposer.WithRows(policy, rows), cancellationToken)).Policy;

    /// <summary>The policy must not go before its buckets are released.</summary>
    public Task<BucketEncryptionPolicy> HoldAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken) =>
        SetAsync(policy, Finalizers.With(policy.Metadata, Finalizer), cancellationToken);

    /// <summary>Nothing remains to be done for the policy's buckets.</summary>
    public Task<BucketEncryptionPolicy> LetGoAsync(
        BucketEncryptionPolicy policy,
        CancellationToken cancellationToken
    ) => SetAsync(policy, Finalizers.Without(policy.Metadata, Finalizer), cancellationToken);

    /// <summary>The policy is gone.</summary>
    public void Forget(string uid) => writer.Forget(uid);

    /// <summary>An original stays in its namespace and with its vendor.</summary>
    public bool MayPassOn(BucketEncryptionPolicy from, BucketEncryptionPolicy to) =>
        from.Metadata.Namespace == to.Metadata.Namespace && VendorOf(from) is { } vendor && vendor == VendorOf(to);

    /// <summary>
    /// Returns what the bucket had before the first write of a policy that gives it up and has not passed the original
    /// on yet. The bucket has that policy's write now, which is not what its successor has to restore.
    /// </summary>
    public Original.Recorded? Inherited(BucketEncryptionPolicy policy, BucketId bucket) =>
        ownership
            .Releasing(policy, bucket)
            .Where(p => MayPassOn(p, policy) && !PolicyReader.LeavesBucketsAlone(p))
            .SelectMany(p => p.Status!.Buckets.Where(r => r.Name == bucket.Name))
            .Select(r => BucketMemory.Of(r, sameSpec: false).Original)
            .OfType<Original.Recorded>()
            .MinBy(o => o.At);

    /// <summary>
    /// Gives the successor of the same namespace and vendor what the bucket had before the first of all writes, unless
    /// it has a record of its own. This is the one place that writes another policy's status.
    /// </summary>
    public async Task PassOnAsync(
        BucketEncryptionPolicy successor,
        BucketId bucket,
        Original.Recorded original,
        CancellationToken cancellationToken
    )
    {
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
            return;
        try
        {
            await WriteAsync(successor, [row with { Original = BucketMemory.Row(original) }], cancellationToken);
        }
        catch (KubeApiException e) when (e.MissingObject == successor.Metadata.Name)
        {
            // It went in this moment. Who is next, if anybody, shows at the next look.
        }
    }

    private string? VendorOf(BucketEncryptionPolicy policy) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Vendor;

    private async Task<BucketEncryptionPolicy> SetAsync(
        BucketEncryptionPolicy policy,
        ImmutableArray<string> finalizers,
        CancellationToken cancellationToken
    )
    {
        var written = await Finalizers.WriteAsync(client, ApiResources.Policies, policy, finalizers, cancellationToken);
        policies.Replace(policy.Metadata.ResourceVersion, written);
        return written;
    }
}

/// <summary>
/// The record of one pass: one PATCH for all buckets that are to be written, and another one for a bucket that turned
/// out to be different when it was read again. It knows the policy as it is stored now.
/// </summary>
internal sealed class WriteAheadRecord(WriteAheadRecorder keeper, PassBasis basis, bool isLost, TimeProvider time)
    : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Originals that this pass has recorded from its reads. It replaces them until the write.</summary>
    private readonly ConcurrentDictionary<string, bool> _recorded = new(StringComparer.Ordinal);

    /// <summary>The policy as it is stored now.</summary>
    public BucketEncryptionPolicy Policy { get; private set; } = basis.Policy;

    /// <summary>Puts the pass's buckets on record, and the finalizer where buckets will have to be released.</summary>
    /// <param name="owned">Looks at buckets that the policy may write, or has to release.</param>
    /// <returns>Buckets that may not be written, with the reason.</returns>
    /// <exception cref="KubeApiException">Nothing may be written to a vendor.</exception>
    public async Task<ImmutableDictionary<string, Failure>> BeginAsync(
        IBucketEncryptionApi api,
        IReadOnlyList<BucketObservation.Seen> owned,
        CancellationToken cancellationToken
    )
    {
        var (rows, refused) = Rows(api, owned);
        if (rows.Count > 0)
            Policy = await keeper.WriteAsync(Policy, rows, cancellationToken);
        var holds =
            basis.Terms.Deletion != DeletionPolicy.Retain
            && Policy.Metadata.DeletionTimestamp is null
            && owned.Any(l => !refused.ContainsKey(l.Task.Bucket));
        if (holds && !WriteAheadRecorder.HasFinalizer(Policy))
            Policy = await keeper.HoldAsync(Policy, cancellationToken);
        return refused;
    }

    /// <summary>
    /// Returns whether the record fits this look: the count of its write, if it asks for one, and the original.
    /// </summary>
    public bool Fits(IBucketEncryptionApi api, BucketObservation.Seen look)
    {
        if (RowOf(look.Task) is not { } row)
            return look.Plan is not Plan.Write;
        if (look.Plan is Plan.Write { History: var history } && !IsOnRecord(row.Writes, history))
            return false;
        return !_recorded.ContainsKey(look.Task.Bucket) || row.Original == BucketMemory.Row(OriginalOf(api, look, row));
    }

    /// <summary>Puts one bucket on record again.</summary>
    /// <returns>Why it may not be written; null where it may.</returns>
    public async Task<Failure?> AddAsync(
        IBucketEncryptionApi api,
        BucketObservation.Seen look,
        CancellationToken cancellationToken
    )
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var (rows, refused) = Rows(api, [look]);
            if (rows.Count > 0)
                Policy = await keeper.WriteAsync(Policy, rows, cancellationToken);
            return refused.GetValueOrDefault(look.Task.Bucket);
        }
        catch (KubeApiException e)
        {
            // The other buckets of the pass are on record and go on.
            return new Failure(Reasons.NotOnRecord, Planner.Step)
            {
                Message = $"What the write needs on record could not be written: {e.Failure}.",
            };
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private (List<BucketStatus> Rows, ImmutableDictionary<string, Failure> Refused) Rows(
        IBucketEncryptionApi api,
        IReadOnlyList<BucketObservation.Seen> looks
    )
    {
        var now = KubeTimeConverter.Truncate(time.GetUtcNow());
        var before = Policy.Status?.Buckets ?? [];
        var held = before.Count(b => b.HeldTime is not null);
        var room = Original.MaxDocuments - before.Sum(b => Bytes(b.Original?.Document));
        var rows = new List<BucketStatus>();
        var refused = ImmutableDictionary.CreateBuilder<string, Failure>(StringComparer.Ordinal);
        foreach (var look in looks)
        {
            var (task, row) = (look.Task, RowOf(look.Task));
            var next = row ?? new BucketStatus { Name = task.Bucket, State = BucketStatus.Unknown };
            next = next with { Partition = task.Id.Partition };
            if (!task.IsRelease)
            {
                if (basis.Terms.Deletion != DeletionPolicy.Retain && next.HeldTime is null)
                {
                    if (held >= WriteAheadRecorder.MostHeld)
                    {
                        refused.Add(task.Bucket, StillReleasing(held));
                        continue;
                    }
                    (next, held) = (next with { HeldTime = now }, held + 1);
                }
                if (
                    basis.Terms.Deletion == DeletionPolicy.Restore
                    && (next.Original is null || IsReplaceable(next, look.Plan))
                )
                {
                    var inherited = next.Original is null ? keeper.Inherited(basis.Policy, task.Id) : null;
                    var original = inherited ?? OriginalOf(api, look, next);
                    var size = Bytes((original as Original.Recorded)?.Document);
                    room += Bytes(next.Original?.Document);
                    if (size > Original.MaxDocument || size > room)
                    {
                        if (look.Plan is Plan.Write)
                            refused.Add(task.Bucket, TooLarge(size));
                        continue;
                    }
                    room -= size;
                    next = next with { Original = BucketMemory.Row(original) };
                    if (inherited is null)
                        _recorded[task.Bucket] = true;
                }
            }
            if (look.Plan is Plan.Write write && !IsOnRecord(next.Writes, write.History))
            {
                next = BucketStatuses.WithWrite(
                    next with
                    {
                        ClaimedTime = task.IsRelease ? next.ClaimedTime : next.ClaimedTime ?? now,
                        ClaimDeniedTime = null,
                    },
                    write.History
                );
            }
            if (next != row)
                rows.Add(next);
        }
        return (rows, refused.ToImmutable());
    }

    /// <summary>
    /// What the bucket had before the policy's first write; unavailable where the policy may have written already.
    /// </summary>
    private Original OriginalOf(IBucketEncryptionApi api, BucketObservation.Seen look, BucketStatus row) =>
        isLost || look.Task.Memory.WasWritten
            ? new Original.Unavailable()
            : new Original.Recorded(
                look.Observed.Encryption,
                api.Repeat(look.Observed),
                row.Original?.RecordedTime ?? KubeTimeConverter.Truncate(time.GetUtcNow())
            );

    /// <summary>
    /// Returns whether the original may be replaced by what the bucket has now: this policy recorded it, and is about
    /// to send its first write. An inherited original was recorded before this policy owned the bucket.
    /// </summary>
    private bool IsReplaceable(BucketStatus row, Plan plan) =>
        _recorded.ContainsKey(row.Name)
        || (
            plan is Plan.Write
            && row is { LastAppliedTime: null, Writes: null or { Refused: true } }
            && row.Original is { State: OriginalEncryption.Recorded, RecordedTime: { } at }
            && at == row.HeldTime
        );

    /// <summary>
    /// Returns whether the write is on record. A record that is marked as refused is not: after a crash it would say
    /// that the write was never made.
    /// </summary>
    private static bool IsOnRecord(WriteRecord? row, WriteHistory history) =>
        row is { Refused: not true } && (row.Hash, row.Count) == (history.Fingerprint, history.Count);

    /// <summary>A row of a bucket elsewhere is another bucket's.</summary>
    private BucketStatus? RowOf(BucketTask task) =>
        Policy.Status?.Buckets.FirstOrDefault(b =>
            b.Name == task.Bucket && (b.Partition ?? task.Id.Partition) == task.Id.Partition
        );

    private static int Bytes(string? document) => document is null ? 0 : Encoding.UTF8.GetByteCount(document);

    private static Failure TooLarge(int size) =>
        new(Reasons.OriginalTooLarge, Planner.Step)
        {
            Message =
                $"What the bucket has now takes {size} bytes to remember; {Original.MaxDocument} are allowed for a "
                + $"bucket, and {Original.MaxDocuments} for a policy. Nothing was written.",
            Hint = "Use deletionPolicy Retain for this bucket, or split the policy.",
        };

    private static Failure StillReleasing(int held) =>
        new(Reasons.AwaitingRelease, Planner.Step)
        {
            Message =
                $"The policy still has to release {held} buckets that it wrote before; it takes no more until some of "
                + "them are released.",
            Hint =
                "Mend what keeps those buckets from being released (rows with the state Releasing), or set "
                + "deletionPolicy Retain.",
        };
}
