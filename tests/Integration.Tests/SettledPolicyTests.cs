using Integration.Tests.Harness;
using ObjectStoreSimulator;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>What it costs to keep what is already right.</summary>
[Collection(ClusterTests.Name)]
public sealed class SettledPolicyTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private static readonly string[] TenBuckets = [.. Enumerable.Range(0, 10).Select(i => $"ledger-{i}")];

    [Fact]
    public async Task A_settled_policy_makes_one_read_per_bucket_and_resync_and_no_write_and_no_request_to_kubernetes()
    {
        const int Resyncs = 5;
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(TenBuckets);
        var start = AuditLog.Mark(fixture.Server.AuditLog);
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("ten", TenBuckets);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "ten", "True", detail: () => op.Log);
        await scene.Cluster.WhenStoreReadyIsAsync(
            "bucketstore",
            scene.Namespace,
            "oss",
            "True",
            "KeysAccepted",
            () => op.Log
        );

        // Events are sent beside the reconciles, and may come after the status.
        await Eventually.TrueAsync(
            "the event of the ten writes is recorded",
            () =>
                AuditLog
                    .OperatorSince(fixture.Server.AuditLog, start)
                    .Any(r => r is { Verb: "create", Resource: "events" } && r.Namespace == scene.Namespace),
            () => op.Log
        );

        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        scene.Vendor.Counters.Clear();
        await Eventually.TrueAsync(
            "resyncs",
            () => TenBuckets.All(b => scene.Received(b, Operations.Get) >= Resyncs),
            () => op.Log
        );

        var counters = scene.Vendor.Counters.Values;
        var requests = AuditLog.OperatorSince(fixture.Server.AuditLog, mark);
        var reads = TenBuckets.Select(b => scene.Received(b, Operations.Get)).ToList();
        output.WriteLine(
            $"vendor reads a bucket: {string.Join(' ', reads)}; vendor requests in all: {counters.Total.Received}; "
                + $"vendor writes: {counters.Writes.Length}"
        );
        output.WriteLine($"Kubernetes requests: {(requests.Count == 0 ? "none" : string.Join(", ", requests))}");
        Assert.True(reads.Max() - reads.Min() <= 1, "every resync reads every bucket once");
        Assert.Equal(counters.Total.Received, reads.Sum());
        Assert.Empty(counters.Writes);
        Assert.DoesNotContain(requests, r => r.Verb != "watch" && !(r.Verb == "get" && r.Resource == "secrets"));
        Assert.True(requests.Count(r => r.Resource == "secrets") <= 1, "the Secret is read every 5 minutes");
    }

    [Fact]
    public async Task A_resync_that_finds_drift_writes_once_and_says_so()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("drifting");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("one", ["drifting"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True");
        Assert.Equal(1, scene.Writes("drifting"));

        scene.Vendor.Buckets.SetEncryptionBehindTheBack("drifting", xml: null);
        await Eventually.TrueAsync(
            "the drift is corrected",
            () =>
                scene.Vendor.Buckets.StoredEncryption("drifting")?.Contains("key-1", StringComparison.Ordinal) == true,
            () => op.Log
        );

        await Eventually.TrueAsync("it is read again", () => scene.Received("drifting", Operations.Get) >= 6);
        Assert.Equal(2, scene.Writes("drifting"));
        Assert.Contains(
            "Bucket drifting: encryption applied, from None to KMS with key key-1",
            op.Log,
            StringComparison.Ordinal
        );
    }
}
