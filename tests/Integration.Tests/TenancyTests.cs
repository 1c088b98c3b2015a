using System.Text.Json.Nodes;
using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// A namespace is a border: what a policy can reach through stores and Secrets, and what it learns of what it cannot.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class TenancyTests(ClusterFixture fixture)
{
    private const string Label = "example.com/buckets";

    [Fact]
    public async Task A_policy_reaches_neither_store_nor_Secret_of_another_namespace()
    {
        var (theirs, ours) = await NeighboursAsync();
        await ours.Cluster.KubectlAsync("-n", ours.Namespace, "delete", "bucketstore", "oss");
        await ours.Cluster.KubectlAsync("-n", ours.Namespace, "delete", "secret", "oss-keys");
        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        await using var op = await fixture.OperatorAsync(ours);

        await ours.ApplyPolicyAsync("borrower", ["borrowed"]);
        var noStore = await ours.Cluster.WhenReadyIsAsync(
            ours.Namespace,
            "borrower",
            "False",
            "StoreNotFound",
            () => op.Log
        );
        await ours.Cluster.ApplyAsync(ours.StoreYaml());
        var noSecret = await ours.Cluster.WhenReadyIsAsync(
            ours.Namespace,
            "borrower",
            "False",
            "SecretNotFound",
            () => op.Log
        );
        var borrowedSecret = await ours.Cluster.TryApplyAsync(
            ours.StoreYaml()
                .Replace(
                    "{name: oss-keys}",
                    $"{{name: oss-keys, namespace: {theirs.Namespace}}}",
                    StringComparison.Ordinal
                )
        );
        var borrowedStore = await ours.Cluster.TryApplyAsync(
            ours.PolicyYaml("second", ["borrowed"])
                .Replace("{name: oss}", $"{{name: oss, namespace: {theirs.Namespace}}}", StringComparison.Ordinal)
        );
        await op.TerminateAsync();

        Assert.Contains(
            "unknown field \"spec.credentials.secretRef.namespace\"",
            borrowedSecret.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("unknown field \"spec.storeRef.namespace\"", borrowedStore.Output, StringComparison.Ordinal);
        Assert.Equal(0, ours.Received("borrowed", ObjectStoreSimulator.Operations.Get));
        Assert.All(
            (JsonNode[])[noStore, noSecret],
            p => Assert.DoesNotContain(theirs.Namespace + "/", p["status"]!.ToJsonString(), StringComparison.Ordinal)
        );
        Assert.Equal($"{ours.Namespace}/oss-keys", SecretsRead(mark));
    }

    [Fact]
    public async Task A_store_of_the_cluster_serves_whom_it_allows_and_tells_others_nothing()
    {
        var (allowed, other) = await NeighboursAsync();
        var store = $"store-{allowed.Namespace}";
        foreach (var scene in (Scene[])[allowed, other])
            await scene.Cluster.KubectlAsync("-n", scene.Namespace, "delete", "bucketstore", "oss");
        await allowed.Cluster.ApplyAsync(ClusterStoreYaml(allowed, store, $"{{names: [{allowed.Namespace}]}}"));
        await MoveSecretAsync(allowed);
        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        await using var op = await OperatorAsync(allowed, other);

        await ApplyPolicyAsync(allowed, "user", "lent", store);
        await ApplyPolicyAsync(other, "user", "not-lent", store);
        await ApplyPolicyAsync(other, "guesser", "not-lent", "no-such-store");
        await allowed.Cluster.WhenReadyIsAsync(allowed.Namespace, "user", "True", detail: () => op.Log);
        var refused = await other.Cluster.WhenReadyIsAsync(
            other.Namespace,
            "user",
            "False",
            "StoreNotAllowed",
            () => op.Log
        );
        var absent = await other.Cluster.WhenReadyIsAsync(
            other.Namespace,
            "guesser",
            "False",
            "StoreNotAllowed",
            () => op.Log
        );
        await allowed.Cluster.WhenStoreReadyIsAsync(
            "clusterbucketstore",
            "",
            store,
            "True",
            "KeysAccepted",
            () => op.Log
        );
        var events = await other.Cluster.KubectlAsync(
            "-n",
            other.Namespace,
            "get",
            "events.events.k8s.io",
            "-o",
            "json"
        );
        await op.TerminateAsync();

        Assert.Equal(1, allowed.Writes("lent"));
        Assert.Equal(
            (0, 0),
            (other.Received("not-lent", ObjectStoreSimulator.Operations.Get), other.Writes("not-lent"))
        );
        Assert.Equal(Told(absent).Replace("no-such-store", store, StringComparison.Ordinal), Told(refused));
        foreach (var text in (string[])[refused["status"]!.ToJsonString(), events])
            Assert.All(
                (string[])
                    [
                        allowed.Endpoint.Authority,
                        "127.0.0.1",
                        "AlibabaOSS",
                        "cn-hangzhou",
                        "cluster-keys",
                        SecretNamespace(allowed),
                    ],
                secret => Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase)
            );
        Assert.Equal($"{SecretNamespace(allowed)}/cluster-keys", SecretsRead(mark));
    }

    [Fact]
    public async Task A_label_gives_a_namespace_the_store_and_takes_it_away()
    {
        var (owner, scene) = await NeighboursAsync();
        var store = $"store-{owner.Namespace}";
        await owner.Cluster.ApplyAsync(
            ClusterStoreYaml(owner, store, $"{{selector: {{matchLabels: {{{Label}: '{scene.Namespace}'}}}}}}")
        );
        await MoveSecretAsync(owner);
        await using var op = await OperatorAsync(owner, scene);
        await ApplyPolicyAsync(scene, "user", "lent", store);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "user", "False", "StoreNotAllowed", () => op.Log);

        await scene.Cluster.KubectlAsync("label", "namespace", scene.Namespace, $"{Label}={scene.Namespace}");
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "user", "True", detail: () => op.Log);
        await scene.Cluster.KubectlAsync("label", "namespace", scene.Namespace, $"{Label}-");
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "user", "False", "StoreNotAllowed", () => op.Log);
        var reads = scene.Received("lent", ObjectStoreSimulator.Operations.Get);
        // It is looked at once more, and not at the bucket
        await scene.Cluster.KubectlAsync("-n", scene.Namespace, "annotate", "bep", "user", "look=again");
        await ApplyPolicyAsync(scene, "second", "lent", store);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "second", "False", "StoreNotAllowed", () => op.Log);
        var readsAfter = scene.Received("lent", ObjectStoreSimulator.Operations.Get);
        await scene.Cluster.ApplyAsync(ClusterStoreYaml(owner, store, $"{{names: [{scene.Namespace}]}}"));
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "user", "True", detail: () => op.Log);

        Assert.Equal(reads, readsAfter);
        Assert.Equal(1, scene.Writes("lent"));
    }

    /// <summary>
    /// Two namespaces that know nothing of each other, with the buckets of these tests behind one vendor.
    /// </summary>
    private async Task<(Scene First, Scene Second)> NeighboursAsync()
    {
        var first = await fixture.SceneAsync();
        var second = await Scene.SetAsync(fixture.Cluster, fixture.Vendor, $"{first.Namespace}-b");
        first.CreateBuckets("lent", "not-lent", "borrowed");
        return (first, second);
    }

    private Task<OperatorProcess> OperatorAsync(Scene first, Scene second) =>
        fixture.OperatorAsync(
            first,
            "--watch-namespaces",
            second.Namespace,
            "--cluster-stores",
            "--cluster-resource-namespace",
            SecretNamespace(first)
        );

    /// <summary>The Secrets that the operator has asked for since, each once.</summary>
    private string SecretsRead(long mark) =>
        string.Join(
            ' ',
            AuditLog
                .OperatorSince(fixture.Server.AuditLog, mark)
                .Where(r => r.Resource == "secrets")
                .Select(r => $"{r.Namespace}/{r.Name}")
                .Distinct(StringComparer.Ordinal)
        );

    private static string SecretNamespace(Scene scene) => $"{scene.Namespace}-operator";

    /// <summary>To where the cluster's stores have theirs, and under another name.</summary>
    private static async Task MoveSecretAsync(Scene scene)
    {
        await scene.Cluster.KubectlAsync("create", "namespace", SecretNamespace(scene));
        await scene.Cluster.ApplyAsync(
            Scene
                .SecretYaml(SecretNamespace(scene), "scene-secret")
                .Replace("oss-keys", "cluster-keys", StringComparison.Ordinal)
        );
        await scene.Cluster.KubectlAsync("-n", scene.Namespace, "delete", "secret", "oss-keys");
    }

    private static string ClusterStoreYaml(Scene scene, string name, string allowed) =>
        scene
            .StoreYaml()
            .Replace("kind: BucketStore", "kind: ClusterBucketStore", StringComparison.Ordinal)
            .Replace($"{{name: oss, namespace: {scene.Namespace} }}", $"{{name: {name}}}", StringComparison.Ordinal)
            .Replace("oss-keys", "cluster-keys", StringComparison.Ordinal) + $"\n  allowedNamespaces: {allowed}";

    private static Task<string> ApplyPolicyAsync(Scene scene, string name, string bucket, string store) =>
        scene.Cluster.ApplyAsync(
            scene
                .PolicyYaml(name, [bucket])
                .Replace("{name: oss}", $"{{kind: ClusterBucketStore, name: {store}}}", StringComparison.Ordinal)
        );

    private static string Told(JsonNode policy) =>
        string.Join(
            '\n',
            policy["status"]!["conditions"]!
                .AsArray()
                .Select(c => $"{c!["type"]} {c["status"]} {c["reason"]} {c["message"]}")
        );
}
