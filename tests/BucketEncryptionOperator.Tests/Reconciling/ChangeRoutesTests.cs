using System.Collections.Immutable;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Api;
using KubeRuntime.Watching;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed class ChangeRoutesTests : IDisposable
{
    private static readonly BucketEncryptionPolicy Policy = Given.Policy();

    private static readonly Dictionary<string, (BucketEncryptionPolicy? Old, BucketEncryptionPolicy? New, bool Concerned)> Table = new(StringComparer.Ordinal)
    {
        ["new"] = (null, Policy, true),
        ["gone"] = (Policy, null, true),
        ["its spec changed"] = (Policy, Policy.NextGeneration(), true),
        ["its status changed: that was us"] = (Policy, Policy with { Metadata = Policy.Metadata with { ResourceVersion = "2" }, Status = new PolicyStatus() }, false),
        ["deletion began"] = (Policy, Policy with { Metadata = Policy.Metadata with { DeletionTimestamp = DateTimeOffset.UnixEpoch } }, true),
        ["somebody asked by an annotation"] = (Policy, Policy with { Metadata = Policy.Metadata with { Annotations = [new("reconcile.fluxcd.io/requestedAt", "now")] } }, true),
        ["made anew under the same name"] = (Policy, Policy with { Metadata = Policy.Metadata with { Uid = "other" } }, true),
    };

    private readonly Mirror<BucketEncryptionPolicy> _policies = new();
    private readonly Mirror<ObjectStore> _stores = new();
    private readonly SecretKeys _keys;
    private readonly ChangeRoutes _routes;
    private int _gets;

    public ChangeRoutesTests()
    {
        _keys = new SecretKeys(
            (name, _) =>
            {
                _gets++;
                return Task.FromResult(new Secret { Metadata = new ObjectMeta { Name = name.Name, Namespace = name.Namespace } });
            },
            new KeyBreakers(new ManualTimeProvider()),
            new ManualTimeProvider());
        _routes = new ChangeRoutes(_policies, _stores, _keys);
    }

    public static TheoryData<string> Sentences => new(Table.Keys);

    public void Dispose() => _keys.Dispose();

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_change_of_a_policy_concerns_it_or_not(string sentence)
    {
        var (old, @new, concerned) = Table[sentence];

        var keys = ChangeRoutes.OfPolicy(new Change<BucketEncryptionPolicy>(Given.PolicyKey, old, @new));

        Assert.Equal(concerned ? [Given.PolicyKey] : [], keys);
    }

    [Fact]
    public void A_change_of_a_store_concerns_the_policies_that_name_it_in_its_namespace()
    {
        Add(Policy);
        Add(Rename(Policy, "team-a", "ledger"));
        Add(Rename(Policy, "team-b", "archive"));
        Add(Rename(Policy, "team-a", "other") with { Spec = Policy.Spec with { StoreRef = new StoreReference { Name = "beijing" } } });

        var keys = _routes.OfStore(new Change<ObjectStore>(Given.StoreKey, null, Given.Store()));

        Assert.Equal([new NamespacedName("team-a", "archive"), new NamespacedName("team-a", "ledger")], keys.OrderBy(k => k.Name));
    }

    [Theory]
    [InlineData("the store went", true, false, 2)]
    [InlineData("the store names another Secret", true, true, 2)]
    [InlineData("another store still names it", false, false, 1)]
    public async Task A_Secret_that_no_store_names_is_forgotten(string sentence, bool alone, bool stays, int gets)
    {
        var store = Given.Store();
        var other = store with { Spec = store.Spec with { Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "other" } } } };
        if (!alone)
            _stores.Apply(new WatchEvent<ObjectStore>.Applied(store with { Metadata = store.Metadata with { Name = "second" } }));
        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);

        _ = _routes.OfStore(new Change<ObjectStore>(Given.StoreKey, store, stays ? other : null)).ToImmutableArray();

        await _keys.GetAsync(new SecretSource(Given.SecretKey), CancellationToken.None);
        Assert.True(gets == _gets, sentence);
    }

    private static BucketEncryptionPolicy Rename(BucketEncryptionPolicy policy, string ns, string name) => policy with { Metadata = policy.Metadata with { Namespace = ns, Name = name } };

    private void Add(BucketEncryptionPolicy policy) => _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Applied(policy));
}
