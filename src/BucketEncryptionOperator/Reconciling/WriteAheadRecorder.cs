using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Records what must be known before a vendor is written to, so that no crash in between is forgotten: that the policy
/// owns the bucket, what the bucket had before, and that the write is about to be sent; and the finalizer, so that the
/// policy cannot go before its buckets are released. The status comes first: a finalizer without an original then means
/// that the original was lost, and not that nothing was written yet.
/// </summary>
internal sealed class WriteAheadRecorder(
    StatusWriter writer,
    PolicyFinalizer finalizer,
    OriginalHandover originals,
    TimeProvider time
)
{
    /// <summary>
    /// Maximum number of buckets that a policy may have to release. With the 256 that its spec may name, its status
    /// then has no more rows than the CRD allows.
    /// </summary>
    public const int MostHeld = 256;

    /// <summary>The time of a record, in whole seconds, as statuses have it.</summary>
    public DateTimeOffset Now => KubeTimeConverter.Truncate(time.GetUtcNow());

    /// <summary>Opens the record of one pass.</summary>
    /// <param name="tasks">All tasks of the policy.</param>
    public WriteAheadRecord Open(
        ReconcileContext context,
        IBucketEncryptionApi api,
        IReadOnlyCollection<BucketTask> tasks
    ) => new(this, context, api, tasks.Select(t => t.Bucket).ToHashSet(StringComparer.Ordinal));

    /// <inheritdoc cref="StatusComposer.WithRows"/>
    /// <exception cref="KubeApiException">Nothing may be written to a vendor then.</exception>
    public async Task WriteAsync(
        StoredPolicy policy,
        IReadOnlyList<BucketStatus> rows,
        Func<string, bool> stays,
        CancellationToken cancellationToken
    )
    {
        var status = StatusComposer.WithRows(policy.Now, rows, stays);
        policy.Replace((await writer.WriteAsync(policy.Now, status, cancellationToken)).Policy);
    }

    /// <summary>The policy must not go before its buckets are released.</summary>
    public Task AddFinalizerAsync(StoredPolicy policy, CancellationToken cancellationToken) =>
        finalizer.AddAsync(policy, cancellationToken);

    /// <inheritdoc cref="OriginalHandover.InheritedBy"/>
    public Original.Recorded? InheritedBy(StoredPolicy policy, BucketId bucket) =>
        originals.InheritedBy(policy.Now, bucket);
}

/// <summary>
/// The record of one pass: one PATCH for all buckets that are to be written, and another one for a bucket that turned
/// out to be different when it was read again.
/// </summary>
/// <param name="buckets">All that the policy has now.</param>
internal sealed class WriteAheadRecord(
    WriteAheadRecorder recorder,
    ReconcileContext context,
    IBucketEncryptionApi api,
    IReadOnlySet<string> buckets
) : IDisposable
{
    private readonly WriteAheadRecorder _recorder = recorder;
    private readonly ReconcileContext _context = context;
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>
    /// A set: buckets whose original this pass has recorded from its own read. Until the write it replaces the original
    /// where a later read shows something else.
    /// </summary>
    private readonly ConcurrentDictionary<string, bool> _recorded = new(StringComparer.Ordinal);

    /// <summary>
    /// Puts the pass's buckets on record, and adds the finalizer where buckets will have to be released.
    /// </summary>
    /// <param name="owned">Buckets that the policy may write, or has to release.</param>
    /// <returns>Buckets that may not be written, with the reason.</returns>
    /// <exception cref="KubeApiException">Nothing may be written to a vendor.</exception>
    public async Task<ImmutableDictionary<string, Failure>> BeginAsync(
        IReadOnlyList<BucketObservation.Seen> owned,
        CancellationToken cancellationToken
    )
    {
        var policy = _context.Policy;
        var refused = await WriteAsync(owned, cancellationToken);
        var needsFinalizer =
            _context.Terms.Deletion != DeletionPolicy.Retain
            && !policy.IsBeingDeleted
            && owned.Any(o => !refused.ContainsKey(o.Task.Bucket));
        if (needsFinalizer && !policy.HasFinalizer)
            await _recorder.AddFinalizerAsync(policy, cancellationToken);
        return refused;
    }

    /// <summary>
    /// Returns whether the record fits what was read: the count of its write, if it asks for one, and the original.
    /// </summary>
    public bool Fits(BucketObservation.Seen seen)
    {
        if (RowOf(seen.Task) is not { } row)
            return seen.Plan is not Plan.Write;
        if (seen.Plan is Plan.Write { History: var history } && !IsOnRecord(row.Writes, history))
            return false;
        return !_recorded.ContainsKey(seen.Task.Bucket) || row.Original == BucketMemory.Row(OriginalOf(seen, row));
    }

    /// <summary>Puts one bucket on record again.</summary>
    /// <returns>Why it may not be written; null where it may.</returns>
    public async Task<Failure?> AddAsync(BucketObservation.Seen seen, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            var refused = await WriteAsync([seen], cancellationToken);
            return refused.GetValueOrDefault(seen.Task.Bucket);
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
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    private async Task<ImmutableDictionary<string, Failure>> WriteAsync(
        IReadOnlyList<BucketObservation.Seen> observations,
        CancellationToken cancellationToken
    )
    {
        var rows = new RowComposer(this);
        foreach (var seen in observations)
            rows.Add(seen);
        if (rows.Changed.Count > 0)
            await _recorder.WriteAsync(_context.Policy, rows.Changed, buckets.Contains, cancellationToken);
        return rows.Refused.ToImmutable();
    }

    /// <summary>
    /// What the bucket had before the policy's first write; unavailable where the policy may have written already.
    /// </summary>
    private Original OriginalOf(BucketObservation.Seen seen, BucketStatus row) =>
        _context.Policy.WasStatusLost || seen.Task.Memory.WasWritten
            ? new Original.Unavailable()
            : new Original.Recorded(
                seen.Observed.Encryption,
                api.Repeat(seen.Observed),
                row.Original?.RecordedTime ?? _recorder.Now
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
        _context.Policy.Now.Status?.Buckets.FirstOrDefault(b =>
            b.Name == task.Bucket && (b.Partition ?? task.Id.Partition) == task.Id.Partition
        );

    private static int Bytes(string? document) => document is null ? 0 : Encoding.UTF8.GetByteCount(document);

    /// <summary>Why a bucket is not written whose present encryption cannot be remembered.</summary>
    public static Failure TooLarge(int size) =>
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
                "Correct what keeps those buckets from being released (rows with the state Releasing), or set "
                + "deletionPolicy Retain.",
        };

    /// <summary>Composes the rows of one PATCH, within what a status may hold.</summary>
    private sealed class RowComposer
    {
        private readonly WriteAheadRecord _record;
        private readonly DeletionPolicy _deletion;
        private readonly DateTimeOffset _now;
        private int _held;
        private int _bytesLeft;

        public RowComposer(WriteAheadRecord record)
        {
            (_record, _deletion, _now) = (record, record._context.Terms.Deletion, record._recorder.Now);
            var before = record._context.Policy.Now.Status?.Buckets ?? [];
            _held = before.Count(b => b.HeldTime is not null);
            _bytesLeft = Original.MaxDocuments - before.Sum(b => Bytes(b.Original?.Document));
        }

        public List<BucketStatus> Changed { get; } = [];

        /// <summary>Buckets that may not be written, with the reason.</summary>
        public ImmutableDictionary<string, Failure>.Builder Refused { get; } =
            ImmutableDictionary.CreateBuilder<string, Failure>(StringComparer.Ordinal);

        public void Add(BucketObservation.Seen seen)
        {
            var (task, row) = (seen.Task, _record.RowOf(seen.Task));
            var next = row ?? new BucketStatus { Name = task.Bucket, State = BucketStatus.Unknown };
            next = next with { Partition = task.Id.Partition };
            if (task is BucketEnforcement && (!TryOwn(ref next) || !TryKeepOriginal(seen, ref next)))
                return;
            if (seen.Plan is Plan.Write write && !IsOnRecord(next.Writes, write.History))
            {
                next = BucketStatuses.WithWrite(
                    next with
                    {
                        ClaimedTime = task is BucketEnforcement ? next.ClaimedTime ?? _now : next.ClaimedTime,
                        ClaimDeniedTime = null,
                    },
                    write.History
                );
            }
            if (next != row)
                Changed.Add(next);
        }

        /// <summary>
        /// Records that the policy owns the bucket, and will have to release it. With Retain nothing is released, so
        /// the report may record it after the write.
        /// </summary>
        /// <returns>False where the policy may not take the bucket: the reason is in <see cref="Refused"/>.</returns>
        private bool TryOwn(ref BucketStatus row)
        {
            if (_deletion == DeletionPolicy.Retain || row.HeldTime is not null)
                return true;
            if (_held >= WriteAheadRecorder.MostHeld)
            {
                Refused.Add(row.Name, StillReleasing(_held));
                return false;
            }
            (row, _held) = (row with { HeldTime = _now }, _held + 1);
            return true;
        }

        /// <summary>Records what the bucket had, for <c>deletionPolicy: Restore</c>.</summary>
        /// <returns>False where the original is too large.</returns>
        private bool TryKeepOriginal(BucketObservation.Seen seen, ref BucketStatus row)
        {
            if (
                _deletion != DeletionPolicy.Restore
                || (row.Original is not null && !_record.IsReplaceable(row, seen.Plan))
            )
                return true;
            var task = seen.Task;
            var inherited = row.Original is null
                ? _record._recorder.InheritedBy(_record._context.Policy, task.Id)
                : null;
            var original = inherited ?? _record.OriginalOf(seen, row);
            var size = Bytes((original as Original.Recorded)?.Document);
            _bytesLeft += Bytes(row.Original?.Document);
            if (size > Original.MaxDocument || size > _bytesLeft)
            {
                if (seen.Plan is Plan.Write)
                    Refused.Add(task.Bucket, TooLarge(size));
                return false;
            }
            _bytesLeft -= size;
            row = row with { Original = BucketMemory.Row(original) };
            if (inherited is null)
                _record._recorded[task.Bucket] = true;
            return true;
        }
    }
}
