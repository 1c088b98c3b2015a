using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>Several policies on one account: who lists, who owns, and what a namespace may see.</summary>
public sealed partial class SelectorTests
{
    private static readonly NamespacedName Second = new(Given.Namespace, "second");
    private static readonly NamespacedName Elsewhere = new("team-b", "elsewhere");

    [Fact]
    public async Task Policies_with_one_key_share_one_list()
    {
        Buckets("alpha", "beta");
        _bench.Start(Selector(["a*"]));
        Put(Second, Selector(["b*"]), age: 1);

        await _bench.SettleAsync();
        await _bench.SettleAsync(Second);

        Assert.Equal((Aes, Aes), (Has("alpha"), Has("beta")));
        Assert.Equal((1, 1), (_bench.Account.Lists, _bench.Inventories.Count));
    }

    [Fact]
    public async Task A_policy_whose_bucket_a_new_list_shows_is_woken_and_others_are_not()
    {
        Buckets("alpha");
        _bench.Start(Selector(["a*"]));
        Put(Second, Selector(["b*"]), age: 1);
        Put(new NamespacedName(Given.Namespace, "third"), Selector(["c*"]), age: 2);
        await _bench.SettleAsync();
        await _bench.SettleAsync(Second);
        await _bench.SettleAsync(new NamespacedName(Given.Namespace, "third"));
        _bench.Woken.Clear();

        Buckets("beta");
        _bench.Time.Advance(Resync);
        await _bench.SettleAsync();

        Assert.Equal([Second], _bench.Woken.Distinct());
    }

    [Fact]
    public async Task When_the_policy_that_lists_goes_another_one_takes_over()
    {
        Buckets("alpha", "beta");
        _bench.Start(Selector(["a*"]));
        Put(Second, Selector(["b*"]), age: 1);
        await _bench.SettleAsync();
        await _bench.SettleAsync(Second);
        _bench.Woken.Clear();

        _bench.Delete(Given.PolicyKey);
        await _bench.ReconcileAsync();
        var woken = _bench.Woken.Distinct().ToList();
        var next = Assert.IsType<ReconcileResult.After>(await _bench.ReconcileAsync(Second));
        _bench.Delete(Second);
        await _bench.ReconcileAsync(Second);

        Assert.Equal([Second], woken);
        Assert.True(next.Delay <= Resync, $"{next.Delay}");
        Assert.Equal(0, _bench.Inventories.Count);
    }

    [Theory]
    [InlineData("suspended")]
    [InlineData("it names its buckets now")]
    [InlineData("its store is gone")]
    public async Task A_policy_that_selects_nothing_any_more_leaves_the_inventory(string why)
    {
        Buckets("alpha");
        await _bench.Start(Selector(["*"])).SettleAsync();

        if (why == "suspended")
            Spec(s => s with { Suspend = true });
        else if (why == "its store is gone")
            _bench.RemoveStore(Given.StoreKey);
        else
            Spec(s => s with { BucketSelector = null, Buckets = [new BucketReference { Name = "alpha" }] });
        await _bench.ReconcileAsync();

        Assert.Equal(0, _bench.Inventories.Count);
        Assert.Equal(["alpha"], Rows());
    }

    [Fact]
    public async Task Who_knows_only_the_id_of_an_access_key_sees_nothing_of_its_account()
    {
        Buckets("alpha");
        _bench.Start(Selector(["*"]));
        Team(Elsewhere.Namespace, id: "LTAI", secret: "hush-guessed");
        Put(Elsewhere, Selector(["*"]), age: 1);
        await _bench.SettleAsync();

        await _bench.ReconcileAsync(Elsewhere);

        Assert.Empty(StatusOf(Elsewhere).Buckets);
        Assert.Null(StatusOf(Elsewhere).Discovery);
        Assert.Equal("False", StatusOf(Elsewhere).Conditions.Find("Ready")?.Status);
    }

    [Fact]
    public async Task A_policy_that_names_the_bucket_goes_before_a_selector_of_its_namespace()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        var named = Given
            .Policy("alpha")
            .With(
                new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = "k-1" },
                }
            );
        Put(Second, named, age: 1);

        await _bench.SettleAsync(Second);
        await _bench.SettleAsync();
        var (taken, ready, compliant, discovery) = (Has("alpha"), Ready(), Compliant(), _bench.Status.Discovery!);
        var writes = Writes();
        await _bench.SettleAsync();
        var quiet = Writes() == writes;
        _bench.Delete(Second);
        await _bench.ReconcileAsync(Second);
        Spec(s => s with { AllowDowngrade = true });
        await _bench.SettleAsync();

        Assert.Equal(Kms, taken);
        Assert.Equal((("True", "OwnedByOthers"), ("False", "OwnedByOthers")), (ready, compliant));
        Assert.Equal((1, 1), (discovery.OwnedByOthers, discovery.OwnedByOthersNotAsDeclared));
        Assert.True(quiet);
        Assert.Equal((Aes, ("True", "InSync")), (Has("alpha"), Ready()));
    }

    [Fact]
    public async Task Buckets_of_others_that_differ_do_not_hide_why_another_one_cannot_be_read()
    {
        Buckets("alpha", "beta");
        await _bench.Start(Selector(["*"])).SettleAsync();
        Put(Second, Given.Policy("alpha").With(new EncryptionSpec { Algorithm = "KMS" }), age: 1);
        await _bench.SettleAsync(Second);
        await _bench.SettleAsync();
        var noted = Ready();
        _bench.Vendor.Faults = (_, call) =>
            call.Bucket == "beta"
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500))
                : null;

        for (var i = 0; i < 3; i++)
            await _bench.ReconcileAsync();

        Assert.Equal((("True", "OwnedByOthers"), ("Unknown", "InternalError")), (noted, Ready()));
    }

    [Theory]
    [InlineData("the selector is older", -1, false)]
    [InlineData("the naming policy is older", 1, true)]
    public async Task Between_namespaces_age_decides(string sentence, int selectorAge, bool isTaken)
    {
        Buckets("alpha");
        _bench.Vendor.GoodSecret = null;
        Team(Elsewhere.Namespace, "OTHER", "hush-other");
        _bench.Start(Given.Policy("alpha") with { Metadata = Selector(["*"]).Metadata });
        Put(Elsewhere, Selector(["*"]) with { }, age: selectorAge);
        Spec(
            Elsewhere,
            s =>
                s with
                {
                    Encryption = new EncryptionSpec { Algorithm = "SM4" },
                    AllowDowngrade = true,
                }
        );

        foreach (var _ in Enumerable.Range(0, 3))
        {
            await _bench.SettleAsync();
            await _bench.SettleAsync(Elsewhere);
        }

        Assert.True(isTaken == (Has("alpha") == Aes), $"{sentence}: {Has("alpha")}");
        var selector = StatusOf(Elsewhere);
        Assert.Equal("True", selector.Conditions.Find("Ready")?.Status);
        Assert.Equal(isTaken ? "OwnedByOthers" : "AsDeclared", selector.Conditions.Find("Compliant")?.Reason);
    }

    /// <summary>Named before selector, and age between namespaces: without care the order goes in a circle.</summary>
    [Fact]
    public async Task A_naming_policy_is_as_old_as_the_selector_before_which_it_goes()
    {
        Buckets("alpha");
        _bench.Vendor.GoodSecret = null;
        Team(Elsewhere.Namespace, "OTHER", "hush-other");
        _bench.Start(Selector(["*"])); // the oldest
        Put(Elsewhere, Given.Policy("alpha").With(new EncryptionSpec { Algorithm = "SM4" }), age: 1);
        Put(Second, Given.Policy("alpha").With(new EncryptionSpec { Algorithm = "KMS" }), age: 2);
        NamespacedName[] all = [Given.PolicyKey, Elsewhere, Second];
        foreach (var key in all.Concat(all).Concat(all))
            await _bench.SettleAsync(key);

        Assert.IsType<BucketEncryption.Kms>(Has("alpha"));
        Assert.Equal("BucketConflict", StatusOf(Elsewhere).Conditions.Find("Ready")?.Reason);
        Assert.Equal("InSync", StatusOf(Second).Conditions.Find("Ready")?.Reason);
    }

    [Fact]
    public async Task A_bucket_that_leaves_a_selector_goes_to_the_next_policy()
    {
        Buckets("alpha");
        _bench.Start(Selector(["*"]));
        Put(Second, Selector(["a*"]) with { }, age: 1);
        Spec(
            Second,
            s =>
                s with
                {
                    Encryption = new EncryptionSpec { Algorithm = "SM4" },
                    AllowDowngrade = true,
                }
        );
        await _bench.SettleAsync();
        await _bench.SettleAsync(Second);
        var before = Has("alpha");
        _bench.Woken.Clear();

        Change(s => s with { ExcludeNames = ["alpha"] });
        await _bench.SettleAsync();
        var woken = _bench.Woken.Contains(Second);
        await _bench.SettleAsync(Second);

        Assert.Equal(Aes, before);
        Assert.True(woken);
        Assert.Equal(new BucketEncryption.Sm4(), Has("alpha"));
    }

    [Fact]
    public async Task A_store_of_the_cluster_lets_a_namespace_select_what_its_owner_says()
    {
        Buckets("team-a-ledger", "team-b-ledger");
        var none = new AllowedNamespacesSpec { Names = [Given.Namespace] };
        StartAtClusterStore(none);
        await _bench.ReconcileAsync();
        var (refused, compliant, calls) = (Ready(), Compliant(), _bench.Account.Calls.Count);

        _bench.Put(Version(Given.ClusterStore(none with { SelectableBuckets = ["{namespace}-*"] }), "2"));
        await _bench.SettleAsync();
        var (rows, discovery) = (Rows(), _bench.Status.Discovery!);
        _bench.Put(Version(Given.ClusterStore(none with { SelectableBuckets = ["other-*"] }), "3"));
        await _bench.SettleAsync();

        Assert.Equal((("False", "SelectorNotAllowed"), ("Unknown", "NotRead"), 0), (refused, compliant, calls));
        Assert.Equal([$"{Given.Namespace}-ledger"], rows);
        Assert.Equal((1, 0, 0), (discovery.Matched, discovery.Excluded, discovery.NotCovered));
        Assert.Empty(Rows());
        Assert.Equal(1, Writes());
    }

    [Fact]
    public async Task A_store_of_the_cluster_that_lets_nobody_select_any_more_takes_the_names_with_it()
    {
        Buckets($"{Given.Namespace}-ledger");
        var allowed = new AllowedNamespacesSpec { Names = [Given.Namespace], SelectableBuckets = ["{namespace}-*"] };
        StartAtClusterStore(allowed);
        await _bench.SettleAsync();
        var rows = Rows();

        _bench.Put(Version(Given.ClusterStore(allowed with { SelectableBuckets = null }), "2"));
        await _bench.ReconcileAsync();

        Assert.Single(rows);
        Assert.Equal(("False", "SelectorNotAllowed"), Ready());
        Assert.Empty(Rows());
        Assert.Null(_bench.Status.Discovery);
    }

    /// <summary>The model found it: a failure that passes by itself left the status as it was, names and all.</summary>
    [Fact]
    public async Task Names_that_a_namespace_may_not_select_any_more_go_also_while_the_keys_cannot_be_read()
    {
        Buckets($"{Given.Namespace}-ledger", $"{Given.Namespace}-other");
        var allowed = new AllowedNamespacesSpec { Names = [Given.Namespace], SelectableBuckets = ["{namespace}-*"] };
        StartAtClusterStore(allowed);
        await _bench.SettleAsync();
        var (rows, ready) = (Rows(), Ready());

        _bench.Restart();
        _bench.Kubernetes.Faults = (_, line) =>
            line.Contains("/secrets/", StringComparison.Ordinal) ? KubernetesFake.Status(500, "slow") : null;
        _bench.Put(Version(Given.ClusterStore(allowed with { SelectableBuckets = ["*-ledger"] }), "2"));
        await _bench.ReconcileAsync();

        Assert.Equal(2, rows.Count);
        Assert.Equal([$"{Given.Namespace}-ledger"], Rows());
        Assert.Equal((ready, "1/1"), (Ready(), _bench.Status.Summary?.Text));
    }

    [Fact]
    public async Task A_bucket_is_not_released_while_a_selector_that_may_want_it_has_no_list()
    {
        Buckets("alpha");
        var leaving = Given.Policy("alpha");
        leaving = leaving with { Spec = leaving.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } };
        await _bench.Start(leaving).SettleAsync();
        _bench.Account.Faults = _ => InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403);
        Put(Second, Selector(["*"]), age: 1);
        await _bench.SettleAsync(Second);

        _bench.Delete(Given.PolicyKey);
        await _bench.ReconcileAsync();
        _bench.Time.Advance(TimeSpan.FromSeconds(5));
        await _bench.ReconcileAsync();
        var waits = Has("alpha");
        _bench.Account.Faults = _ => null;
        _bench.Time.Advance(TimeSpan.FromSeconds(5));
        await _bench.SettleAsync(Second);
        await _bench.ReconcileAsync();

        Assert.Equal(Aes, waits);
        Assert.Null(_bench.Kubernetes.Find(Given.PolicyKey));
        Assert.Equal((Aes, 0), (Has("alpha"), _bench.Vendor.Count("Delete")));
    }

    private static ClusterBucketStore Version(ClusterBucketStore store, string version) =>
        store with
        {
            Metadata = store.Metadata with { ResourceVersion = version, Generation = 1 + version[0] - '1' },
        };

    private void StartAtClusterStore(AllowedNamespacesSpec allowed)
    {
        _bench.Kubernetes.PutSecret(
            new NamespacedName(Workbench.SecretNamespace, Given.SecretKey.Name),
            ("accessKeyId", "LTAI"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        _bench.Put(Given.ClusterStore(allowed));
        var policy = Selector(["*"]);
        _bench.Put(policy with { Spec = policy.Spec with { StoreRef = Given.ClusterStoreReference } });
    }

    private PolicyStatus StatusOf(NamespacedName key) => _bench.Kubernetes.Read(key).Status ?? new PolicyStatus();

    private void Team(string ns, string id, string secret)
    {
        _bench.Kubernetes.PutSecret(
            new NamespacedName(ns, Given.SecretKey.Name),
            ("accessKeyId", id),
            ("accessKeySecret", secret)
        );
        var store = Given.Store();
        _bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns } });
    }

    /// <param name="age">In minutes after the policy of the test; before it where negative.</param>
    private void Put(NamespacedName key, BucketEncryptionPolicy policy, int age) =>
        _bench.Put(
            policy with
            {
                Metadata = policy.Metadata with
                {
                    Name = key.Name,
                    Namespace = key.Namespace,
                    Uid = key.Name,
                    CreationTimestamp = Epoch + TimeSpan.FromMinutes(age),
                },
            }
        );

    private void Spec(NamespacedName key, Func<PolicySpec, PolicySpec> change)
    {
        var now = _bench.Kubernetes.Read(key);
        _bench.Put((now with { Spec = change(now.Spec) }).NextGeneration());
    }
}
