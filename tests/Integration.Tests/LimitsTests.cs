using Integration.Tests.Harness;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>A vendor that takes fewer requests than the store allows.</summary>
[Collection(ClusterTests.Name)]
public sealed class LimitsTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task The_rate_of_a_vendor_that_throttles_is_found_without_a_storm_and_all_is_done()
    {
        const double VendorRate = 10;
        var scene = await fixture.SceneAsync();
        var policies = Enumerable
            .Range(0, 12)
            .ToDictionary(
                i => $"policy-{i}",
                i => Enumerable.Range(0, 8).Select(b => $"slow-{i}-{b}").ToArray(),
                StringComparer.Ordinal
            );
        var buckets = policies.Values.SelectMany(b => b).ToList();
        scene.CreateBuckets(buckets);
        scene.Vendor.Faults.Add(
            new FaultRule
            {
                Action = FaultAction.Error,
                AbovePerSecond = VendorRate,
                Status = 503,
                Code = "MetaOperationQpsLimitExceeded",
            }
        );
        await scene.Cluster.ApplyAsync(
            string.Join("\n---\n", policies.Select(p => scene.PolicyYaml(p.Key, p.Value, resync: "10m")))
        );
        await using var op = await fixture.OperatorAsync(scene);

        // The first quarter is for finding the rate.
        await Eventually.TrueAsync("a quarter is written", () => Written(buckets) >= buckets.Count / 4, () => op.Log);
        var (from, before) = (TimeProvider.System.GetTimestamp(), scene.Vendor.Counters.Values.Total);
        await Eventually.TrueAsync("more is written", () => Written(buckets) >= buckets.Count * 3 / 5, () => op.Log);
        var (seconds, after) = (
            TimeProvider.System.GetElapsedTime(from).TotalSeconds,
            scene.Vendor.Counters.Values.Total
        );
        await Eventually.TrueAsync("all is written", () => Written(buckets) == buckets.Count, () => op.Log);
        foreach (var policy in policies.Keys)
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, policy, "True", detail: () => op.Log);

        var found = (after.Succeeded - before.Succeeded + Unconfigured(after) - Unconfigured(before)) / seconds;
        var total = scene.Vendor.Counters.Values.Total;
        var refused = total.Rejected.GetValueOrDefault("MetaOperationQpsLimitExceeded");
        output.WriteLine(
            $"vendor takes {VendorRate:0}/s: found {found:0.0}/s over {seconds:0} s; {total.Received} requests in "
                + $"all, {refused} refused ({100.0 * refused / total.Received:0.0} %); {buckets.Count} buckets done"
        );
        Assert.InRange(found, 0.8 * VendorRate, 1.2 * VendorRate);
        Assert.InRange(refused, 1, total.Received / 8);
    }

    private int Written(List<string> buckets) =>
        fixture.Vendor.World.Counters.Values.Writes.Count(w =>
            w.Accepted && w.Bucket is { } bucket && buckets.Contains(bucket)
        );

    /// <summary>A bucket without encryption is an error in the vendor's words, and an answer like any other.</summary>
    private static long Unconfigured(TallyValues tally) =>
        tally.Rejected.GetValueOrDefault("NoSuchServerSideEncryptionRule");
}
