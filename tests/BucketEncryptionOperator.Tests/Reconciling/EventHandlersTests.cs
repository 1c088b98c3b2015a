using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging.Abstractions;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class EventHandlersTests : IDisposable
{
    private static readonly BucketEncryptionPolicy Policy = Given.Policy();

    private static readonly Dictionary<
        string,
        (BucketEncryptionPolicy? Old, BucketEncryptionPolicy? New, bool Concerned)
    > Table = new(StringComparer.Ordinal)
    {
        ["new"] = (null, Policy, true),
        ["gone"] = (Policy, null, true),
        ["its spec changed"] = (Policy, Policy.NextGeneration(), true),
        ["its status changed: that was us"] = (
            Policy,
            Policy with
            {
                Metadata = Policy.Metadata with { ResourceVersion = "2" },
                Status = new PolicyStatus(),
            },
            false
        ),
        ["deletion began"] = (
            Policy,
            Policy with
            {
                Metadata = Policy.Metadata with { DeletionTimestamp = DateTimeOffset.UnixEpoch },
            },
            true
        ),
        ["somebody asked by an annotation"] = (
            Policy,
            Policy with
            {
                Metadata = Policy.Metadata with { Annotations = [new("reconcile.fluxcd.io/requestedAt", "now")] },
            },
            true
        ),
        ["made anew under the same name"] = (
            Policy,
            Policy with
            {
                Metadata = Policy.Metadata with { Uid = "other" },
            },
            true
        ),
    };

    private readonly ObjectCache<BucketEncryptionPolicy> _policies = new();
    private readonly ObjectCache<BucketStore> _stores = new();
    private readonly ObjectCache<ClusterBucketStore> _clusterStores = new();
    private readonly SecretKeys _keys;
    private readonly TemporaryKeys _temporary;
    private readonly EventHandlers _routes;
    private readonly BucketOwnership _ownership;
    private readonly Store _store;
    private int _gets;

    public EventHandlersTests()
    {
        _keys = new SecretKeys(
            (name, _) =>
            {
                _gets++;
                return Task.FromResult(
                    new V1Secret
                    {
                        Metadata = new V1ObjectMeta { Name = name.Name, NamespaceProperty = name.Namespace },
                    }
                );
            },
            new AccessKeyCircuitBreakers(new ManualTimeProvider()),
            new ManualTimeProvider()
        );
        _temporary = new TemporaryKeys(
            (_, _, _) =>
            {
                _gets++;
                return Task.FromResult(new TemporaryKey(new AccessKey("id", "secret", "token"), TimeSpan.FromHours(1)));
            },
            new AccessKeyCircuitBreakers(new ManualTimeProvider()),
            new ManualTimeProvider(),
            NullLogger<TemporaryKeys>.Instance
        );
        var reader = new StoreReader(
            new EndpointAllowList(VendorCatalog.DefaultEndpointPatterns, VendorCatalog.Endpoints),
            Partitions.None,
            new KeySourceReader(AmbientRules.None)
        );
        _store = reader
            .Read("the store", Given.Store().Spec, new StoreScope(Given.Namespace, IsNamespaced: true, "oss"))
            .Value!;
        _ownership = new BucketOwnership(_policies, _ => _store);
        _routes = new EventHandlers(
            _policies,
            _ownership,
            new Stores(
                _stores,
                new ClusterStores(_clusterStores, new ObjectCache<Namespace>(), Given.Namespace),
                reader
            ),
            new StoreKeys(_keys, _temporary)
        );
    }

    public static TheoryData<string> Sentences => new(Table.Keys);

    public void Dispose()
    {
        _keys.Dispose();
        _temporary.Dispose();
    }

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_change_of_a_policy_concerns_it_or_not(string sentence)
    {
        var (old, @new, concerned) = Table[sentence];

        var keys = _routes.OfPolicy(new Change<BucketEncryptionPolicy>(Given.PolicyKey, old, @new));

        Assert.Equal(concerned ? [Given.PolicyKey] : [], keys);
    }

    /// <summary>
    /// A process that does not lead sees what the leader writes, and must know it when it leads.
    /// </summary>
    [Fact]
    public void What_a_selector_selects_is_known_from_a_status_that_another_process_has_written()
    {
        var selector = Policy with
        {
            Spec = Policy.Spec with
            {
                Buckets = [],
                BucketSelector = new BucketSelectorSpec { MatchNames = ["*"] },
                Mode = "Enforce",
            },
        };
        var written = selector with
        {
            Metadata = selector.Metadata with { ResourceVersion = "2" },
            Status = new PolicyStatus
            {
                ObservedGeneration = 1,
                Buckets =
                [
                    new BucketStatus
                    {
                        Name = "alpha",
                        State = BucketStatus.InSync,
                        ClaimedTime = DateTimeOffset.UnixEpoch,
                    },
                ],
            },
        };
        foreach (var policy in new[] { selector, written })
        {
            foreach (var change in _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Applied(policy)))
                _ = _routes.OfPolicy(change).ToList();
        }
        var bucket = new BucketId(_store.Place.Partition, "alpha");

        Assert.Equal(selector.Metadata.Uid, _ownership.OwnerOf(bucket)?.Metadata.Uid);
    }

    [Fact]
    public void A_change_of_a_store_concerns_the_policies_that_name_it_in_its_namespace()
    {
        Add(Policy);
        Add(Rename(Policy, "team-a", "ledger"));
        Add(Rename(Policy, "team-b", "archive"));
        Add(
            Rename(Policy, "team-a", "other") with
            {
                Spec = Policy.Spec with { StoreRef = new StoreReference { Name = "beijing" } },
            }
        );

        var keys = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, null, Given.Store()));

        Assert.Equal(
            [new NamespacedName("team-a", "archive"), new NamespacedName("team-a", "ledger")],
            keys.OrderBy(k => k.Name)
        );
    }

    [Theory]
    [InlineData("the store went", true, false, 2)]
    [InlineData("the store names another Secret", true, true, 2)]
    [InlineData("another store still names it", false, false, 1)]
    public async Task A_Secret_that_no_store_names_is_forgotten(string sentence, bool alone, bool stays, int gets)
    {
        var store = Given.Store();
        var other = store with
        {
            Spec = store.Spec with
            {
                Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "other" } },
            },
        };
        if (!alone)
            _stores.Apply(
                new WatchEvent<BucketStore>.Applied(store with { Metadata = store.Metadata with { Name = "second" } })
            );
        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);

        _ = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, store, stays ? other : null)).ToImmutableArray();

        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);
        Assert.True(gets == _gets, sentence);
    }

    [Fact]
    public async Task A_Secret_that_a_store_of_the_cluster_names_is_kept()
    {
        _clusterStores.Apply(new WatchEvent<ClusterBucketStore>.Applied(Given.ClusterStore()));
        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);

        _ = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, Given.Store(), null)).ToImmutableArray();

        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);
        Assert.Equal(1, _gets);
    }

    [Fact]
    public void A_change_of_a_store_of_the_cluster_concerns_the_policies_of_all_namespaces_that_name_it()
    {
        var theirs = Policy with { Spec = Policy.Spec with { StoreRef = Given.ClusterStoreReference } };
        Add(Policy);
        Add(Rename(theirs, "team-a", "shared"));
        Add(Rename(theirs, "team-b", "shared"));

        var keys = _routes.OfClusterStore(
            new Change<ClusterBucketStore>(new NamespacedName("", Given.StoreKey.Name), null, Given.ClusterStore())
        );
        var own = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, null, Given.Store()));

        Assert.Equal(
            [new NamespacedName("team-a", "shared"), new NamespacedName("team-b", "shared")],
            keys.OrderBy(k => k.Namespace)
        );
        Assert.Equal([Given.PolicyKey], own);
    }

    [Theory]
    [InlineData("a label came", "", "tier", true)]
    [InlineData("a label went", "tier", "", true)]
    [InlineData("something else changed", "tier", "tier", false)]
    [InlineData("it is new", null, "", true)]
    [InlineData("it went", "tier", null, true)]
    public void A_change_of_a_namespaces_labels_concerns_its_policies_that_name_a_store_of_the_cluster(
        string sentence,
        string? before,
        string? after,
        bool concerned
    )
    {
        var shared = Policy with { Spec = Policy.Spec with { StoreRef = Given.ClusterStoreReference } };
        Add(Policy);
        Add(Rename(shared, "team-a", "shared"));
        Add(Rename(shared, "team-b", "shared"));

        var keys = _routes.OfNamespace(
            new Change<Namespace>(new NamespacedName("", "team-a"), Labelled(before), Labelled(after))
        );

        Assert.True(keys.SequenceEqual(concerned ? [new NamespacedName("team-a", "shared")] : []), sentence);
    }

    [Fact]
    public void A_status_that_we_wrote_to_a_store_concerns_nobody()
    {
        Add(Policy);
        var store = Given.Store();

        var keys = _routes.OfStore(
            new Change<BucketStore>(
                Given.StoreKey,
                store,
                store with
                {
                    Metadata = store.Metadata with { ResourceVersion = "2" },
                }
            )
        );

        Assert.Empty(keys);
    }

    [Fact]
    public async Task An_identity_that_no_store_has_any_more_is_forgotten()
    {
        var store = Given.Store() with
        {
            Spec = Given.Store().Spec with
            {
                Credentials = new CredentialsSpec { EcsRamRole = new EcsRamRoleSpec { Name = "role" } },
            },
        };
        var identity = new AmbientIdentity.EcsRamRole("role");
        await _temporary.GetAsync(identity, basis: null, CancellationToken.None);

        _ = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, store, null)).ToImmutableArray();

        await _temporary.GetAsync(identity, basis: null, CancellationToken.None);
        Assert.Equal(2, _gets);
    }

    /// <summary>What a chain stands on may be another store's, too: it is forgotten with the last of them.</summary>
    [Fact]
    public async Task What_a_chain_stands_on_is_forgotten_when_no_store_uses_it()
    {
        var plain = Given.Store() with
        {
            Spec = Given.Store().Spec with
            {
                Credentials = new CredentialsSpec { EcsRamRole = new EcsRamRoleSpec { Name = "role" } },
            },
        };
        var chain = plain with
        {
            Spec = plain.Spec with
            {
                Credentials = plain.Spec.Credentials with { AssumeRole = [new AssumeRoleSpec { RoleArn = "r" }] },
            },
        };
        var identity = new AmbientIdentity.EcsRamRole("role");
        await _temporary.GetAsync(identity, basis: null, CancellationToken.None);
        _stores.Apply(new WatchEvent<BucketStore>.Applied(plain));

        _ = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, chain, null)).ToImmutableArray();
        await _temporary.GetAsync(identity, basis: null, CancellationToken.None);
        var shared = _gets;
        _stores.Apply(new WatchEvent<BucketStore>.Deleted(Given.StoreKey));
        _ = _routes.OfStore(new Change<BucketStore>(Given.StoreKey, plain, null)).ToImmutableArray();
        await _temporary.GetAsync(identity, basis: null, CancellationToken.None);

        Assert.Equal((1, 2), (shared, _gets));
    }

    private static Namespace? Labelled(string? label) =>
        label switch
        {
            null => null,
            "" => Given.NamespaceWith(),
            _ => Given.NamespaceWith((label, "x")),
        };

    private static BucketEncryptionPolicy Rename(BucketEncryptionPolicy policy, string ns, string name) =>
        policy with
        {
            Metadata = policy.Metadata with { Namespace = ns, Name = name },
        };

    private void Add(BucketEncryptionPolicy policy) =>
        _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Applied(policy));
}
