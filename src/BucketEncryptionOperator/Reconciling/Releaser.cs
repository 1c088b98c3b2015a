using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Buckets that a policy has owned and names no more, or all of them when it is being deleted. Where another policy
/// claims one, that one succeeds, and nothing is written to the vendor. Where another one is about to claim it, that is
/// waited for. Else the policy's own word decides what becomes of the bucket.
/// </summary>
internal sealed class Releaser(
    BucketOwnership ownership,
    WriteAheadRecorder keeper,
    Stores stores,
    StoreKeys keys,
    TimeProvider time
)
{
    private const string Step = "Release";

    /// <summary>
    /// Longest wait for a policy that names the bucket and has not read it yet: its store or the vendor may be slow.
    /// </summary>
    private static readonly TimeSpan LongestAwaited = TimeSpan.FromMinutes(2);

    /// <summary>Between two looks at whether the successor has come. Its claim wakes the policy at once.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Least time between the moment that a bucket is seen to be leaving and a write: the policy that shall have it may
    /// come with the next object of the same <c>kubectl apply</c>.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>
    /// By a policy's uid and a bucket: since when it is leaving. A restart begins anew, which costs time and loses
    /// nothing.
    /// </summary>
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, long>> _leaving = new(
        StringComparer.Ordinal
    );

    /// <summary>Rows of buckets that must be released.</summary>
    public static IEnumerable<BucketStatus> Leaving(BucketEncryptionPolicy policy) =>
        (policy.Status?.Buckets ?? []).Where(b =>
            b.HeldTime is not null
            && (policy.Metadata.DeletionTimestamp is not null || !policy.Spec.Buckets.Any(s => s.Name == b.Name))
        );

    /// <summary>
    /// The end of a deleted policy whose status was lost. Nothing tells which of its buckets it owned, so none of them
    /// is written to.
    /// </summary>
    public static ImmutableArray<BucketResult> OfLostStatus(BucketEncryptionPolicy policy) =>
        [.. policy.Spec.Buckets.Select(b => new BucketResult(b.Name, new Outcome.Released(Lost)))];

    /// <summary>A policy that is gone waits for nobody.</summary>
    public void Forget(string uid) => _leaving.TryRemove(uid, out _);

    /// <returns>What must be asked of the vendor, and what is done without it.</returns>
    public async Task<(ImmutableArray<BucketTask> Tasks, ImmutableArray<BucketResult> Done)> PlanAsync(
        BucketEncryptionPolicy policy,
        PolicyTerms terms,
        Store store,
        CancellationToken cancellationToken
    )
    {
        var tasks = ImmutableArray.CreateBuilder<BucketTask>();
        var done = ImmutableArray.CreateBuilder<BucketResult>();
        done.AddRange(LeftElsewhere(policy, store.Place.Partition));
        var leaving = Leaving(policy).Where(r => IsAt(r, store.Place.Partition)).ToList();
        Track(policy, leaving);
        foreach (var row in leaving)
        {
            var (id, memory) = (new BucketId(store.Place.Partition, row.Name), BucketMemory.Of(row, sameSpec: false));
            if (PolicyReader.LeavesBucketsAlone(policy))
                done.Add(new BucketResult(row.Name, new Outcome.Released()));
            else if (ownership.OwnerOf(id) is { } successor)
            {
                var failure = await PassOnAsync(policy, successor, id, memory.Original, cancellationToken);
                done.Add(new BucketResult(row.Name, new Outcome.Released(failure)));
            }
            else if (await AwaitedAsync(policy, id, cancellationToken) is { } waiting)
                done.Add(new BucketResult(row.Name, waiting));
            else if (GoalOf(terms, store.Place, memory.Original) is { } goal)
                tasks.Add(new BucketTask(store.Place.Address(row.Name), id, goal, memory, IsRelease: true));
            else
                done.Add(new BucketResult(row.Name, new Outcome.Released(Unavailable)));
        }
        return (tasks.ToImmutable(), done.ToImmutable());
    }

    /// <summary>
    /// Buckets that the policy owned where its store led before. Nothing of the store leads there now, so each is left
    /// as it is: also one whose name the spec still has, for that is another bucket now.
    /// </summary>
    private static IEnumerable<BucketResult> LeftElsewhere(BucketEncryptionPolicy policy, string partition) =>
        (policy.Status?.Buckets ?? [])
            .Where(r => r.HeldTime is not null && !IsAt(r, partition))
            .Select(r => new BucketResult(
                r.Name,
                new Outcome.Released(PolicyReader.LeavesBucketsAlone(policy) ? null : Elsewhere(r.Partition ?? ""))
            ));

    private static bool IsAt(BucketStatus row, string partition) => (row.Partition ?? partition) == partition;

    /// <returns>Why the bucket does not get back what it had, where it should have; null otherwise.</returns>
    private async Task<Failure?> PassOnAsync(
        BucketEncryptionPolicy policy,
        BucketEncryptionPolicy successor,
        BucketId bucket,
        Original? original,
        CancellationToken cancellationToken
    )
    {
        if (original is not Original.Recorded recorded)
            return null;
        if (!keeper.MayPassOn(policy, successor))
            return NotPassedOn;
        await keeper.PassOnAsync(successor, bucket, recorded, cancellationToken);
        return null;
    }

    /// <summary>Remembers since when buckets are leaving, and of no others.</summary>
    private void Track(BucketEncryptionPolicy policy, List<BucketStatus> leaving)
    {
        if (leaving.Count == 0)
        {
            Forget(policy.Metadata.Uid);
            return;
        }
        var since = _leaving.GetOrAdd(
            policy.Metadata.Uid,
            _ => new ConcurrentDictionary<string, long>(StringComparer.Ordinal)
        );
        var now = time.GetTimestamp();
        foreach (var row in leaving)
            since.TryAdd(row.Name, now);
        foreach (var bucket in since.Keys.Except(leaving.Select(r => r.Name), StringComparer.Ordinal))
            since.TryRemove(bucket, out _);
    }

    private async Task<Outcome.Waiting?> AwaitedAsync(
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
        foreach (var newcomer in ownership.NewcomersTo(bucket, policy))
            isAwaited |= await ResolvesAsync(newcomer, cancellationToken);
        if (!isAwaited)
            return null;
        var left = LongestAwaited - elapsed;
        return left > TimeSpan.Zero
            ? new Outcome.Waiting(Observed: null, Awaiting, left < AskAgain ? left : AskAgain)
            : null;
    }

    /// <summary>
    /// Returns whether the policy could claim a bucket soon. Keys whose read failed in passing may be readable a moment
    /// later; keys that the API server refuses are not waited for.
    /// </summary>
    private async Task<bool> ResolvesAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken) =>
        stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value is { } store
        && PolicyReader.Read(policy, store.Place).Value is not null
        && (await keys.GetAsync(store.Keys, cancellationToken)).Failure is null or { PassesByItself: true };

    private static Goal? GoalOf(PolicyTerms terms, StorePlace place, Original? original) =>
        terms.Deletion switch
        {
            DeletionPolicy.Delete => new Goal.Declared(
                new DesiredEncryption.None(place.Traits.AlwaysEncrypted),
                AtLeast: false,
                terms.Goal.AllowDowngrade
            ),
            _ => original is Original.Recorded recorded ? new Goal.PutBack(recorded, terms.Goal.AllowDowngrade) : null,
        };

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

    private static Failure NotPassedOn { get; } =
        new(Reasons.RestoreUnavailable, "Restore")
        {
            Message =
                "A policy of another namespace, or of another vendor's store, owns the bucket now; it was left as it "
                + "is, and what it had before was not passed on.",
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
