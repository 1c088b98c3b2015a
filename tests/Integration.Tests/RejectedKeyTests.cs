using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using ObjectStoreSimulator;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>What a key that is switched off costs, and what is seen of one that is replaced in time.</summary>
[Collection(ClusterTests.Name)]
public sealed class RejectedKeyTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Policies = 100;
    private const string AsDeclared =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "<KMSMasterKeyID>key-1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    [Fact]
    public async Task A_hundred_policies_with_a_revoked_key_cost_two_calls_a_minute_and_are_ready_soon_after_the_mend()
    {
        var scene = await fixture.SceneAsync();
        var names = Enumerable.Range(0, Policies).Select(i => $"policy-{i}").ToArray();
        scene.CreateBuckets(names.Select(BucketOf));
        foreach (var name in names)
            // As it is when a key is revoked that worked
            scene.Vendor.Buckets.SetEncryptionBehindTheBack(BucketOf(name), AsDeclared);
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "revoked-secret"));
        await scene.Cluster.ApplyAsync(string.Join("\n---\n", names.Select(n => scene.PolicyYaml(n, [BucketOf(n)]))));
        await using var op = await fixture.OperatorAsync(scene);

        await WhenAllAreAsync(scene, "False", "CredentialsRejected", op);
        // Each policy looks again after a second: long enough for thousands of calls, were they made.
        var rejectedAt = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(
            "half a minute of rejection",
            () => TimeProvider.System.GetElapsedTime(rejectedAt) > TimeSpan.FromSeconds(30)
        );
        var calls = scene.Vendor.Counters.Values.Total.Received;

        var mendedAt = TimeProvider.System.GetTimestamp();
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(scene.Namespace, "scene-secret"));
        await WhenAllAreAsync(scene, "True", "InSync", op);
        var ready = TimeProvider.System.GetElapsedTime(mendedAt);

        output.WriteLine(
            $"{Policies} policies, key revoked for "
                + $"{TimeProvider.System.GetElapsedTime(rejectedAt, mendedAt).TotalSeconds:0} s and more: {calls} "
                + $"vendor calls; all Ready {ready.TotalSeconds:0.0} s after the Secret was mended"
        );
        Assert.InRange(calls, 1, 2);
        Assert.InRange(ready, TimeSpan.Zero, TimeSpan.FromSeconds(30)); // no back-off is waited out
    }

    [Fact]
    public async Task A_key_that_is_replaced_before_the_old_one_is_switched_off_lets_no_policy_leave_ready()
    {
        var scene = await fixture.SceneAsync();
        var names = Enumerable.Range(0, 20).Select(i => $"policy-{i}").ToArray();
        scene.CreateBuckets(names.Select(BucketOf));
        await scene.Cluster.ApplyAsync(string.Join("\n---\n", names.Select(n => scene.PolicyYaml(n, [BucketOf(n)]))));
        await using var op = await fixture.OperatorAsync(scene);
        await WhenAllAreAsync(scene, "True", "InSync", op);

        scene.Vendor.Accounts.Set("next-key", Scene.Account("next-secret"));
        await scene.Cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: oss-keys, namespace: {{scene.Namespace}} }
            stringData: {accessKeyId: next-key, accessKeySecret: next-secret}
            """
        );
        var before = await PoliciesAsync(scene);
        scene.Vendor.Accounts.Set(Scene.KeyId, Scene.Account("scene-secret") with { Enabled = false });
        var seen = names.ToDictionary(n => n, n => scene.Received(BucketOf(n), Operations.Get), StringComparer.Ordinal);
        await Eventually.TrueAsync(
            "each policy has looked three times more",
            () => names.All(n => scene.Received(BucketOf(n), Operations.Get) >= seen[n] + 3),
            () => op.Log
        );

        var after = await PoliciesAsync(scene);
        var rejected = scene.Vendor.Counters.Values.Total.Rejected.GetValueOrDefault("InvalidAccessKeyId");
        output.WriteLine(
            $"{names.Length} policies went over to the new key; {rejected} calls were made with the old one"
        );
        Assert.Equal(Told(before), Told(after)); // nothing but inputs was written: Ready was never left
        Assert.DoesNotContain("CredentialsRejected", op.Log, StringComparison.Ordinal);
        Assert.InRange(rejected, 1, 8);
    }

    private static string BucketOf(string policy) => "of-" + policy;

    private static Task<JsonArray> PoliciesAsync(Scene scene) => scene.Cluster.PoliciesAsync(scene.Namespace);

    private static string Told(JsonArray policies) =>
        string.Join(
            '\n',
            policies
                .Select(p => $"{p?["metadata"]?["name"]}: {p?["status"]?["conditions"]} {p?["status"]?["buckets"]}")
                .Order(StringComparer.Ordinal)
        );

    private static Task WhenAllAreAsync(Scene scene, string status, string reason, OperatorProcess op) =>
        Eventually.TrueAsync(
            $"all policies are Ready={status} {reason}",
            async () =>
                (await PoliciesAsync(scene)).All(p =>
                    p is not null
                    && Cluster.Condition(p, "Ready") is { } ready
                    && ready["status"]?.GetValue<string>() == status
                    && ready["reason"]?.GetValue<string>() == reason
                ),
            () => op.Log
        );
}
