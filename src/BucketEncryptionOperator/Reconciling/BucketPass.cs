using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="BucketConcurrency">Maximum number of buckets of one policy that are worked on at a time.</param>
/// <param name="ReadOnly">No vendor is written to, whatever policies say.</param>
internal sealed record PassOptions(int BucketConcurrency, bool ReadOnly = false)
{
    /// <summary>Whether a policy has had its worker for long enough, and others wait for it.</summary>
    public Func<NamespacedName, bool> ShouldYield { get; init; } = _ => false;
}

/// <summary>What a pass came to.</summary>
/// <param name="Results">One result per task, in the order of the tasks.</param>
/// <param name="End">Whether the next pass should continue this one.</param>
internal sealed record PassResult(IReadOnlyList<BucketResult> Results, PassEnd End);

/// <summary>
/// One round of work on all buckets of a policy, in four steps: observe, plan, record, apply. The steps follow one
/// another for the policy as a whole, and each works on its buckets in parallel. A pass that ends before it has come to
/// all buckets is continued by the next one (<see cref="PassProgress"/>).
/// </summary>
internal sealed class BucketPass(
    BucketObserver observer,
    KeyChecks keys,
    BucketPlanner planner,
    WriteAheadRecorder recorder,
    WriteGate gate,
    PassProgress progress,
    PassOptions options
)
{
    /// <summary>Until the next attempt for a bucket that waits until others are released.</summary>
    private static readonly TimeSpan ReleasePause = TimeSpan.FromMinutes(1);

    public async Task<PassResult> RunAsync(
        ReconcileContext context,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        CancellationToken cancellationToken
    )
    {
        var pass = progress.Begin(context, session, tasks);

        var observations = await ObserveAsync(context, session, pass.Remaining, cancellationToken);
        var dead = await keys.FindDeadAsync(context, observations, cancellationToken);
        var decisions = LimitedToTime(context, Decide(context, session.Api, observations, dead));
        using var record = recorder.Open(context, session.Api, pass.All);
        var refused = await RecordAsync(record, decisions, cancellationToken);
        var results = await ApplyAsync(new WriteScope(context, session, record), decisions, refused, cancellationToken);

        return progress.Complete(pass, results);
    }

    /// <summary>
    /// Reads the buckets. What an earlier pass has read counts if it still asks for a write, for the write reads the
    /// bucket again. If there is nothing of that kind, or its write may wait for reads of all others, the pass reads at
    /// least one bucket.
    /// </summary>
    private async Task<IReadOnlyList<BucketObservation>> ObserveAsync(
        ReconcileContext context,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        CancellationToken cancellationToken
    )
    {
        var earlier = tasks.Select(t => EarlierOf(context, session.Api, t)).ToArray();
        var writesWait = tasks is [BucketEnforcement { Selected.MaxWrites: not null }, ..];
        var least = !writesWait && earlier.Any(o => o is not null) ? 0 : 1; // read even if others wait for the worker
        var observations = new BucketObservation[tasks.Count];
        await EachAsync(
            tasks.Count,
            async (i, token) =>
            {
                if (earlier[i] is { } seen)
                    observations[i] = seen;
                else if (Interlocked.Decrement(ref least) < 0 && ShouldYield(context))
                    observations[i] = new BucketObservation.Unseen(tasks[i], PassProgress.NotReachedFailure);
                else
                    observations[i] = await observer.ObserveAsync(session, tasks[i], token);
            },
            cancellationToken
        );
        return observations;
    }

    /// <summary>What an earlier pass has read and had no time to write; null where it does not count.</summary>
    private BucketObservation.Seen? EarlierOf(ReconcileContext context, IBucketEncryptionApi api, BucketTask task)
    {
        if (progress.PostponedOf(context.Policy, task) is not { } postponed)
            return null;
        var seen = observer.Plan(api, task, postponed.Observed, postponed.ReadAt);
        return seen.Plan is Plan.Write && planner.IsOwner(context.Policy, task) ? seen : null;
    }

    /// <summary>
    /// Decides for each bucket. A selector's writes are limited: more than its <c>maxWrites</c> need a confirmation,
    /// and while it is not known how many there are, because buckets or their tags are still to be read, they wait.
    /// </summary>
    private BucketDecision[] Decide(
        ReconcileContext context,
        IBucketEncryptionApi api,
        IReadOnlyList<BucketObservation> observations,
        DeadKeys dead
    )
    {
        var decisions = observations.Select(o => planner.Decide(context, api, o, dead)).ToArray();
        if (observations is not [{ Task: BucketEnforcement { Selected: { MaxWrites: { } most } selected } }, ..])
            return decisions;
        // A bucket that was just written waits for a read that shows it: whether it needs another write is not known.
        var waiting = decisions.Count(d => d is BucketDecision.Done { Result.Outcome: Outcome.Waiting });
        var (writes, unknown) = (decisions.Count(IsWrite), selected.Undecided + waiting);
        foreach (var unseen in observations.OfType<BucketObservation.Unseen>())
        {
            if (!unseen.Failure.Has(ReasonTraits.Unfinished))
                continue;
            switch (progress.EarlierWorkOn(context.Policy, unseen.Task))
            {
                case EarlierWork.None:
                    unknown++;
                    break;
                case EarlierWork.FoundWrite:
                    writes++;
                    break;
            }
        }
        if (writes + unknown <= most)
            return decisions;
        var refusal = TooManyWrites(writes, most, context.Policy.Now.Metadata.Generation);
        for (var i = 0; i < decisions.Length; i++)
        {
            if (decisions[i] is BucketDecision.Act { Observation: { Plan: Plan.Write } seen })
                decisions[i] = new BucketDecision.Done(
                    writes > most ? WithPostponed(Refused(seen, api, refusal), seen) : Postponed(seen)
                );
        }
        return decisions;
    }

    private static BucketResult Refused(BucketObservation.Seen seen, IBucketEncryptionApi api, Failure why) =>
        seen.Task.WithOpenClaim(new BucketResult(seen.Task.Bucket, BucketPlanner.Planned(seen, api, why)));

    private static bool IsWrite(BucketDecision decision) =>
        decision is BucketDecision.Act { Observation.Plan: Plan.Write };

    /// <summary>Why none of a selector's writes is made.</summary>
    public static Failure TooManyWrites(int writes, int most, long? generation) =>
        new(Reasons.TooManyWrites, Planner.Step)
        {
            Message =
                $"This pass would write {writes} buckets, and spec.bucketSelector.maxWrites allows {most} without a "
                + "confirmation. Nothing was written.",
            Hint =
                $"If that is right, set the annotation {RequestAnnotations.ConfirmedWrites} to \"{generation}\", the "
                + "generation of this policy.",
        };

    /// <summary>
    /// Where others wait for the worker, only a few writes stay in the pass: the rest is postponed before it is
    /// recorded.
    /// </summary>
    private BucketDecision[] LimitedToTime(ReconcileContext context, BucketDecision[] decisions)
    {
        if (!ShouldYield(context))
            return decisions;
        var least = options.BucketConcurrency; // stay in the pass even if others wait for the worker
        for (var i = 0; i < decisions.Length; i++)
        {
            if (decisions[i] is BucketDecision.Act { Observation: { Plan: Plan.Write } seen } && least-- <= 0)
                decisions[i] = new BucketDecision.Done(Postponed(seen));
        }
        return decisions;
    }

    /// <returns>Buckets that may not be written, with the reason.</returns>
    private async Task<ImmutableDictionary<string, Failure>> RecordAsync(
        WriteAheadRecord record,
        BucketDecision[] decisions,
        CancellationToken cancellationToken
    ) =>
        options.ReadOnly
            ? ImmutableDictionary<string, Failure>.Empty
            : await record.BeginAsync(
                [.. decisions.OfType<BucketDecision.Act>().Select(d => d.Observation)],
                cancellationToken
            );

    /// <summary>
    /// Writes what is to be written. A few writes do not yield to other policies, so that each pass makes progress.
    /// </summary>
    private async Task<IReadOnlyList<BucketResult>> ApplyAsync(
        WriteScope scope,
        BucketDecision[] decisions,
        ImmutableDictionary<string, Failure> refused,
        CancellationToken cancellationToken
    )
    {
        var context = scope.Context;
        var least = options.BucketConcurrency; // written even if others wait for the worker
        var results = new BucketResult[decisions.Length];
        await EachAsync(
            results.Length,
            async (i, token) =>
            {
                results[i] = decisions[i] switch
                {
                    BucketDecision.Done done => done.Result,
                    BucketDecision.Act { Observation: var seen }
                        when refused.TryGetValue(seen.Task.Bucket, out var why) => Refused(seen, why),
                    BucketDecision.Act { Observation: { Plan: Plan.Write } seen }
                        when Interlocked.Decrement(ref least) < 0 && ShouldYield(context) => Postponed(seen) with
                    {
                        WasRefused = true,
                    }, // it is on record, and was not sent
                    BucketDecision.Act act => await ApplyAsync(scope, act.Observation, token),
                    var other => throw new InvalidOperationException(other.GetType().Name),
                };
                if (results[i].Applied is not null)
                    context.Applied.Enqueue(results[i]);
            },
            cancellationToken
        );
        return results;
    }

    private async Task<BucketResult> ApplyAsync(
        WriteScope scope,
        BucketObservation.Seen seen,
        CancellationToken cancellationToken
    )
    {
        var task = seen.Task;
        var result =
            seen.Plan is Plan.Write
                ? await gate.ApplyAsync(scope, seen, cancellationToken)
                : new BucketResult(task.Bucket, seen.WithoutWrite);
        result = task.WithOpenClaim(result) with { Owns = task is BucketEnforcement { Selected: null } };
        if (result is { WasUnread: true, Outcome: Outcome.Failed { Failure: var failure } })
            result = result with { Claim = planner.Unseen(scope.Context, task, failure).Claim };
        return PassProgress.IsUnfinished(result) ? WithPostponed(result, seen) : result;
    }

    /// <summary>The result of a bucket that must wait for the next pass, for others wait for the worker.</summary>
    private static BucketResult Postponed(BucketObservation.Seen seen)
    {
        var outcome = new Outcome.Failed(PassProgress.NotReachedFailure, seen.Observed.Encryption);
        return WithPostponed(seen.Task.WithOpenClaim(new BucketResult(seen.Task.Bucket, outcome)), seen);
    }

    private static BucketResult WithPostponed(BucketResult result, BucketObservation.Seen seen) =>
        result with
        {
            Postponed = new PostponedObservation(seen.Observed, seen.ReadAt),
        };

    /// <summary>The result of a bucket that could not be put on record.</summary>
    private static BucketResult Refused(BucketObservation.Seen seen, Failure why)
    {
        var isWaiting = Reasons.AwaitingRelease.Is(why.Code);
        Outcome outcome = (isWaiting, seen.Plan) switch
        {
            (false, _) => new Outcome.Failed(why, seen.Observed.Encryption),
            (true, Plan.Write) => new Outcome.Waiting(seen.Observed.Encryption, why, ReleasePause),
            _ => seen.WithoutWrite,
        };
        return new BucketResult(seen.Task.Bucket, outcome)
        {
            Claim = Claim.Open,
            Owns = !isWaiting && seen.Task is not BucketEnforcement { Selected: not null },
        };
    }

    private bool ShouldYield(ReconcileContext context) => options.ShouldYield(context.Policy.Key);

    /// <summary>Most policies have one bucket: it needs no parallel loop, which costs two hops of threads.</summary>
    private Task EachAsync(
        int count,
        Func<int, CancellationToken, ValueTask> work,
        CancellationToken cancellationToken
    ) =>
        count == 1
            ? work(0, cancellationToken).AsTask()
            : Parallel.ForAsync(
                0,
                count,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = options.BucketConcurrency,
                    CancellationToken = cancellationToken,
                    TaskScheduler = TaskScheduler.Current, // the scheduler of the pass schedules its buckets too
                },
                work
            );
}
