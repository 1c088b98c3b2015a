using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>What a user sees when something is wrong, and that it stays still.</summary>
[Collection(ClusterTests.Name)]
public sealed class FailingBucketsTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task Two_missing_and_one_denied_of_ten_are_told_apart_and_the_status_does_not_churn()
    {
        const int MoreResyncs = 4;
        var scene = await fixture.SceneAsync();
        var buckets = Enumerable.Range(0, 10).Select(i => $"tax-{i}").ToArray();
        scene.CreateBuckets(buckets.Where(b => b is not ("tax-3" or "tax-7")));
        scene.Vendor.DenyRules.Add(new DenyRule { Bucket = "tax-5" });
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("mixed", buckets);

        var policy = await scene.Cluster.WhenReadyIsAsync(
            scene.Namespace,
            "mixed",
            "False",
            "MultipleErrors",
            () => op.Log
        );
        var wide = await scene.Cluster.KubectlAsync("-n", scene.Namespace, "get", "bep", "-o", "wide");
        output.WriteLine(wide);
        Assert.Equal("7/10", policy["status"]?["summary"]?["text"]?.GetValue<string>());
        Assert.Contains("NoSuchBucket", wide, StringComparison.Ordinal);
        Assert.Contains("AccessDenied", wide, StringComparison.Ordinal);
        Assert.Equal("True", Cluster.Condition(policy, "Stalled")?["status"]?.GetValue<string>());
        Assert.Equal("Unknown", Cluster.Condition(policy, "Compliant")?["status"]?.GetValue<string>());
        var missing = Cluster.Row(policy, "tax-3");
        Assert.Equal(
            ("Failed", "NoSuchBucket", "0015-00000101", 404),
            (
                Text(missing["state"]),
                Text(missing["error"]?["code"]),
                Text(missing["error"]?["ec"]),
                missing["error"]?["httpStatus"]?.GetValue<int>()
            )
        );
        var denied = Cluster.Row(policy, "tax-5");
        Assert.Equal(
            ("Failed", "AccessDenied", 403),
            (Text(denied["state"]), Text(denied["error"]?["code"]), denied["error"]?["httpStatus"]?.GetValue<int>())
        );
        Assert.True(Text(denied["error"]?["requestId"]).Length > 0, "the request id is kept for the vendor's support");

        var seen = scene.Received("tax-5", Operations.Get);
        await Eventually.TrueAsync(
            "further failing resyncs",
            () => scene.Received("tax-5", Operations.Get) >= seen + MoreResyncs
        );
        var later = await scene.Cluster.PolicyAsync(scene.Namespace, "mixed");
        Assert.Equal(policy["status"]?.ToJsonString(), later["status"]?.ToJsonString());
        Assert.Equal(Text(policy["metadata"]?["resourceVersion"]), Text(later["metadata"]?["resourceVersion"]));
    }

    [Fact]
    public async Task A_vendor_that_fails_for_a_while_is_spoken_of_after_the_third_time_and_forgotten_when_it_is_back()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("shaky");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("one", ["shaky"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True");

        var fault = scene.Vendor.Faults.Add(
            new FaultRule
            {
                Bucket = "shaky",
                Action = FaultAction.Error,
                Status = 500,
                Code = "InternalError",
            }
        );
        var policy = await scene.Cluster.WhenReadyIsAsync(
            scene.Namespace,
            "one",
            "Unknown",
            "InternalError",
            () => op.Log
        );
        Assert.Equal("Unknown", Text(Cluster.Row(policy, "shaky")["state"]));
        Assert.True(scene.Received("shaky", Operations.Get) >= 4, "two failures are not spoken of");
        Assert.NotNull(Cluster.Condition(policy, "Reconciling"));
        Assert.Null(Cluster.Condition(policy, "Stalled"));

        scene.Vendor.Faults.Remove(fault.Id ?? "");
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
        Assert.Equal(1, scene.Writes("shaky"));
    }

    [Fact]
    public async Task A_rejected_key_costs_few_calls_and_a_mended_secret_is_noticed_by_itself()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("vault");
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "wrong-secret"));
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("one", ["vault"]);

        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "False", "CredentialsRejected", () => op.Log);
        var secretReads = AuditLog.Mark(fixture.Server.AuditLog);
        await Eventually.TrueAsync(
            "the Secret is looked at again",
            () => AuditLog.OperatorSince(fixture.Server.AuditLog, secretReads).Any(r => r.Resource == "secrets")
        );
        Assert.Equal(1, scene.Received("vault", Operations.Get));

        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "scene-secret"));
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
        Assert.DoesNotContain("wrong-secret", op.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("scene-secret", op.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_store_and_a_missing_secret_are_named_and_waited_for()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("later");
        await scene.Cluster.KubectlAsync("-n", scene.Namespace, "delete", "secret/oss-keys", "bucketstore/oss");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("one", ["later"]);
        var policy = await scene.Cluster.WhenReadyIsAsync(
            scene.Namespace,
            "one",
            "False",
            "StoreNotFound",
            () => op.Log
        );
        Assert.NotNull(Cluster.Condition(policy, "Reconciling"));

        await scene.Cluster.ApplyAsync(scene.StoreYaml());
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "False", "SecretNotFound", () => op.Log);

        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "scene-secret"));
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
    }

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";
}
