using System.Collections.Immutable;
using System.Runtime.InteropServices;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Reads the buckets of policies in files and plans what the operator would send, by the operator's own code: readers,
/// discovery, observer and planner. It writes nothing. What goes wrong with one bucket is a row, and ends nothing else.
/// </summary>
/// <param name="progress">Is told of each bucket that was read.</param>
internal sealed class FilePlanner(
    OfflineStores stores,
    VendorConnections vendors,
    KeyQuestions keys,
    TimeProvider time,
    Action<PlanProgress> progress
)
{
    /// <summary>Maximum number of stores that are worked on at a time.</summary>
    private const int StoresAtATime = 8;

    private readonly BucketObserver _observer = new(time);
    private readonly PatientReads _reads = new(time);
    private readonly BucketDiscovery _discovery = new(
        new AccountInventories(time, _ => { }),
        new PassOptions(RateLimit.Default.MaxConcurrency),
        time
    );

    private int _read;
    private int _known;

    /// <summary>Returns the rows of all policies, in their order.</summary>
    public async Task<ImmutableArray<PlanRow>> PlanAsync(
        ImmutableArray<Manifest<BucketEncryptionPolicy>> policies,
        CancellationToken cancellationToken
    )
    {
        var works = policies.Select(Resolve).ToArray();
        await EachStoreAsync(
            works,
            async (at, token) => works[at] = await DiscoverAsync(works[at], token),
            cancellationToken
        );
        var owners = new PlanOwners(works);
        Tell(known: works.Sum(w => w.Tasks.Length));
        var rows = works.Select(w => new PlanRow[w.Tasks.Length]).ToArray();
        await EachStoreAsync(works, (at, token) => ReadAsync(works[at], owners, rows[at], token), cancellationToken);
        return [.. works.SelectMany((work, at) => RowsOf(work, rows[at]))];
    }

    private PolicyWork Resolve(Manifest<BucketEncryptionPolicy> manifest)
    {
        var policy = manifest.Object;
        var work = new PolicyWork(manifest, Context: null);
        if (policy.Spec.Suspend == true)
            return work;
        var (store, problem) = stores.Find(policy);
        if (store is null)
            return work with { Problems = [Known(problem)] };
        work = work with { Vendor = store.Vendor };
        (var desired, problem) = PolicyReader.Read(policy, store);
        if (desired is null)
            return work with { Problems = [Known(problem)] };
        (var key, problem) = stores.KeyOf(OfflineStores.NameOf(policy), store);
        if (key is null)
            return work with { Problems = [Known(problem)] };
        var session = new VendorSession(vendors.Buckets[store.Vendor], vendors.Accounts[store.Vendor], key, Inputs: "");
        var stored = new StoredPolicy(policy) { SelectableBuckets = store.SelectableBuckets };
        return work with { Context = new ReconcileContext(stored, store, desired, new(session, Failure: null)) };
    }

    private async Task<PolicyWork> DiscoverAsync(PolicyWork work, CancellationToken cancellationToken)
    {
        if (work.Context is not { Session.Value: { } session } context)
            return work;
        switch (context.Desired.Buckets)
        {
            case DesiredBuckets.Named named:
                return work with { Tasks = [.. named.Addresses.Select(context.Enforcement)] };
            case DesiredBuckets.Selected selected:
                var found = await _reads.UntilAnsweredAsync(
                    token => _discovery.DiscoverAsync(context, session, selected.Selector, token),
                    discovered => discovered.Problems.FirstOrDefault(p => p.Kind == FailureKind.Throttled),
                    cancellationToken
                );
                return work with
                {
                    Tasks = SelectedTasks.Of(context, selected.Selector, found),
                    Problems = found.Problems,
                };
            default:
                throw new InvalidOperationException(context.Desired.Buckets.GetType().Name);
        }
    }

    private async ValueTask ReadAsync(
        PolicyWork work,
        PlanOwners owners,
        PlanRow[] rows,
        CancellationToken cancellationToken
    )
    {
        if (work.Context is not { Session.Value: { } session } context)
            return;
        await Parallel.ForAsync(
            0,
            work.Tasks.Length,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = context.Store.Place.Limit.MaxConcurrency,
                CancellationToken = cancellationToken,
            },
            async (i, token) =>
            {
                var task = work.Tasks[i];
                var observation = await _reads.UntilAnsweredAsync(
                    t => _observer.ObserveAsync(session, task, t),
                    o => (o as BucketObservation.Unseen)?.Failure,
                    token
                );
                var unusable = await keys.ProblemOfAsync(observation, context.Store, session.Key, token);
                rows[i] = PlanDecision.Of(work, observation, session.Api, owners, unusable);
                Tell(read: 1);
            }
        );
        PlanDecision.Limit(work, rows);
    }

    private static IEnumerable<PlanRow> RowsOf(PolicyWork work, PlanRow[] rows)
    {
        if (work.Policy.Object.Spec.Suspend == true)
            return [new PlanRow(work.Policy, "", PlanAction.Suspended)];
        var problems = work.Problems.Select(p => new PlanRow(work.Policy, "", PlanAction.Error)
        {
            Vendor = work.Vendor,
            Why = p,
        });
        return rows.Length == 0 && work.Problems.IsEmpty
            ? [new PlanRow(work.Policy, "", PlanAction.None) { Vendor = work.Vendor }]
            : [.. problems, .. rows];
    }

    /// <summary>Works on the policies, those of one store one after the other.</summary>
    private static Task EachStoreAsync(
        PolicyWork[] works,
        Func<int, CancellationToken, ValueTask> work,
        CancellationToken cancellationToken
    ) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, works.Length).GroupBy(at => OfflineStores.NameOf(works[at].Policy.Object)),
            new ParallelOptions { MaxDegreeOfParallelism = StoresAtATime, CancellationToken = cancellationToken },
            async (group, token) =>
            {
                foreach (var at in group)
                    await work(at, token);
            }
        );

    private void Tell(int known = 0, int read = 0) =>
        progress(new PlanProgress(Interlocked.Add(ref _read, read), Interlocked.Add(ref _known, known)));

    private static Failure Known(Failure? problem) =>
        problem ?? throw new InvalidOperationException("no value and no reason");
}

/// <summary>Number of buckets that were read, of those that are known.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PlanProgress(int Read, int Known);
