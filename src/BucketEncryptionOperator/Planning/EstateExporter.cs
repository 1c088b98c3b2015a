using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Planning;

/// <summary>What is exported, and under which names.</summary>
/// <param name="Selector">Which buckets of the account.</param>
internal sealed record ExportTarget(NamespacedName StoreName, Store Store, AccessKey Key, BucketSelector Selector);

/// <summary>Policies that declare what buckets have, and the buckets that no policy can declare.</summary>
internal sealed record Export(
    ImmutableArray<BucketEncryptionPolicy> Policies,
    ImmutableSortedDictionary<string, Failure> Left
)
{
    /// <summary>What could not be found out about the account's list.</summary>
    public ImmutableArray<Failure> Problems { get; init; } = [];
}

/// <summary>
/// Declares an account's buckets as they are: lists them, reads each, and groups them by equal encryption. Each policy
/// is checked by the operator's own reader and planner: one that would change anything is not made. It writes nothing.
/// </summary>
internal sealed class EstateExporter(VendorConnections vendors, TimeProvider time, Action<PlanProgress> progress)
{
    /// <summary>Of the CRD: maximum number of buckets that a policy names.</summary>
    private const int BucketsPerPolicy = 256;

    /// <summary>The bucket's encryption has no words in a policy.</summary>
    public const string NotDeclarable = "NotDeclarable";

    /// <summary>
    /// Policies are named after the store, with the algorithm and a number; a name has at most 253 characters.
    /// </summary>
    public const int LongestStoreName = 240;

    private const string Step = "Export";

    private readonly PatientReads _reads = new(time);

    public async Task<Export> ExportAsync(ExportTarget target, CancellationToken cancellationToken)
    {
        var inventory = new AccountInventory(
            vendors.Accounts[target.Store.Vendor],
            target.Store.Place.Store,
            target.Key,
            time
        );
        var listed = await _reads.UntilAnsweredAsync(
            t => ListAsync(target, inventory, t),
            l => l.Problems.FirstOrDefault(p => p.Kind == FailureKind.Throttled),
            cancellationToken
        );
        var names = listed.Names;
        var observed = new Result<Observation>[names.Length];
        var read = 0;
        await Parallel.ForAsync(
            0,
            names.Length,
            OptionsFor(target, cancellationToken),
            async (i, token) =>
            {
                observed[i] = await _reads.UntilAnsweredAsync(
                    t => ReadAsync(target, names[i], t),
                    o => o.Failure,
                    token
                );
                progress(new PlanProgress(Interlocked.Increment(ref read), names.Length));
            }
        );
        var export = Compose(target, names, observed);
        return export with
        {
            Left = export.Left.AddRange(
                listed.Unnameable.Select(n => KeyValuePair.Create(n, NoWords("No policy can name this bucket.")))
            ),
            Problems = listed.Problems,
        };
    }

    private static async Task<ListedNames> ListAsync(
        ExportTarget target,
        AccountInventory inventory,
        CancellationToken cancellationToken
    )
    {
        var any = new Freshness(TimeSpan.MaxValue, NotBefore: null);
        try
        {
            var (list, _) = await inventory.ListAsync(any, cancellationToken);
            var facts = new FactReader(inventory, target.Selector, target.Store.Place.Traits);
            await facts.ReadAsync(list, any, OptionsFor(target, cancellationToken), () => false);
            return new ListedNames([
                .. facts
                    .Read.Where(f => f is { Place: BucketPlace.Here, HasTags: true })
                    .Select(f => f.Name)
                    .Order(StringComparer.Ordinal),
            ])
            {
                Unnameable = [.. facts.Read.Where(f => f.HasTags is null).Select(f => f.Name)],
                Problems = [.. facts.Problems],
            };
        }
        catch (VendorException e)
        {
            return new ListedNames([]) { Problems = [e.Failure] };
        }
    }

    private async Task<Result<Observation>> ReadAsync(
        ExportTarget target,
        string bucket,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var address = target.Store.Place.Address(bucket);
            return new(
                await vendors.Buckets[target.Store.Vendor].GetAsync(address, target.Key, cancellationToken),
                Failure: null
            );
        }
        catch (VendorException e)
        {
            return new(Value: null, e.Failure);
        }
    }

    private static Export Compose(ExportTarget target, ImmutableArray<string> names, Result<Observation>[] observed)
    {
        var left = ImmutableSortedDictionary.CreateBuilder<string, Failure>(StringComparer.Ordinal);
        var declared = new Dictionary<string, (EncryptionSpec Spec, List<string> Buckets)>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            var (bucket, (observation, problem)) = (names[i], observed[i]);
            var (spec, why) = observation is null ? (null, problem) : Declare(target, bucket, observation);
            if (spec is null)
            {
                left[bucket] = why ?? throw new InvalidOperationException("no value and no reason");
                continue;
            }
            // Records compare their lists by reference; a text of all fields compares their values
            var key =
                $"{spec with { BlockedEncryptionTypes = null }} {string.Join('+', spec.BlockedEncryptionTypes ?? [])}";
            if (!declared.TryGetValue(key, out var group))
                declared[key] = group = (spec, []);
            group.Buckets.Add(bucket);
        }
        var policies =
            from grouped in declared.Values.GroupBy(d => d.Spec.Algorithm, StringComparer.Ordinal)
            from policy in grouped
                .OrderByDescending(d => d.Buckets.Count)
                .ThenBy(d => d.Buckets[0], StringComparer.Ordinal)
                .SelectMany(d => d.Buckets.Chunk(BucketsPerPolicy).Select(buckets => (d.Spec, buckets)))
                .Select((d, i) => PolicyOf(target, NameOf(target, d.Spec, i), d.Spec, d.buckets))
            select policy;
        return new Export([.. policies.OrderBy(p => p.Metadata.Name, StringComparer.Ordinal)], left.ToImmutable());
    }

    /// <summary>Returns the declaration that the bucket meets as it is, or why there is none.</summary>
    private static (EncryptionSpec? Spec, Failure? Why) Declare(
        ExportTarget target,
        string bucket,
        Observation observation
    )
    {
        if (ExportedEncryption.Of(observation.Encryption, target.Store.Place.Traits) is not { } spec)
            return (null, NoWords($"No policy can declare {observation.Encryption}."));
        var (desired, problem) = PolicyReader.Read(PolicyOf(target, "check", spec, [bucket]), target.Store);
        if (desired is null)
            return (null, NoWords(problem?.Message ?? ""));
        return desired.Terms.Goal.IsMetBy(observation, wasWritten: false)
            ? (spec, null)
            : (null, NoWords($"A policy would change it: it has {observation.Encryption}."));
    }

    private static Failure NoWords(string message) =>
        new(FailureKind.Refused, Step, NotDeclarable) { Message = message };

    private static string NameOf(ExportTarget target, EncryptionSpec spec, int index)
    {
        var name = $"{target.StoreName.Name}-{spec.Algorithm.ToLowerInvariant()}";
        return index == 0 ? name : $"{name}-{index + 1}";
    }

    private static BucketEncryptionPolicy PolicyOf(
        ExportTarget target,
        string name,
        EncryptionSpec encryption,
        IEnumerable<string> buckets
    ) =>
        new()
        {
            Metadata = new ObjectMeta { Name = name, Namespace = target.StoreName.Namespace },
            Spec = new PolicySpec
            {
                StoreRef = new StoreReference { Name = target.StoreName.Name },
                Buckets = [.. buckets.Select(b => new BucketReference { Name = b })],
                Encryption = encryption,
                Mode = "Audit",
                // The CRD asks for it; in mode Audit nothing is written
                AllowDowngrade = encryption.Algorithm == "None" ? true : null,
            },
        };

    private static ParallelOptions OptionsFor(ExportTarget target, CancellationToken cancellationToken) =>
        new()
        {
            MaxDegreeOfParallelism = target.Store.Place.Limit.MaxConcurrency,
            CancellationToken = cancellationToken,
        };

    /// <summary>The account's buckets that are meant.</summary>
    private sealed record ListedNames(ImmutableArray<string> Names)
    {
        /// <summary>Vendors have buckets, old ones mostly, with names that the CRD does not take.</summary>
        public ImmutableArray<string> Unnameable { get; init; } = [];

        public ImmutableArray<Failure> Problems { get; init; } = [];
    }
}
