using System.Collections.Concurrent;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>How a pass over a policy's buckets ended.</summary>
internal enum PassEnd
{
    /// <summary>Every bucket has its result.</summary>
    Complete,

    /// <summary>The rate limit let some buckets through and not all of them: the next pass continues.</summary>
    RateLimited,

    /// <summary>Other policies waited for the worker: the next pass continues.</summary>
    Yielded,
}

/// <summary>What earlier parts of an unfinished pass have done about a bucket.</summary>
internal enum EarlierWork
{
    None,

    /// <summary>It was read, and needs a write that was not made.</summary>
    FoundWrite,

    Done,
}

/// <summary>
/// The versions of all that a pass works from. While they are the same, the next pass continues the last one.
/// </summary>
internal readonly record struct PassState(
    long? Generation,
    string Inputs,
    string? RequestedAt,
    bool IsConfirmed,
    DateTimeOffset? DeletionTimestamp
)
{
    public static PassState Of(StoredPolicy policy, VendorSession session)
    {
        var meta = policy.Now.Metadata;
        return new(
            meta.Generation,
            session.Inputs,
            Schedule.RequestedAtOf(policy.Now),
            SelectedTasks.IsConfirmed(policy.Now),
            meta.DeletionTimestamp
        );
    }
}

/// <param name="All">The tasks of the policy.</param>
/// <param name="Remaining">Those that have no result yet, in the order in which they should be done.</param>
internal sealed record PassTasks(
    string Uid,
    PassState State,
    IReadOnlyList<BucketTask> All,
    IReadOnlyList<BucketTask> Remaining
);

/// <summary>
/// Remembers what unfinished passes have done. A pass ends early at the rate limit, and when other policies wait for
/// its worker. The next one continues with the buckets that have no result yet, those first that were worked on longest
/// ago. A bucket that was read and not written yet is not read again: the write reads it anyway. So every bucket of a
/// policy is worked on, at any rate.
/// <para>
/// Results and reads are kept for <see cref="KeptFor"/>, and only while the pass would be the same: spec, store, keys,
/// and the requested reconcile. Only results that need nothing more are kept, and nothing of a release. They are kept
/// in memory only: after a restart every bucket is read.
/// </para>
/// </summary>
internal sealed class PassProgress(TimeProvider time)
{
    /// <summary>Maximum age of a result or read that counts as one of this pass.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <summary>
    /// By uid. Only policies whose last pass was unfinished have one; no two passes of one policy run at a time.
    /// </summary>
    private readonly ConcurrentDictionary<string, Unfinished> _unfinished = new(StringComparer.Ordinal);

    /// <summary>The failure of a bucket that the pass did not come to.</summary>
    public static Failure NotReachedFailure { get; } =
        new(Reasons.NotReached, Planner.Step)
        {
            Message = "Other policies waited for a worker. The bucket's turn comes in a moment.",
            NotSent = true,
        };

    /// <summary>Number of policies with an unfinished pass.</summary>
    internal int Count => _unfinished.Count;

    /// <summary>Begins a pass, or continues the last one, with the tasks that have no result yet.</summary>
    public PassTasks Begin(ReconcileContext context, VendorSession session, IReadOnlyList<BucketTask> tasks)
    {
        var uid = context.Policy.Uid;
        var state = PassState.Of(context.Policy, session);
        if (!_unfinished.TryGetValue(uid, out var unfinished))
            return new PassTasks(uid, state, tasks, tasks);
        if (unfinished.State != state)
        {
            _unfinished.TryRemove(uid, out _);
            return new PassTasks(uid, state, tasks, tasks);
        }
        var remaining = tasks
            .Where(t => Kept(unfinished, t) is null)
            .OrderBy(t => unfinished.Last.GetValueOrDefault(t.Id, long.MinValue))
            .ToList();
        return new PassTasks(uid, state, tasks, remaining);
    }

    /// <summary>What an earlier pass has read of a bucket that it then had no time to write.</summary>
    public PostponedObservation? PostponedOf(StoredPolicy policy, BucketTask task) =>
        _unfinished.TryGetValue(policy.Uid, out var unfinished)
        && unfinished.Reads.TryGetValue(task.Id, out var read)
        && time.GetElapsedTime(read.ReadAt) <= KeptFor
            ? read
            : null;

    /// <summary>What earlier parts of an unfinished pass have done about a bucket, however long ago.</summary>
    public EarlierWork EarlierWorkOn(StoredPolicy policy, BucketTask task) =>
        !_unfinished.TryGetValue(policy.Uid, out var unfinished) ? EarlierWork.None
        : unfinished.Reads.ContainsKey(task.Id) ? EarlierWork.FoundWrite
        : unfinished.Last.ContainsKey(task.Id) ? EarlierWork.Done
        : EarlierWork.None;

    /// <summary>Takes in what a pass has done of the remaining tasks.</summary>
    /// <returns>A result for each task, and how the pass ended.</returns>
    public PassResult Complete(PassTasks pass, IReadOnlyList<BucketResult> results)
    {
        var (uid, _, tasks, remaining) = pass;
        // No check of the age of a result here: one that Begin has counted stays one of this pass.
        var unfinished = _unfinished.GetValueOrDefault(uid) ?? new Unfinished(pass.State);
        var done = remaining.Zip(results).ToDictionary(p => p.First.Id, p => p.Second);
        IReadOnlyList<BucketResult> all =
        [
            .. tasks.Select(t =>
                done.GetValueOrDefault(t.Id)
                ?? Done(unfinished, t)?.Result
                ?? throw new InvalidOperationException("a task without a result")
            ),
        ];
        if (!results.Any(IsUnfinished))
        {
            foreach (var task in tasks)
                unfinished.Done.Remove(task.Id);
            unfinished.Reads.Clear();
            unfinished.Last.Clear();
            if (unfinished.Done.Count == 0)
                _unfinished.TryRemove(uid, out _);
            return new PassResult(all, PassEnd.Complete);
        }
        foreach (var (task, result) in remaining.Zip(results).Where(p => p.First is BucketEnforcement))
        {
            if (result.Postponed is { } read)
            {
                unfinished.Reads[task.Id] = read;
                // Its write waits for reads of all others: they come first.
                if (task is BucketEnforcement { Selected.MaxWrites: not null })
                    unfinished.Last[task.Id] = time.GetTimestamp();
            }
            else if (!IsUnfinished(result))
                unfinished.Reads.Remove(task.Id);
        }
        foreach (var (task, result) in remaining.Zip(results).Where(p => !IsUnfinished(p.Second)))
        {
            unfinished.Done.Remove(task.Id); // what an earlier pass found does not hold any more
            unfinished.Last[task.Id] = time.GetTimestamp();
            // One that was read and may not be written yet still counts among the writes of the pass.
            if (task is BucketEnforcement && result.Postponed is null && NeedsNothingMore(result))
                unfinished.Done[task.Id] = (result with { Applied = null }, time.GetTimestamp());
        }
        _unfinished[uid] = unfinished;
        return new PassResult(all, EndOf(results));
    }

    /// <summary>The pass had no time, or no permits, for the bucket.</summary>
    public static bool IsUnfinished(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure: { NotSent: true } failure } && failure.Has(ReasonTraits.Unfinished);

    /// <summary>The policy is gone.</summary>
    public void Forget(string uid) => _unfinished.TryRemove(uid, out _);

    /// <summary>Where something else failed too, that decides when to reconcile again.</summary>
    private static PassEnd EndOf(IReadOnlyList<BucketResult> results)
    {
        if (results.Any(r => r.Outcome is Outcome.Failed { Failure.PassesByItself: true } && !IsUnfinished(r)))
            return PassEnd.Complete;
        // Without permits the next pass must not follow at once: writes may wait for reads that have none
        if (results.Any(r => Is(r, Reasons.RateLimited)))
            return results.Any(r => NeedsNothingMore(r) || Is(r, Reasons.NotReached))
                ? PassEnd.RateLimited
                : PassEnd.Complete;
        return results.Any(r => Is(r, Reasons.NotReached)) ? PassEnd.Yielded
            : results.Any(NeedsNothingMore) ? PassEnd.RateLimited
            : PassEnd.Complete;

        static bool Is(BucketResult result, Reason reason) =>
            result.Outcome is Outcome.Failed { Failure: var failure } && reason.Is(failure.Code);
    }

    /// <summary>Reporting such a result twice changes nothing.</summary>
    private static bool NeedsNothingMore(BucketResult result)
    {
        if (result.WasRefused || result.WasDenied)
            return false;
        return result.Outcome switch
        {
            Outcome.InSync or Outcome.Planned => true,
            Outcome.Yielded yielded => yielded.Why is not { PassesByItself: true },
            Outcome.Failed { Failure: { ConcernsCredentials: false } failure } => !failure.PassesByItself
                && failure.Kind != FailureKind.Bug,
            _ => false,
        };
    }

    private BucketResult? Kept(Unfinished unfinished, BucketTask task) =>
        Done(unfinished, task) is { } done && time.GetElapsedTime(done.At) <= KeptFor ? done.Result : null;

    private static (BucketResult Result, long At)? Done(Unfinished unfinished, BucketTask task) =>
        unfinished.Done.TryGetValue(task.Id, out var done) ? done : null;

    /// <summary>
    /// By bucket: while the state is the same, a bucket is either enforced or released, for what the spec names and
    /// whether the policy is being deleted are parts of the state.
    /// </summary>
    private sealed record Unfinished(PassState State)
    {
        public Dictionary<BucketId, (BucketResult Result, long At)> Done { get; } = [];

        public Dictionary<BucketId, PostponedObservation> Reads { get; } = [];

        /// <summary>
        /// Timestamp of the last work on each task, whatever its result: a bucket that always fails must not keep
        /// others from being worked on.
        /// </summary>
        public Dictionary<BucketId, long> Last { get; } = [];
    }
}
