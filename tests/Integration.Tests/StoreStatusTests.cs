using System.Text.Json.Nodes;
using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>What a store's own status tells, without a policy and with one.</summary>
[Collection(ClusterTests.Name)]
public sealed class StoreStatusTests(ClusterFixture fixture)
{
    [Fact]
    public async Task A_store_tells_how_its_keys_are_and_what_the_vendor_says_of_them()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("archive");
        var fresh = await scene.Cluster.KubectlAsync(
            "-n",
            scene.Namespace,
            "get",
            "bucketstore",
            "oss",
            "-o",
            "jsonpath={.status.observedGeneration} {.status.conditions[0].status} {.status.conditions[0].reason}"
        );
        await using var op = await fixture.OperatorAsync(scene);

        await WhenReadyIsAsync(scene, "True", "KeysResolved", op);
        await scene.ApplyPolicyAsync("one", ["archive"]);
        await WhenReadyIsAsync(scene, "True", "KeysAccepted", op);
        scene.Vendor.Accounts.Set(Scene.KeyId, Scene.Account("another-secret"));
        await WhenReadyIsAsync(scene, "False", "CredentialsRejected", op);
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "another-secret"));
        await WhenReadyIsAsync(scene, "True", "KeysAccepted", op);
        await scene.Cluster.KubectlAsync(
            "-n",
            scene.Namespace,
            "patch",
            "bucketstore",
            "oss",
            "--type=merge",
            "-p",
            """{"spec": {"endpoint": "https://inside.example"}}"""
        );
        await WhenReadyIsAsync(scene, "False", "EndpointNotAllowed", op);
        var columns = await scene.Cluster.KubectlAsync("-n", scene.Namespace, "get", "bucketstore", "oss");

        Assert.Equal("-1 Unknown Pending", fresh.TrimEnd());
        Assert.Matches(
            "NAME +READY +REASON +VENDOR +REGION +ENDPOINT +AGE\noss +False +EndpointNotAllowed +AlibabaOSS",
            columns
        );
    }

    private static Task<JsonNode> WhenReadyIsAsync(Scene scene, string status, string reason, OperatorProcess op) =>
        scene.Cluster.WhenStoreReadyIsAsync("bucketstore", scene.Namespace, "oss", status, reason, () => op.Log);
}
