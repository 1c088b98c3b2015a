using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Reconciles all buckets of a policy: those of the spec get what is declared, those that the policy has to release get
/// what <c>deletionPolicy</c> says.
/// </summary>
internal sealed class BucketReconciler(PolicyResolver resolver, ReleasePlanner releases, BucketPass pass)
{
    public async Task<Findings> ReconcileAsync(
        ReconcileContext context,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        var release = await releases.PlanAsync(context, cancellationToken);
        var enforcements = EnforcementsOf(context);
        var findings = new Findings([], Failure: null, attempt)
        {
            Releases = release.Done,
            Partition = context.Partition,
        };
        IReadOnlyList<BucketTask> tasks = [.. enforcements, .. release.Tasks];
        if (tasks.Count == 0)
            return findings;
        if (context.Session.Value is not { } session)
            return new Findings([], context.Session.Failure, attempt);
        var (results, end) = await RunAsync(context, session, tasks, cancellationToken);
        return findings with
        {
            End = end,
            Buckets = [.. results.Take(enforcements.Length)],
            Releases = [.. release.Done, .. results.Skip(enforcements.Length)],
            Inputs = session.Inputs,
        };
    }

    private static ImmutableArray<BucketEnforcement> EnforcementsOf(ReconcileContext context)
    {
        var policy = context.Policy.Now;
        if (context.Policy.IsBeingDeleted)
            return [];
        var sameSpec = policy.Status?.ObservedGeneration == policy.Metadata.Generation;
        var rows = (policy.Status?.Buckets ?? [])
            .Where(b => (b.Partition ?? context.Partition) == context.Partition)
            .ToDictionary(b => b.Name, StringComparer.Ordinal);
        return
        [
            .. context.Desired.Buckets.Select(address =>
            {
                var memory = BucketMemory.Of(rows.GetValueOrDefault(address.Bucket), sameSpec);
                return new BucketEnforcement(
                    address,
                    new BucketId(context.Partition, address.Bucket),
                    context.Terms.Goal.Knowing(memory.VendorKey),
                    memory
                );
            }),
        ];
    }

    /// <summary>
    /// Runs a pass. Where the vendor rejected the access key and the store has another one by now, the rejected buckets
    /// get a second pass with that one: a key that was replaced in the Secret before it was switched off, or that
    /// expired and has a successor, causes no failure.
    /// </summary>
    private async Task<PassResult> RunAsync(
        ReconcileContext context,
        VendorSession session,
        IReadOnlyList<BucketTask> tasks,
        CancellationToken cancellationToken
    )
    {
        var first = await pass.RunAsync(context, session, tasks, cancellationToken);
        if (
            !first.Results.Any(IsRejection)
            || (await resolver.ConnectAsync(context.Store, cancellationToken)).Value is not { } renewed
            || renewed.Key == session.Key
        )
            return first;
        var rejected = Enumerable.Range(0, tasks.Count).Where(i => IsRejection(first.Results[i])).ToList();
        var second = await pass.RunAsync(context, renewed, [.. rejected.Select(i => tasks[i])], cancellationToken);
        var all = first.Results.ToArray();
        // What the first pass has written stays written
        foreach (var (i, result) in rejected.Zip(second.Results))
            all[i] = result with { Applied = result.Applied ?? all[i].Applied };
        return first with { Results = all };
    }

    private static bool IsRejection(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure.ConcernsCredentials: true };
}
