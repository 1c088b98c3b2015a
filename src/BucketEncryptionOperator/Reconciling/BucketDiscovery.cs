using System.Collections.Concurrent;
using System.Collections.Immutable;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a reconcile of a policy with a selector knows about the account.</summary>
/// <param name="Problems">Why the selection may not be all that is meant; most important first.</param>
internal sealed record Discovered(Selection Selection, ImmutableArray<Failure> Problems)
{
    /// <summary>
    /// This process has a complete list. Without one the policy works on the buckets that it had, and writes to none.
    /// </summary>
    public bool HasList { get; init; }

    /// <summary>The list is one of this interval, and everything in it that matters is known.</summary>
    public bool IsVerified { get; init; }

    /// <summary>Since the list was asked for; null where there is no list of this interval.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>
    /// Time until this policy has to ask for the next list; null where another policy does, and where there is no list
    /// of this interval.
    /// </summary>
    public TimeSpan? NextList { get; init; }

    /// <summary>
    /// Number of buckets that are not selected, and of which there was no time or no permit to find out whether they
    /// are.
    /// </summary>
    public int Undecided { get; init; }

    /// <summary>
    /// A bucket that the list does not have may be dropped, once the vendor says that there is no such bucket.
    /// </summary>
    public bool AllowsRemoval => HasList && !Selection.IsDoubtful;
}

/// <summary>
/// Finds the buckets of a policy with a selector: the account's list, shared with other policies
/// (<see cref="AccountInventories"/>), and the region and tags of single buckets where they are needed. It changes
/// nothing.
/// </summary>
internal sealed class BucketDiscovery(AccountInventories inventories, PassOptions options, TimeProvider time)
{
    public const string Step = "Discover";

    /// <summary>Part of an interval after which the maker of the lists asks for a new one.</summary>
    private const double MakerAge = 0.1;

    /// <summary>Part of an interval after which tags are read again.</summary>
    private const double TagAge = 0.9;

    /// <summary>Minimum time until the next list.</summary>
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Policies whose last reconcile had no time or no permits for all tags. The next one goes on: what was fresh when
    /// they began is fresh until they are done, however long that takes.
    /// </summary>
    private readonly ConcurrentDictionary<NamespacedName, Unfinished> _unfinished = new();

    public async Task<Discovered> DiscoverAsync(
        ReconcileContext context,
        VendorSession session,
        BucketSelector selector,
        CancellationToken cancellationToken
    )
    {
        var policy = context.Policy;
        var user = new InventoryUser(policy.Key, selector, context.Store.Place.Store, session.Key);
        var inventory = inventories.Join(user, session.Account);
        var isRequested = Schedule.RequestedAtOf(policy.Now) != policy.Now.Status?.LastHandledReconcileAt;
        var isMaker = inventories.IsMaker(policy.Key);
        var (begun, isContinued) =
            !isRequested && _unfinished.TryGetValue(policy.Key, out var last)
                ? (last, true)
                : (Begin(policy.Resync * (isMaker ? MakerAge : TagAge), isRequested), false);
        var known = KnownTo(context);
        var problems = ImmutableArray.CreateBuilder<Failure>();
        var list = await ListAsync(
            inventory,
            policy.Key,
            new Freshness(
                isMaker && !isContinued ? policy.Resync * MakerAge : policy.Resync,
                isRequested ? begun.TagsSince : null
            ),
            problems,
            cancellationToken
        );
        if (list is null)
            return new Discovered(Selection.Of(known), problems.ToImmutable());

        var facts = new FactReader(inventory, selector, context.Store.Place.Traits);
        await facts.ReadAsync(
            list,
            new Freshness(TimeSpan.MaxValue, begun.TagsSince),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = options.BucketConcurrency,
                CancellationToken = cancellationToken,
                TaskScheduler = TaskScheduler.Current,
            },
            () => options.ShouldYield(policy.Key)
        );
        var selection = Selection.From(selector, facts.Read, known);
        problems.AddRange(facts.Problems);
        if (facts.Unfinished.Count > 0)
            _unfinished[policy.Key] = begun;
        else
            _unfinished.TryRemove(policy.Key, out _);
        if (selection.IsDoubtful && begun.IsRequested && problems.Count == 0)
            selection = selection.Believed();
        if (selection.IsDoubtful)
            problems.Add(Doubtful(selection, known.Length));
        if (selection.Counts.TooMany > 0)
            problems.Add(TooMany(selection));
        var age = time.GetElapsedTime(list.BegunAt);
        return new Discovered(selection, problems.ToImmutable())
        {
            HasList = true,
            Undecided = facts.Unfinished.Except(selection.Buckets.Select(b => b.Name), StringComparer.Ordinal).Count(),
            IsVerified = problems.Count == 0 && age < policy.Resync,
            Age = age < policy.Resync ? age : null,
            // Where the next list fails, that failure says when it is asked for again
            NextList =
                age < policy.Resync && inventories.IsMaker(policy.Key) ? Max(policy.Resync - age, Soonest) : null,
        };
    }

    /// <summary>The policy selects nothing now: it is gone, suspended, cannot be read, or names its buckets.</summary>
    public void Leave(NamespacedName policy)
    {
        _unfinished.TryRemove(policy, out _);
        inventories.Leave(policy);
    }

    private Unfinished Begin(TimeSpan tagAge, bool isRequested) =>
        new(
            time.GetTimestamp() - (isRequested ? 0 : (long)(tagAge.TotalSeconds * time.TimestampFrequency)),
            isRequested
        );

    /// <summary>The buckets that the policy had. A row of another partition is about another bucket.</summary>
    private static ImmutableArray<string> KnownTo(ReconcileContext context)
    {
        var elsewhere = (context.Policy.Now.Status?.Buckets ?? [])
            .Where(b => b.Partition is { } partition && partition != context.Partition)
            .Select(b => b.Name)
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            .. PolicyBuckets
                .NamesOf(context.Policy.Now, context.Store.SelectableBuckets)
                .Where(b => !elsewhere.Contains(b)),
        ];
    }

    /// <returns>The new list, or the last one where there is none; null where no list was ever complete.</returns>
    private async Task<AccountList?> ListAsync(
        AccountInventory inventory,
        NamespacedName policy,
        Freshness freshness,
        ImmutableArray<Failure>.Builder problems,
        CancellationToken cancellationToken
    )
    {
        var before = inventory.Last;
        try
        {
            var (list, isNew) = await inventory.ListAsync(freshness, cancellationToken);
            if (isNew)
                inventories.Made(policy, before, list);
            return list;
        }
        catch (VendorException e)
        {
            problems.Add(e.Failure);
            return before;
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static Failure Doubtful(Selection selection, int known) =>
        new(Reasons.ListDoubtful, Step)
        {
            Message =
                $"The account's list does not have {selection.Counts.Missing} of the {known} buckets of this policy. "
                + "That may be a list that the vendor has shortened, so none of them is dropped.",
            Hint =
                "Check the right to list all buckets of the account. If the buckets are gone, request a reconcile "
                + $"(annotation {Schedule.RequestedAt}).",
        };

    private static Failure TooMany(Selection selection) =>
        new(Reasons.TooManyBuckets, Step)
        {
            Message =
                $"{selection.Counts.TooMany + selection.Buckets.Length} buckets match, and a policy takes "
                + $"{BucketSelector.MaxBuckets}: {selection.Counts.TooMany} are not covered.",
            Hint = "Split the policy: give each part other patterns in spec.bucketSelector.matchNames.",
        };

    /// <param name="TagsSince">Timestamp: tags that were asked for earlier are read again.</param>
    /// <param name="IsRequested">It began with a requested reconcile.</param>
    private readonly record struct Unfinished(long TagsSince, bool IsRequested);
}
