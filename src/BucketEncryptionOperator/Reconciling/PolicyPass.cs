using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="BucketConcurrency">Buckets of one policy that are worked on at a time.</param>
/// <param name="ReadOnly">No vendor is written to, whatever policies say.</param>
internal sealed record PassOptions(int BucketConcurrency, bool ReadOnly = false)
{
    /// <summary>Whether a policy has had its worker for long enough, and others wait for it.</summary>
    public Func<NamespacedName, bool> ShouldYield { get; init; } = _ => false;
}

/// <summary>
/// All buckets of a policy, in three steps: look at each and decide; put on record what must not be forgotten; apply
/// what is to be written, through the <see cref="WriteGate"/>. The steps are one after the other for the policy, and
/// each goes over its buckets in parallel. A pass that ends before it has come to all buckets is gone on with by the
/// next one (<see cref="PassProgress"/>).
/// </summary>
internal sealed class PolicyPass(
    BucketReconciler buckets,
    BucketOwnership ownership,
    WriteAheadRecorder keeper,
    WriteGate gate,
    WriteChecks checks,
    PassProgress progress,
    PassOptions options
)
{
    /// <summary>Until the next try of a bucket that has to wait for others to be released.</summary>
    private static readonly TimeSpan ReleasePause = TimeSpan.FromMinutes(1);

    /// <param name="tasks">Buckets of the spec, and such as are to be released.</param>
    /// <param name="applied">
    /// Takes what was written, as it is written: it must be reported even if the pass does not come to its end.
    /// </param>
    /// <returns>
    /// The policy as it is stored now, a result for each task, and whether the next pass should go on.
    /// </returns>
    public async Task<(BucketEncryptionPolicy Policy, IReadOnlyList<BucketResult> Results, PassEnd End)> RunAsync(
        PassBasis basis,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        ConcurrentQueue<BucketResult> applied,
        CancellationToken cancellationToken
    )
    {
        var remaining = progress.Remaining(basis, tasks);
        var (policy, results) = await RunRemainingAsync(basis, session, remaining, applied, cancellationToken);
        var (all, end) = progress.Complete(basis, tasks, remaining, results);
        return (policy, all, end);
    }

    /// <summary>The policy is gone.</summary>
    public void Forget(string uid) => progress.Forget(uid);

    private async Task<(BucketEncryptionPolicy Policy, IReadOnlyList<BucketResult> Results)> RunRemainingAsync(
        PassBasis basis,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        ConcurrentQueue<BucketResult> applied,
        CancellationToken cancellationToken
    )
    {
        var looks = await LookAsync(basis, session, tasks, cancellationToken);
        var decided = looks.Select(l => Settle(basis, session.Api, l)).ToArray();
        if (MustYield())
            Postpone(decided, but: options.BucketConcurrency);
        using var record = keeper.Open(basis);
        var refused = options.ReadOnly
            ? ImmutableDictionary<string, Failure>.Empty
            : await record.BeginAsync(
                session.Api,
                [.. decided.OfType<Decided.Ours>().Select(d => d.Look)],
                cancellationToken
            );
        var free = options.BucketConcurrency; // this number of writes does not yield: each pass makes progress

        var results = new BucketResult[tasks.Count];
        await EachAsync(
            results.Length,
            async (i, token) =>
            {
                results[i] = decided[i] switch
                {
                    Decided.Done done => done.Result,
                    Decided.Ours ours when refused.TryGetValue(ours.Look.Task.Bucket, out var failure) => Refused(
                        ours.Look,
                        failure
                    ),
                    Decided.Ours { Look: { Plan: Plan.Write } look }
                        when Interlocked.Decrement(ref free) < 0 && MustYield() => Postponed(look) with
                    {
                        WasRefused = true,
                    }, // it is on record, and was not sent
                    Decided.Ours ours => await ActAsync(record, basis, session, ours.Look, token),
                    _ => throw new InvalidOperationException(decided[i].GetType().Name),
                };
                if (results[i].Applied is not null)
                    applied.Enqueue(results[i]);
            },
            cancellationToken
        );
        return (record.Policy, results);

        bool MustYield() => options.ShouldYield(basis.Policy.Metadata.Key);
    }

    /// <summary>
    /// Reads the buckets. What an earlier pass has read counts if it still asks for a write, for the write reads the
    /// bucket again. If there is nothing of that kind, the pass reads at least one bucket.
    /// </summary>
    private async Task<BucketObservation[]> LookAsync(
        PassBasis basis,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        CancellationToken cancellationToken
    )
    {
        var looks = tasks.Select(BucketObservation? (t) => Postponed(basis, session.Api, t)).ToArray();
        var free = looks.Any(l => l is not null) ? 0 : 1;
        await EachAsync(
            looks.Length,
            async (i, token) =>
                looks[i] ??=
                    Interlocked.Decrement(ref free) < 0 && options.ShouldYield(basis.Policy.Metadata.Key)
                        ? new BucketObservation.Unseen(tasks[i], PassProgress.GaveWay)
                        : await buckets.ObserveAsync(session, tasks[i], token),
            cancellationToken
        );
        return looks!;
    }

    private BucketObservation.Seen? Postponed(PassBasis basis, IBucketEncryptionApi api, BucketTask task)
    {
        if (progress.LookOf(basis.Policy, task) is not { } look)
            return null;
        var seen = buckets.Judge(api, task, look.Observed, look.ReadAt);
        var isOwner =
            task.Goal is not Goal.Declared goal
            || ownership.StandingOf(basis.Policy, task.Id, goal) is BucketStanding.Owner;
        return seen.Plan is Plan.Write && isOwner ? seen : null;
    }

    /// <summary>Takes writes out of the pass before they are put on record.</summary>
    private static void Postpone(Decided[] decided, int but)
    {
        for (var i = 0; i < decided.Length; i++)
        {
            if (decided[i] is Decided.Ours { Look: { Plan: Plan.Write } look } && but-- <= 0)
                decided[i] = new Decided.Done(Postponed(look));
        }
    }

    /// <summary>Whose the bucket is, and what follows from it without a write.</summary>
    private Decided Settle(PassBasis basis, IBucketEncryptionApi api, BucketObservation look)
    {
        var (policy, task) = (basis.Policy, look.Task);
        if (look is not BucketObservation.Seen seen)
            return new Decided.Done(Unseen(policy, task, ((BucketObservation.Unseen)look).Failure));
        if (basis.Terms.Mode == PolicyMode.Audit)
            return new Decided.Done(new BucketResult(task.Bucket, Report(seen, api, why: null)));
        if (!task.IsRelease)
        {
            ownership.Found(policy, task.Id, Claim.Open);
            var goal = (Goal.Declared)task.Goal;
            switch (ownership.StandingOf(policy, task.Id, goal))
            {
                case BucketStanding.Yields yields:
                    return new Decided.Done(
                        new BucketResult(task.Bucket, Yield(policy, goal, seen, yields)) { Claim = Claim.Open }
                    );
                case BucketStanding.StandIn standIn:
                    seen = buckets.Judge(
                        api,
                        task with
                        {
                            Goal = goal with { Consent = goal.Consent && standIn.For.Spec.AllowDowngrade == true },
                        },
                        seen.Observed,
                        seen.ReadAt
                    );
                    break;
            }
        }
        if (seen.Plan is Plan.Write && !options.ReadOnly && !checks.MayWrite)
            return new Decided.Done(
                new BucketResult(task.Bucket, new Outcome.Failed(NotLeading.Failure, seen.Observed.Encryption))
                {
                    Claim = task.IsRelease ? null : Claim.Open,
                }
            );
        if (seen.Plan is Plan.Write && !options.ReadOnly && gate.MustWait(seen) is { } wait)
            return new Decided.Done(Claimed(task, new BucketResult(task.Bucket, wait)));
        return options.ReadOnly && seen.Plan is Plan.Write
            ? new Decided.Done(Claimed(task, new BucketResult(task.Bucket, Report(seen, api, ReadOnlyRefusal))))
            : new Decided.Ours(seen);
    }

    /// <summary>
    /// Only the vendor's coded answer about this bucket to this key says something about the claim. A page of a
    /// gateway, a redirect, a circuit breaker and the API server do not.
    /// </summary>
    private BucketResult Unseen(BucketEncryptionPolicy policy, BucketTask task, Failure failure)
    {
        var isMissing = failure is { IsVendorAnswer: true, Kind: FailureKind.Missing };
        if (task.IsRelease && isMissing)
            return new BucketResult(task.Bucket, new Outcome.Released()); // no bucket, nothing to release
        Claim? claim = null;
        if (!task.IsRelease && isMissing)
            claim = Claim.None;
        else if (!task.IsRelease && failure is { IsVendorAnswer: true, Kind: FailureKind.Denied })
            claim = ownership.ClaimOf(policy, task.Id) == Claim.None ? Claim.None : Claim.Denied;
        if (claim is { } changed)
            ownership.Found(policy, task.Id, changed);
        else if (!task.IsRelease)
            claim = ownership.ClaimOf(policy, task.Id); // an earlier look may have found more than the status says
        return new BucketResult(task.Bucket, new Outcome.Failed(failure, Observed: null)) { Claim = claim };
    }

    private async Task<BucketResult> ActAsync(
        WriteAheadRecord record,
        PassBasis basis,
        VendorSession session,
        BucketObservation.Seen look,
        CancellationToken cancellationToken
    )
    {
        var result =
            look.Plan is Plan.Write
                ? await gate.ApplyAsync(record, session, look, checks.For(basis, look.Task), cancellationToken)
                : new BucketResult(look.Task.Bucket, BucketReconciler.Unwritten(look));
        result = Owned(look.Task, result);
        if (result is { WasUnread: true, Outcome: Outcome.Failed { Failure: var failure } })
            result = result with { Claim = Unseen(basis.Policy, look.Task, failure).Claim };
        return PassProgress.IsUnfinished(result)
            ? result with
            {
                Postponed = new PostponedLook(look.Observed, look.ReadAt),
            }
            : result;
    }

    /// <summary>Others wait for the worker.</summary>
    private static BucketResult Postponed(BucketObservation.Seen look)
    {
        var outcome = new Outcome.Failed(PassProgress.GaveWay, look.Observed.Encryption);
        var result = new BucketResult(look.Task.Bucket, outcome);
        return Claimed(look.Task, result) with { Postponed = new PostponedLook(look.Observed, look.ReadAt) };
    }

    private static BucketResult Owned(BucketTask task, BucketResult result) =>
        Claimed(task, result) with
        {
            Owns = !task.IsRelease,
        };

    /// <summary>The policy's keys have read the bucket, and nothing of it was put on record.</summary>
    private static BucketResult Claimed(BucketTask task, BucketResult result) =>
        task.IsRelease ? result : result with { Claim = Claim.Open };

    /// <summary>The bucket could not be put on record.</summary>
    private static BucketResult Refused(BucketObservation.Seen look, Failure why)
    {
        var isWaiting = Reasons.AwaitingRelease.Is(why.Code);
        Outcome outcome = isWaiting
            ? look.Plan is Plan.Write
                ? new Outcome.Waiting(look.Observed.Encryption, why, ReleasePause)
                : BucketReconciler.Unwritten(look)
            : new Outcome.Failed(why, look.Observed.Encryption);
        return new BucketResult(look.Task.Bucket, outcome) { Claim = Claim.Open, Owns = !isWaiting };
    }

    /// <summary>What would be sent; nothing is.</summary>
    private static Outcome Report(BucketObservation.Seen look, IBucketEncryptionApi api, Failure? why) =>
        look.Plan is Plan.Write write
            ? new Outcome.Planned(
                look.Observed.Encryption,
                new PlannedChange(
                    write.Target,
                    write.Removes ? null : BucketReconciler.DocumentOf(api, look.Task, look.Observed, write)
                ),
                why
            )
            : BucketReconciler.Unwritten(look);

    private Outcome.Yielded Yield(
        BucketEncryptionPolicy policy,
        Goal.Declared goal,
        BucketObservation.Seen look,
        BucketStanding.Yields yields
    )
    {
        var isMet = look.Plan is Plan.Keep;
        if (!BucketOwnership.Agree(yields.To, goal))
            return new Outcome.Yielded(look.Observed.Encryption, isMet, Ownership.Conflict(policy, yields));
        return new Outcome.Yielded(
            look.Observed.Encryption,
            isMet,
            isMet ? null
                : options.ReadOnly ? ReadOnlyRefusal
                : Ownership.NotWritten(yields.To, ownership.WriterOf(look.Task.Id), look.Task.Bucket)
        );
    }

    private static Failure ReadOnlyRefusal { get; } =
        new(Reasons.ReadOnly, Planner.Step)
        {
            Message = "The operator runs with --read-only and writes to no vendor.",
            Hint = "status.buckets[].planned says what would be sent.",
        };

    private Task EachAsync(
        int count,
        Func<int, CancellationToken, ValueTask> work,
        CancellationToken cancellationToken
    ) =>
        Parallel.ForAsync(
            0,
            count,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = options.BucketConcurrency,
                CancellationToken = cancellationToken,
                TaskScheduler = TaskScheduler.Current, // whoever schedules the pass schedules its buckets too
            },
            work
        );

    private abstract record Decided
    {
        public sealed record Done(BucketResult Result) : Decided;

        /// <summary>The policy may act on the bucket.</summary>
        public sealed record Ours(BucketObservation.Seen Look) : Decided;
    }
}
