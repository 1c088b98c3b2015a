using System.Collections.Concurrent;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>How a pass over a policy's buckets ended.</summary>
internal enum PassEnd
{
    /// <summary>Every bucket has its result.</summary>
    Complete,

    /// <summary>The rate limit let some buckets through and not all of them: the next pass goes on.</summary>
    RateLimited,

    /// <summary>Others waited for the worker: the next pass goes on.</summary>
    GaveWay,
}

/// <summary>
/// What unfinished passes have done. A pass ends early at the rate limit, and when other policies wait for its worker;
/// the next one goes on with the buckets that have no result yet, those first that were looked at longest ago. A bucket
/// that was looked at and not written yet is not looked at again: the write reads it anyway. So every bucket of a
/// policy has its turn.
/// <para>
/// Results and looks are kept for <see cref="KeptFor"/>, and only while the pass would be the same: spec, store, keys,
/// and what somebody asked for. Only results that need nothing more are kept, and nothing of a release. In memory only:
/// after a restart every bucket is looked at.
/// </para>
/// </summary>
internal sealed class PassProgress(TimeProvider time)
{
    /// <summary>How old a look may be that counts as one of this pass.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <summary>
    /// By uid. Only policies whose last pass was unfinished have one; no two passes of one policy run at a time.
    /// </summary>
    private readonly ConcurrentDictionary<string, Unfinished> _unfinished = new(StringComparer.Ordinal);

    /// <summary>What a bucket gets that the pass did not come to.</summary>
    public static Failure GaveWay { get; } =
        new(Reasons.NotReached, Planner.Step)
        {
            Message = "Other policies waited for a worker. The bucket's turn comes in a moment.",
            NotSent = true,
        };

    /// <summary>Policies with an unfinished pass.</summary>
    internal int Count => _unfinished.Count;

    /// <summary>The tasks that have no result yet, in the order in which they should be done.</summary>
    public IReadOnlyList<BucketTask> Remaining(PassBasis basis, IReadOnlyList<BucketTask> tasks)
    {
        if (!_unfinished.TryGetValue(basis.Policy.Metadata.Uid, out var unfinished))
            return tasks;
        if (unfinished.Of == StateOf(basis))
        {
            return
            [
                .. tasks
                    .Where(t => Kept(unfinished, t) is null)
                    .OrderBy(t => unfinished.Last.GetValueOrDefault(KeyOf(t), long.MinValue)),
            ];
        }
        _unfinished.TryRemove(basis.Policy.Metadata.Uid, out _);
        return tasks;
    }

    /// <summary>What an earlier pass has read of a bucket that it then had no time to write.</summary>
    public PostponedLook? LookOf(BucketEncryptionPolicy policy, BucketTask task) =>
        _unfinished.TryGetValue(policy.Metadata.Uid, out var unfinished)
        && unfinished.Looks.TryGetValue(KeyOf(task), out var look)
        && time.GetElapsedTime(look.ReadAt) <= KeptFor
            ? look
            : null;

    /// <summary>Takes in what a pass has done of the remaining tasks.</summary>
    /// <returns>A result for each task, and how the pass ended.</returns>
    public (IReadOnlyList<BucketResult> Results, PassEnd End) Complete(
        PassBasis basis,
        IReadOnlyList<BucketTask> tasks,
        IReadOnlyList<BucketTask> remaining,
        IReadOnlyList<BucketResult> results
    )
    {
        var uid = basis.Policy.Metadata.Uid;
        var unfinished = _unfinished.GetValueOrDefault(uid) ?? new Unfinished(StateOf(basis));
        var done = remaining.Zip(results).ToDictionary(p => KeyOf(p.First), p => p.Second);
        IReadOnlyList<BucketResult> all =
        [
            .. tasks.Select(t =>
                done.GetValueOrDefault(KeyOf(t))
                ?? Done(unfinished, t)?.Result
                ?? throw new InvalidOperationException("a task without a result")
            ),
        ];
        if (!results.Any(IsUnfinished))
        {
            foreach (var task in tasks)
                unfinished.Done.Remove(KeyOf(task));
            unfinished.Looks.Clear();
            unfinished.Last.Clear();
            if (unfinished.Done.Count == 0)
                _unfinished.TryRemove(uid, out _);
            return (all, PassEnd.Complete);
        }
        foreach (var (task, result) in remaining.Zip(results).Where(p => !p.First.IsRelease))
        {
            if (result.Postponed is { } look)
                unfinished.Looks[KeyOf(task)] = look;
            else if (!IsUnfinished(result))
                unfinished.Looks.Remove(KeyOf(task));
        }
        foreach (var (task, result) in remaining.Zip(results).Where(p => !IsUnfinished(p.Second)))
        {
            unfinished.Done.Remove(KeyOf(task)); // what an earlier look found does not hold any more
            unfinished.Last[KeyOf(task)] = time.GetTimestamp();
            if (!task.IsRelease && NeedsNothingMore(result))
                unfinished.Done[KeyOf(task)] = (result with { Applied = null }, time.GetTimestamp());
        }
        _unfinished[uid] = unfinished;
        return (all, EndOf(results));
    }

    /// <summary>The pass had no time, or no permits, for the bucket.</summary>
    public static bool IsUnfinished(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure: { NotSent: true } failure } && failure.Has(ReasonTraits.Unfinished);

    /// <summary>The policy is gone.</summary>
    public void Forget(string uid) => _unfinished.TryRemove(uid, out _);

    /// <summary>Where something else failed too, that says when to come back.</summary>
    private static PassEnd EndOf(IReadOnlyList<BucketResult> results)
    {
        if (results.Any(r => r.Outcome is Outcome.Failed { Failure.PassesByItself: true } && !IsUnfinished(r)))
            return PassEnd.Complete;
        if (
            results.Any(r =>
                r.Outcome is Outcome.Failed { Failure: var failure } && Reasons.NotReached.Is(failure.Code)
            )
        )
            return PassEnd.GaveWay;
        return results.Any(NeedsNothingMore) ? PassEnd.RateLimited : PassEnd.Complete;
    }

    /// <summary>Telling such a result twice changes nothing.</summary>
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
        unfinished.Done.TryGetValue(KeyOf(task), out var done) ? done : null;

    private static (BucketId Id, bool IsRelease) KeyOf(BucketTask task) => (task.Id, task.IsRelease);

    private static State StateOf(PassBasis basis)
    {
        var meta = basis.Policy.Metadata;
        return new State(meta.Generation, basis.Inputs, Schedule.AskedFor(basis.Policy), meta.DeletionTimestamp);
    }

    private readonly record struct State(
        long? Generation,
        string Inputs,
        string? AskedFor,
        DateTimeOffset? DeletionTimestamp
    );

    private sealed record Unfinished(State Of)
    {
        public Dictionary<(BucketId Id, bool IsRelease), (BucketResult Result, long At)> Done { get; } = [];

        public Dictionary<(BucketId Id, bool IsRelease), PostponedLook> Looks { get; } = [];

        /// <summary>
        /// Timestamp of the last work on each task, whatever its result: a bucket that always fails must not take
        /// every turn.
        /// </summary>
        public Dictionary<(BucketId Id, bool IsRelease), long> Last { get; } = [];
    }
}
