using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Reconciles all buckets of a policy: those that it names or selects get what is declared, those that it has to
/// release get what <c>deletionPolicy</c> says.
/// </summary>
internal sealed class BucketReconciler(
    PolicyResolver resolver,
    BucketDiscovery discovery,
    ReleasePlanner releases,
    BucketPass pass,
    BucketOwnership ownership,
    KeyChecks keys
)
{
    public async Task<Findings> ReconcileAsync(
        ReconcileContext context,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        keys.Begin(context);
        var findings = await ReconcileBucketsAsync(context, attempt, cancellationToken);
        return findings.Failure is null ? findings with { Keys = keys.Conclude(context, findings.Buckets) } : findings;
    }

    private async Task<Findings> ReconcileBucketsAsync(
        ReconcileContext context,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (
            context is
            { Desired.Buckets: DesiredBuckets.Selected { Selector: var selector }, Policy.IsBeingDeleted: false }
        )
            return await ReconcileSelectedAsync(context, selector, attempt, cancellationToken);
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

    /// <summary>
    /// Reconciles a policy with a selector. It releases nothing, for its <c>deletionPolicy</c> is Retain: a bucket that
    /// is not selected any more has no result, and so no row and no claim.
    /// </summary>
    private async Task<Findings> ReconcileSelectedAsync(
        ReconcileContext context,
        BucketSelector selector,
        int attempt,
        CancellationToken cancellationToken
    )
    {
        if (context.Session.Value is not { } session)
            return new Findings([], context.Session.Failure, attempt);
        var (found, kept, end) = await RunAsync(context, selector, session, cancellationToken);
        if (
            (kept.Any(IsRejection) || found.Problems.Any(p => p.ConcernsCredentials))
            && await RenewedAsync(context, session, cancellationToken) is { } renewed
        )
        {
            // What the other key lists says nothing about this one
            var written = kept.Where(r => r.Applied is not null).ToDictionary(r => r.Bucket, StringComparer.Ordinal);
            (found, kept, end) = await RunAsync(context, selector, renewed, cancellationToken);
            kept =
            [
                .. kept.Select(r => r with { Applied = r.Applied ?? written.GetValueOrDefault(r.Bucket)?.Applied }),
            ];
        }
        return new Findings(kept, Failure: null, attempt)
        {
            Partition = context.Partition,
            End = SelectedTasks.EndOf(found, end),
            Inputs = session.Inputs,
            Discovery = new DiscoveryFindings(found)
            {
                OwnedByOthers = kept.Count(IsOwnedByOther),
                OwnedByOthersNotAsDeclared = kept.Count(r => IsOwnedByOther(r) && SelectedTasks.Differs(r)),
            },
        };

        bool IsOwnedByOther(BucketResult result) =>
            ownership.OwnerOf(new BucketId(context.Partition, result.Bucket)) is { } owner
            && owner.Metadata.Uid != context.Policy.Uid;
    }

    /// <summary>Finds the buckets that a selector means with this key, and runs a pass on them.</summary>
    private async Task<(Discovered Found, ImmutableArray<BucketResult> Kept, PassEnd End)> RunAsync(
        ReconcileContext context,
        BucketSelector selector,
        VendorSession session,
        CancellationToken cancellationToken
    )
    {
        var found = await discovery.DiscoverAsync(context, session, selector, cancellationToken);
        var tasks = SelectedTasks.Of(context, selector, found);
        var (results, end) = tasks.IsEmpty
            ? new PassResult([], PassEnd.Complete)
            : await pass.RunAsync(context, session, tasks, cancellationToken);
        return (
            found,
            [
                .. tasks
                    .Zip(results)
                    .Where(r => !(found.AllowsRemoval && SelectedTasks.IsGone(r.First, r.Second)))
                    .Select(r => r.Second),
            ],
            end
        );
    }

    private static ImmutableArray<BucketEnforcement> EnforcementsOf(ReconcileContext context)
    {
        return context.Desired.Buckets is DesiredBuckets.Named named && !context.Policy.IsBeingDeleted
            ? [.. named.Addresses.Select(context.Enforcement)]
            : [];
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
            || await RenewedAsync(context, session, cancellationToken) is not { } renewed
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

    /// <returns>Null where the store has no other key by now.</returns>
    private async Task<VendorSession?> RenewedAsync(
        ReconcileContext context,
        VendorSession session,
        CancellationToken cancellationToken
    ) =>
        (await resolver.ConnectAsync(context.Store, cancellationToken)).Value is { } renewed
        && renewed.Key != session.Key
            ? renewed
            : null;

    private static bool IsRejection(BucketResult result) =>
        result.Outcome is Outcome.Failed { Failure.ConcernsCredentials: true };
}
