using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>Two operators, one lease: however the first ends, the second takes over, and never do both write.</summary>
[Collection(ClusterTests.Name)]
public sealed class LeaderElectionTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const string Bucket = "led";
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task An_orderly_stop_of_the_leader_hands_over_in_seconds()
    {
        var scene = await fixture.SceneAsync();
        await using var first = await LeaderAsync(scene);
        await using var second = await StandbyAsync(scene);
        await WorksAsync(scene, first, "before");
        await AskedForNothingAsync(scene, second);

        var exit = first.TerminateAsync();
        var since = TimeProvider.System.GetTimestamp();
        await WorksAsync(scene, second, "after");
        var took = TimeProvider.System.GetElapsedTime(since);

        output.WriteLine($"SIGTERM: the standby had put its first bucket right after {took.TotalSeconds:0.0} s");
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal(0, await exit);
        Assert.Contains("Lease released", first.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_crash_of_the_leader_the_standby_takes_over_when_the_lease_has_run_out()
    {
        var scene = await fixture.SceneAsync();
        await using var first = await LeaderAsync(scene);
        await using var second = await StandbyAsync(scene);
        await WorksAsync(scene, first, "before");

        await first.KillAsync();
        var since = TimeProvider.System.GetTimestamp();
        await WorksAsync(scene, second, "after");
        var took = TimeProvider.System.GetElapsedTime(since);

        output.WriteLine($"SIGKILL: the standby had put its first bucket right after {took.TotalSeconds:0.0} s");
        Assert.InRange(took, LeaseDuration - TimeSpan.FromSeconds(3), LeaseDuration + TimeSpan.FromSeconds(2));
    }

    /// <summary>The leader is frozen between its read, which says that a write is due, and that write; it wakes when another one leads.</summary>
    [Fact]
    public async Task A_leader_that_was_frozen_past_its_lease_writes_nothing_when_it_wakes_and_ends()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Bucket);
        await using var first = await LeaderAsync(scene, "--vendor-timeout", "120");
        await using var second = await StandbyAsync(scene);
        var hold = scene.Vendor.HoldPoints.Add(new HoldRule { Operations = [Operations.Get], Phase = HoldPhase.After, Times = 1 });
        await scene.ApplyPolicyAsync("one", [Bucket]);
        using (var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System))
            await scene.Vendor.HoldPoints.WhenHeldAsync(1, patience.Token);

        await first.SignalAsync("STOP");
        scene.Vendor.HoldPoints.Release(hold.Id ?? "", keepRule: false);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => second.Log);
        await first.SignalAsync("CONT");

        Assert.Equal(1, await first.ExitAsync());
        Assert.Contains("Leadership lost", first.Log, StringComparison.Ordinal);
        Assert.Equal((1, 1L), (scene.Writes(Bucket), scene.Received(Bucket, Operations.Put)));
        Assert.DoesNotContain("encryption applied", first.Log, StringComparison.Ordinal);
        Assert.Contains("encryption applied", second.Log, StringComparison.Ordinal);
    }

    private async Task<OperatorProcess> LeaderAsync(Scene scene, params string[] flags)
    {
        var op = await fixture.OperatorAsync(scene, ["--leader-elect", "--lease-namespace", scene.Namespace, .. flags]);
        await Eventually.TrueAsync("it leads", () => op.Log.Contains("Leading, as", StringComparison.Ordinal), () => op.Log);
        return op;
    }

    /// <summary>Ready, though it does not lead: its mirrors are full.</summary>
    private async Task<OperatorProcess> StandbyAsync(Scene scene)
    {
        var op = await fixture.OperatorAsync(scene, "--leader-elect", "--lease-namespace", scene.Namespace);
        await Eventually.TrueAsync("it stands by", () => op.Log.Contains("Standing by", StringComparison.Ordinal), () => op.Log);
        return op;
    }

    private static async Task WorksAsync(Scene scene, OperatorProcess op, string name)
    {
        scene.CreateBuckets($"{Bucket}-{name}");
        await scene.ApplyPolicyAsync(name, [$"{Bucket}-{name}"]);
        await Eventually.TrueAsync("the bucket is encrypted", () => scene.Writes($"{Bucket}-{name}") == 1, () => op.Log);
        await Eventually.TrueAsync("it says so", () => op.Log.Contains($"{Bucket}-{name}: encryption applied", StringComparison.Ordinal), () => op.Log);
    }

    /// <summary>Nothing of the vendor: what it receives comes from the other.</summary>
    private static async Task AskedForNothingAsync(Scene scene, OperatorProcess standby)
    {
        var reads = scene.Received($"{Bucket}-before", Operations.Get);
        await Eventually.TrueAsync("three more resyncs of the leader", () => scene.Received($"{Bucket}-before", Operations.Get) >= reads + 3);
        Assert.DoesNotContain("Leading, as", standby.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Bucket ", standby.Log, StringComparison.Ordinal);
    }
}
