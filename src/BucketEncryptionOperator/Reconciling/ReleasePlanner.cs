using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What becomes of the buckets that a policy has to release.</summary>
/// <param name="Tasks">Buckets that the vendor must be asked about.</param>
/// <param name="Done">Results of all others: released without asking the vendor, or waiting for a successor.</param>
internal sealed record ReleasePlan(ImmutableArray<BucketRelease> Tasks, ImmutableArray<BucketResult> Done);

/// <summary>
/// Plans the release of buckets that a policy has owned and does not name any more, or of all its buckets when it is
/// being deleted. Where another policy claims a bucket, that one succeeds, and nothing is written to the vendor. Where
/// another policy is about to claim it, the release waits. Otherwise the policy's <c>deletionPolicy</c> applies.
/// </summary>
internal sealed class ReleasePlanner(
    BucketOwnership ownership,
    OriginalHandover originals,
    Stores stores,
    StoreKeys keys,
    TimeProvider time
)
{
    private const string Step = "Release";

    /// <summary>
    /// Longest wait for a policy that names the bucket and has not read it yet: its store or the vendor may be slow.
    /// </summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Time between two checks whether the successor has claimed the bucket. Its claim enqueues the policy at once.
    /// </summary>
    private static readonly TimeSpan CheckAgain = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Least time between the moment that a bucket is seen to be leaving and a write: the policy that shall have it may
    /// come with the next object of the same <c>kubectl apply</c>.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>
    /// By a policy's uid and a bucket: since when it is leaving. After a restart the time starts again, which costs
    /// time and loses nothing.
    /// </summary>
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, long>> _leaving = new(
        StringComparer.Ordinal
    );

    /// <summary>
    /// Rows of the buckets that are leaving: the policy has owned them, and must release them. A policy with a selector
    /// releases none: its <c>deletionPolicy</c> is Retain.
    /// </summary>
    public static IEnumerable<BucketStatus> Leaving(BucketEncryptionPolicy policy) =>
        (policy.Status?.Buckets ?? []).Where(b =>
            b.HeldTime is not null
            && policy.Spec.BucketSelector is null
            && (policy.Metadata.DeletionTimestamp is not null || !policy.Spec.Buckets.Any(s => s.Name == b.Name))
        );

    /// <summary>
    /// The end of a deleted policy whose status was lost. Nothing shows which of its buckets it owned, so none of them
    /// is written to.
    /// </summary>
    public static Findings AfterLostStatus(StoredPolicy policy) =>
        new([], Failure: null, Attempt: 0)
        {
            Releases = [.. policy.Spec.Buckets.Select(b => new BucketResult(b.Name, new Outcome.Released(Lost)))],
        };

    public async Task<ReleasePlan> PlanAsync(ReconcileContext context, CancellationToken cancellationToken)
    {
        var policy = context.Policy.Now;
        var tasks = ImmutableArray.CreateBuilder<BucketRelease>();
        var done = ImmutableArray.CreateBuilder<BucketResult>();
        done.AddRange(LeftElsewhere(context));
        var leaving = Leaving(policy).Where(r => IsAt(r, context.Partition)).ToList();
        Track(context.Policy.Uid, leaving);
        foreach (var row in leaving)
        {
            var id = new BucketId(context.Partition, row.Name);
            var memory = BucketMemory.Of(row, sameSpec: false);
            if (context.Policy.LeavesBucketsAlone)
                done.Add(new BucketResult(row.Name, new Outcome.Released()));
            else if (ownership.OwnerOf(id) is { } successor)
            {
                // Always another policy: this one has no claim on a bucket that it has to release
                var failure = await originals.HandOverAsync(policy, successor, id, memory.Original, cancellationToken);
                done.Add(new BucketResult(row.Name, new Outcome.Released(failure)));
            }
            else if (await WaitAsync(policy, id, cancellationToken) is { } waiting)
                done.Add(new BucketResult(row.Name, waiting));
            else if (TargetOf(context, memory.Original) is { } target)
                tasks.Add(new BucketRelease(context.Store.Place.Address(row.Name), id, target, memory));
            else
                done.Add(new BucketResult(row.Name, new Outcome.Released(Unavailable)));
        }
        return new ReleasePlan(tasks.ToImmutable(), done.ToImmutable());
    }

    /// <summary>The policy is gone, and waits for nobody.</summary>
    public void Forget(string uid) => _leaving.TryRemove(uid, out _);

    /// <summary>
    /// Buckets that the policy owned where its store led before. Nothing of the store leads there now, so each is left
    /// as it is: also one whose name the spec still has, for that is another bucket now.
    /// </summary>
    private static IEnumerable<BucketResult> LeftElsewhere(ReconcileContext context) =>
        (context.Policy.Now.Status?.Buckets ?? [])
            .Where(r => r.HeldTime is not null && !IsAt(r, context.Partition))
            .Select(r => new BucketResult(
                r.Name,
                new Outcome.Released(context.Policy.LeavesBucketsAlone ? null : Elsewhere(r.Partition ?? ""))
            ));

    private static bool IsAt(BucketStatus row, string partition) => (row.Partition ?? partition) == partition;

    /// <summary>Remembers since when buckets are leaving, and of no others.</summary>
    private void Track(string uid, List<BucketStatus> leaving)
    {
        if (leaving.Count == 0)
        {
            Forget(uid);
            return;
        }
        var since = _leaving.GetOrAdd(uid, _ => new ConcurrentDictionary<string, long>(StringComparer.Ordinal));
        var now = time.GetTimestamp();
        foreach (var row in leaving)
            since.TryAdd(row.Name, now);
        foreach (var bucket in since.Keys.Except(leaving.Select(r => r.Name), StringComparer.Ordinal))
            since.TryRemove(bucket, out _);
    }

    /// <returns>Null where no policy is about to claim the bucket, or the longest wait is over.</returns>
    private async Task<Outcome.Waiting?> WaitAsync(
        BucketEncryptionPolicy policy,
        BucketId bucket,
        CancellationToken cancellationToken
    )
    {
        var elapsed =
            _leaving.TryGetValue(policy.Metadata.Uid, out var leaving)
            && leaving.TryGetValue(bucket.Name, out var since)
                ? time.GetElapsedTime(since)
                : TimeSpan.Zero;
        if (elapsed < Grace)
            return new Outcome.Waiting(Observed: null, Awaiting, Grace - elapsed);
        var isAwaited = false;
        foreach (var newcomer in ownership.CandidatesFor(bucket, policy))
            isAwaited |= await CanClaimSoonAsync(newcomer, cancellationToken);
        if (!isAwaited)
            return null;
        var left = LongestWait - elapsed;
        return left > TimeSpan.Zero
            ? new Outcome.Waiting(Observed: null, Awaiting, left < CheckAgain ? left : CheckAgain)
            : null;
    }

    /// <summary>
    /// Returns whether the policy could claim a bucket soon. Keys whose read failed in passing may be readable a moment
    /// later; keys that the API server refuses are not waited for.
    /// </summary>
    private async Task<bool> CanClaimSoonAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value is { } store
        && PolicyReader.Read(policy, store).Value is not null
        && (await keys.GetAsync(store.Keys, cancellationToken)).Failure is null or { PassesByItself: true };

    /// <returns>Null where there is nothing on record to restore.</returns>
    private static Goal? TargetOf(ReconcileContext context, Original? original)
    {
        var allowsDowngrade = context.Terms.Goal.AllowDowngrade;
        if (context.Terms.Deletion == DeletionPolicy.Delete)
        {
            var none = new DesiredEncryption.None(context.Store.Place.Traits.AlwaysEncrypted);
            return new Goal.Declared(none, AtLeast: false, allowsDowngrade);
        }
        return original is Original.Recorded recorded ? new Goal.PutBack(recorded, allowsDowngrade) : null;
    }

    private static Failure Unavailable { get; } =
        new(Reasons.RestoreUnavailable, "Restore")
        {
            Message = "What the bucket had before this policy is not on record; it was left as it is.",
        };

    private static Failure Lost { get; } =
        new(Reasons.StatusLost, Step)
        {
            Message =
                "The policy's status was lost, and with it the record of the buckets that the policy owned: its "
                + "deletionPolicy was not carried out, and the bucket was left as it is.",
        };

    private static Failure Awaiting { get; } =
        new(Reasons.AwaitingSuccessor, Step)
        {
            Message =
                "Another policy may be about to take the bucket over as it is; if none has after two minutes at the "
                + "most, this policy's deletionPolicy applies.",
        };

    private static Failure Elsewhere(string partition) =>
        new(Reasons.BucketElsewhere, Step)
        {
            Message =
                $"The store led to {partition} when this policy wrote the bucket, and leads elsewhere now; the bucket "
                + "there was left as it is.",
        };
}
