using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// Writes stop when they are not wanted any more. What is known about a key or an owner stays where it belongs.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class EvidenceTests(ClusterFixture fixture, ITestOutputHelper output)
{
    /// <summary>
    /// As many buckets as the CRD allows in a policy: about 50 seconds of work at a store's 20 requests a second.
    /// </summary>
    private static readonly string[] Many = [.. Enumerable.Range(0, 256).Select(i => $"many-{i}")];

    /// <summary>The default of --bucket-concurrency.</summary>
    private const int BucketConcurrency = 8;

    [Theory]
    [InlineData("suspend", "{\"spec\":{\"suspend\":true}}")]
    [InlineData("mode Audit", "{\"spec\":{\"mode\":\"Audit\"}}")]
    [InlineData("deletion", "")]
    public async Task A_running_pass_ends_before_its_next_write_after(string change, string patch)
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Many);
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("many", Many, resync: "10m");
        await Eventually.TrueAsync("two buckets are written", () => Accepted(scene).Count >= 2, () => op.Log);

        if (patch.Length > 0)
            await PatchAsync(scene, "many", patch);
        else
            await scene.Cluster.KubectlAsync("-n", scene.Namespace, "delete", "bep", "many", "--wait=false");
        var answered = Now;
        await WhenQuietAsync(scene, TimeSpan.FromSeconds(5));

        var writes = Accepted(scene);
        var after = writes.Count(w => w.Time > answered);
        var late = writes.Count(w => w.Time > answered + TimeSpan.FromSeconds(1));
        output.WriteLine(
            $"{change}: {writes.Count} of {Many.Length} buckets written, "
                + $"{after} after the API server's answer, {late} later than a second after it"
        );
        Assert.InRange(after, 0, BucketConcurrency);
        Assert.Equal(0, late);
        if (patch.Length > 0)
        {
            await Eventually.TrueAsync(
                "what was written is reported",
                async () => await InSyncAsync(scene, "many") == writes.Count,
                () => op.Log
            );
        }
    }

    [Fact]
    public async Task Policies_that_agree_with_a_suspended_owner_ask_nobody_anything()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("agreed");
        await using var op = await fixture.OperatorAsync(scene);
        foreach (var name in (string[])["a", "b", "c"])
        {
            await scene.ApplyPolicyAsync(name, ["agreed"], resync: "10m");
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "True", detail: () => op.Log);
            // creationTimestamp has whole seconds, and the first policy must be the oldest.
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }
        await PatchAsync(scene, "a", "{\"spec\":{\"suspend\":true}}");
        scene.Vendor.Buckets.SetEncryptionBehindTheBack("agreed", xml: null);
        foreach (var name in (string[])["b", "c"])
        {
            await scene.Cluster.KubectlAsync(
                "-n",
                scene.Namespace,
                "annotate",
                "bep",
                name,
                "reconcile.fluxcd.io/requestedAt=now"
            );
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "False", "OwnerSuspended", () => op.Log);
        }

        await QuietKubernetesAsync();
        var (mark, before) = (AuditLog.Mark(fixture.Server.AuditLog), scene.Vendor.Counters.Values.Total.Received);
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);

        var vendor = scene.Vendor.Counters.Values.Total.Received - before;
        var kubernetes = RequestsSince(mark);
        output.WriteLine(
            "three policies that agree, the owner suspended, 10 s: "
                + $"{vendor} requests to the vendor, {kubernetes} to Kubernetes"
        );
        Assert.Equal((0, 0), (vendor, kubernetes));
    }

    [Fact]
    public async Task A_region_that_does_not_know_a_key_takes_it_and_its_bucket_from_no_other_region()
    {
        var scene = await fixture.SceneAsync();
        await using var elsewhere = new TcpProxy(scene.Endpoint.Port); // another endpoint, so another region
        var there = $"http://127.0.0.1:{elsewhere.Port}";
        scene.CreateBuckets("healthy", "abroad");
        scene.Vendor.Accounts.Set("other-key", Scene.Account("other-secret"));
        scene.Vendor.Faults.Add(
            new FaultRule
            {
                Bucket = "abroad",
                Action = FaultAction.Error,
                Status = 403,
                Code = "InvalidAccessKeyId",
            }
        );
        await using var op = await fixture.OperatorAsync(scene, "--allowed-endpoints", there);
        var other = Replaced(Replaced(scene.StoreYaml(), "name: oss,", "name: other,"), "oss-keys", "other-keys");
        await scene.Cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: other-keys, namespace: {{scene.Namespace}}}
            stringData: {accessKeyId: other-key, accessKeySecret: other-secret}
            ---
            {{other}}
            """
        );
        await scene.ApplyPolicyAsync("elder", ["healthy"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "elder", "True", detail: () => op.Log);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System); // creationTimestamp has whole seconds
        var younger = scene.PolicyYaml("younger", ["healthy"], "{algorithm: KMS, kmsKey: {id: key-2}}");
        await scene.Cluster.ApplyAsync(Replaced(younger, "storeRef: {name: oss}", "storeRef: {name: other}"));
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "younger", "False", "BucketConflict", () => op.Log);

        var abroad = scene.PolicyYaml("abroad", ["abroad"]);
        await scene.Cluster.ApplyAsync(
            Replaced(scene.StoreYaml(there), "name: oss,", "name: abroad,")
                + "\n---\n"
                + Replaced(abroad, "storeRef: {name: oss}", "storeRef: {name: abroad}")
        );
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "abroad", "False", "CredentialsRejected", () => op.Log);
        var reads = scene.Received("healthy", Operations.Get);
        await Eventually.TrueAsync(
            "the other region is asked on",
            () => scene.Received("healthy", Operations.Get) >= reads + 10,
            () => op.Log
        );

        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "elder", "True", "InSync", () => op.Log);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "younger", "False", "BucketConflict", () => op.Log);
        output.WriteLine(
            "a key that one region rejects: "
                + $"{scene.Received("healthy", Operations.Get) - reads} reads in the other meanwhile, "
                + $"{scene.Writes("healthy")} write in all; "
                + $"{scene.Received("abroad", Operations.Get)} request(s) where it is rejected"
        );
        Assert.Equal(1, scene.Writes("healthy"));
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private static List<Write> Accepted(Scene scene) => [.. scene.Vendor.Counters.Values.Writes.Where(w => w.Accepted)];

    private static async Task WhenQuietAsync(Scene scene, TimeSpan duration)
    {
        for (var (count, since) = (-1, Now); Now - since < duration; )
        {
            if (Accepted(scene).Count is var now && now != count)
                (count, since) = (now, Now);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>
    /// Counts the operator's requests, without events of the last change and keys that are read again.
    /// </summary>
    private int RequestsSince(long mark) =>
        AuditLog
            .OperatorSince(fixture.Server.AuditLog, mark)
            .Count(r => r.Verb != "watch" && r.Resource is not ("events" or "secrets"));

    /// <summary>Waits until the statuses of the last change are stored.</summary>
    private Task QuietKubernetesAsync() =>
        Eventually.TrueAsync(
            "nothing is sent for two seconds",
            async () =>
            {
                var mark = AuditLog.Mark(fixture.Server.AuditLog);
                await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
                return RequestsSince(mark) == 0;
            }
        );

    private static async Task<int> InSyncAsync(Scene scene, string policy)
    {
        var stored = await scene.Cluster.PolicyAsync(scene.Namespace, policy);
        return stored["status"]!["buckets"]!.AsArray().Count(b => b!["state"]!.GetValue<string>() == "InSync");
    }

    private static Task<string> PatchAsync(Scene scene, string policy, string patch) =>
        scene.Cluster.KubectlAsync("-n", scene.Namespace, "patch", "bep", policy, "--type=merge", "-p", patch);

    private static string Replaced(string yaml, string from, string to) =>
        yaml.Replace(from, to, StringComparison.Ordinal);
}
