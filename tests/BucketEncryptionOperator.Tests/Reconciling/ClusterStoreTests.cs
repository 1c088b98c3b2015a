using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A policy whose store is the cluster's: whose keys are used, and that the namespace's leave is asked at each look.
/// </summary>
public sealed class ClusterStoreTests : IAsyncLifetime
{
    private static readonly NamespacedName SecretOfTheCluster = new(Workbench.SecretNamespace, Given.SecretKey.Name);

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task The_Secret_beside_the_operator_is_used_and_not_one_of_the_same_name_beside_the_policy()
    {
        Start(new AllowedNamespacesSpec { Names = [Given.Namespace] });
        _bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "theirs"), ("accessKeySecret", "hush-theirs"));

        await _bench.SettleAsync();

        Assert.Equal("True", _bench.Status.Conditions.Find("Ready")?.Status);
        Assert.Equal(
            ["GET " + KubernetesFake.SecretPath(SecretOfTheCluster)],
            _bench.Kubernetes.Requests.Where(r => r.StartsWith("GET", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task A_namespace_that_is_not_allowed_costs_neither_a_vendor_call_nor_a_look_at_the_Secret()
    {
        Start(new AllowedNamespacesSpec { Names = ["team-b"] });

        await _bench.ReconcileAsync();

        Assert.Equal(
            ("False", "StoreNotAllowed"),
            (_bench.Status.Conditions.Find("Ready")?.Status, _bench.Status.Conditions.Find("Ready")?.Reason)
        );
        Assert.Empty(_bench.Vendor.Calls);
        Assert.DoesNotContain(_bench.Kubernetes.Requests, r => r.Contains("secrets", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_namespace_that_loses_its_label_loses_the_store_with_it()
    {
        Start(
            new AllowedNamespacesSpec
            {
                Selector = new LabelSelectorSpec
                {
                    MatchExpressions = [new LabelRequirementSpec { Key = "buckets", Operator = "Exists" }],
                },
            }
        );
        _bench.Put(Given.NamespaceWith(("buckets", "yes")));
        await _bench.SettleAsync();
        var before = _bench.Status.Conditions.Find("Ready")?.Status;
        var calls = _bench.Vendor.Calls.Count;
        var without = Given.NamespaceWith();
        _bench.Put(without with { Metadata = without.Metadata with { ResourceVersion = "2" } });

        await _bench.ReconcileAsync();

        Assert.Equal(("True", "StoreNotAllowed"), (before, _bench.Status.Conditions.Find("Ready")?.Reason));
        Assert.Equal(calls, _bench.Vendor.Calls.Count);
    }

    private void Start(AllowedNamespacesSpec allowed)
    {
        _bench.Vendor["finance-archive"] = new BucketEncryption.None();
        _bench.Kubernetes.PutSecret(
            SecretOfTheCluster,
            ("accessKeyId", "LTAI"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        _bench.Put(Given.ClusterStore(allowed));
        _bench.Put(Given.Policy() with { Spec = Given.Policy().Spec with { StoreRef = Given.ClusterStoreReference } });
    }
}
