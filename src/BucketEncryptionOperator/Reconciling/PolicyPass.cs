using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Reconciling;

/// <param name="BucketConcurrency">Buckets of one policy that are worked on at a time.</param>
/// <param name="ReadOnly">No vendor is written to, whatever policies say.</param>
internal sealed record PassOptions(int BucketConcurrency, bool ReadOnly = false);

/// <summary>
/// Rooms 5 and 6 for all buckets of a policy, in three steps: look at each and decide; put on record what must not be forgotten; write what is to be written. The
/// steps are one after the other for the policy, and each goes over its buckets in parallel.
/// </summary>
internal sealed class PolicyPass(BucketReconciler buckets, BucketClaims claims, Keeper keeper, PassOptions options)
{
    public const string OnlyReads = "ReadOnly";

    /// <param name="tasks">Buckets of the spec, and such as are to be released.</param>
    /// <returns>The policy as it is stored now, and a result for each task.</returns>
    public async Task<(BucketEncryptionPolicy Policy, IReadOnlyList<BucketResult> Results)> RunAsync(
        BucketEncryptionPolicy policy, PolicyTerms terms, VendorSession session, IReadOnlyList<BucketTask> tasks, CancellationToken cancellationToken)
    {
        var looks = new BucketLook[tasks.Count];
        await EachAsync(looks.Length, async (i, token) => looks[i] = await buckets.LookAsync(session, tasks[i], token), cancellationToken);

        var decided = looks.Select(l => Settle(policy, terms, session.Api, l)).ToArray();
        var held = decided.OfType<Decided.Ours>().Select(d => d.Look).ToList();
        var (rows, refused) = options.ReadOnly ? ([], ImmutableDictionary<string, Failure>.Empty) : keeper.Records(policy, terms, session.Api, held);
        var needsFinalizer = !options.ReadOnly && terms.Deletion != DeletionPolicy.Retain && held.Any(l => !refused.ContainsKey(l.Task.Bucket)) && policy.Metadata.DeletionTimestamp is null;
        policy = await keeper.PrepareAsync(policy, rows, needsFinalizer, cancellationToken);

        var results = new BucketResult[tasks.Count];
        await EachAsync(results.Length, async (i, token) => results[i] = decided[i] switch
        {
            Decided.Done done => done.Result,
            Decided.Ours ours when refused.TryGetValue(ours.Look.Task.Bucket, out var failure) => Opened(new BucketResult(ours.Look.Task.Bucket, new Outcome.Failed(failure, ours.Look.Observed.Encryption))),
            Decided.Ours ours => await ActAsync(policy, session, ours.Look, token),
            _ => throw new InvalidOperationException(decided[i].GetType().Name),
        }, cancellationToken);
        return (policy, results);
    }

    /// <summary>The other policies that name one of the buckets.</summary>
    public IReadOnlyCollection<NamespacedName> SharersOf(BucketEncryptionPolicy policy, IEnumerable<string> buckets) => claims.SharersOf(policy, buckets);

    /// <summary>Whose the bucket is, and what follows from it without a write.</summary>
    private Decided Settle(BucketEncryptionPolicy policy, PolicyTerms terms, IBucketEncryptionApi api, BucketLook look)
    {
        var task = look.Task;
        if (look is not BucketLook.Seen seen)
        {
            var failure = ((BucketLook.Unseen)look).Failure;
            if (task.IsRelease && failure.Kind == FailureKind.Missing)
                return Done(task, new Outcome.Released()); // no bucket, nothing to release
            var closed = !failure.PassesByItself;
            if (closed && !task.IsRelease)
                claims.Found(policy, task.Id, opened: false);
            return new Decided.Done(new BucketResult(task.Bucket, new Outcome.Failed(failure, Observed: null)) { Opened = closed ? false : null });
        }
        if (terms.Mode == PolicyMode.Audit)
            return Done(task, Report(seen, api, why: null));
        if (!task.IsRelease)
        {
            claims.Found(policy, task.Id, opened: true);
            if (claims.HolderOf(task.Id) is { } holder && holder.Metadata.Uid != policy.Metadata.Uid)
                return new Decided.Done(Opened(new BucketResult(task.Bucket, Yield(policy, (Goal.Declared)task.Goal, seen, holder))));
        }
        return options.ReadOnly && seen.Plan is Plan.Write
            ? new Decided.Done(Opened(new BucketResult(task.Bucket, Report(seen, api, ReadOnlyRefusal)), holds: !task.IsRelease))
            : new Decided.Ours(seen);
    }

    private async Task<BucketResult> ActAsync(BucketEncryptionPolicy policy, VendorSession session, BucketLook.Seen look, CancellationToken cancellationToken)
    {
        var task = look.Task;
        if (look.Plan is not Plan.Write write)
            return Opened(new BucketResult(task.Bucket, Unwritten(look)), holds: !task.IsRelease);
        using var turn = await claims.EnterAsync(task.Id, cancellationToken);
        if (!claims.IsCurrent(policy))
            return Opened(new BucketResult(task.Bucket, new Outcome.Failed(SpecChanged, look.Observed.Encryption)));
        var holder = claims.HolderOf(task.Id);
        if (task.IsRelease ? holder is not null : holder?.Metadata.Uid != policy.Metadata.Uid)
            return Opened(new BucketResult(task.Bucket, new Outcome.Failed(Ownership.ChangedHands, look.Observed.Encryption)));
        var result = await buckets.WriteAsync(session, task, look.Observed, write, cancellationToken);
        if (task.IsRelease && result.Outcome is Outcome.InSync or Outcome.Failed { Failure.Kind: FailureKind.Missing })
            result = result with { Outcome = new Outcome.Released() };
        return Opened(result, holds: !task.IsRelease);
    }

    private static Outcome Unwritten(BucketLook.Seen look) => look.Plan switch
    {
        Plan.Keep when look.Task.IsRelease => new Outcome.Released(),
        Plan.Keep keep => new Outcome.InSync(look.Observed.Encryption, keep.History),
        Plan.Refuse refuse when look.Task.IsRelease => new Outcome.Released(refuse.Failure),
        Plan.Refuse refuse => new Outcome.Failed(refuse.Failure, look.Observed.Encryption),
        Plan.Wait wait => new Outcome.Unconfirmed(look.Observed.Encryption, wait.History, wait.Target is BucketEncryption.None),
        var plan => throw new InvalidOperationException(plan.GetType().Name),
    };

    /// <summary>What would be sent; nothing is.</summary>
    private static Outcome Report(BucketLook.Seen look, IBucketEncryptionApi api, Failure? why) => look.Plan is Plan.Write write
        ? new Outcome.Planned(look.Observed.Encryption, new PlannedChange(write.Target, write.Removes ? null : BucketReconciler.DocumentOf(api, look.Task, look.Observed, write)), why)
        : Unwritten(look);

    private static Outcome.Yielded Yield(BucketEncryptionPolicy policy, Goal.Declared goal, BucketLook.Seen look, BucketEncryptionPolicy holder)
    {
        var isMet = look.Plan is Plan.Keep;
        var agrees = PolicyReader.ReadTerms(holder.Spec).Value is { } terms && terms.Goal.AgreesWith(goal);
        return new Outcome.Yielded(look.Observed.Encryption, isMet, agrees ? isMet ? null : Ownership.HeldByAnother : Ownership.Conflict(policy, holder));
    }

    private static Failure ReadOnlyRefusal { get; } = new(FailureKind.Refused, Planner.Step, OnlyReads)
    {
        Message = "The operator runs with --read-only and writes to no vendor.",
        Hint = "status.buckets[].planned says what would be sent.",
    };

    /// <summary>A pass over many buckets may take minutes. The change is in the queue already.</summary>
    private static Failure SpecChanged { get; } = new(FailureKind.Conflict, Planner.Step, "SpecChanged") { Message = "The policy has changed since the bucket was looked at; nothing was written." };

    private static Decided.Done Done(BucketTask task, Outcome outcome) => new(new BucketResult(task.Bucket, outcome));

    private static BucketResult Opened(BucketResult result, bool holds = false) => result with { Opened = true, Holds = holds };

    private Task EachAsync(int count, Func<int, CancellationToken, ValueTask> work, CancellationToken cancellationToken) =>
        Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = options.BucketConcurrency, CancellationToken = cancellationToken }, work);

    private abstract record Decided
    {
        public sealed record Done(BucketResult Result) : Decided;

        /// <summary>The policy may act on the bucket.</summary>
        public sealed record Ours(BucketLook.Seen Look) : Decided;
    }
}

/// <summary>What a policy is told of a bucket that another one keeps.</summary>
internal static class Ownership
{
    public const string Step = "Claim";
    public const string BucketConflict = "BucketConflict";
    public const string AnotherWrites = "HeldByAnother";

    /// <summary>The two want the same: the other one will write it.</summary>
    public static Failure HeldByAnother { get; } = new(FailureKind.Conflict, Step, AnotherWrites) { Message = "Another policy keeps this bucket, and declares the same; it is about to write it." };

    /// <summary>Between the look and the write; the next look finds the new holder.</summary>
    public static Failure ChangedHands { get; } = new(FailureKind.Conflict, Step, AnotherWrites) { Message = "Another policy has just taken over this bucket." };

    /// <summary>Who it is, only to those who may see it.</summary>
    public static Failure Conflict(BucketEncryptionPolicy policy, BucketEncryptionPolicy holder) => new(FailureKind.Refused, Step, BucketConflict)
    {
        Message = holder.Metadata.Namespace == policy.Metadata.Namespace
            ? $"The older policy {holder.Metadata.Name} keeps this bucket, and declares something else."
            : "An older policy of another namespace keeps this bucket, and declares something else.",
        Hint = "Take the bucket out of one of the two policies, or declare the same in both.",
    };
}
