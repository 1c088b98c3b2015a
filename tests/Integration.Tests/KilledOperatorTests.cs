using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// kill -9 at every step between the first read and the status: whatever was done, the next process finds it and goes
/// on.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class KilledOperatorTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const string Bucket = "killed";

    /// <summary>One PUT of the process that was killed, one of the next.</summary>
    private const int MostWrites = 2;

    [Theory]
    [InlineData("before the read reaches the vendor", Operations.Get, HoldPhase.Before, 1)]
    [InlineData("before the answer of the read", Operations.Get, HoldPhase.After, 1)]
    [InlineData("before the write is done", Operations.Put, HoldPhase.Before, 1)]
    [InlineData("after the write is done, before its answer", Operations.Put, HoldPhase.After, 1)]
    [InlineData("before the read-back", Operations.Get, HoldPhase.Before, 2)]
    [InlineData("before the answer of the read-back", Operations.Get, HoldPhase.After, 2)]
    public async Task Killed_at_a_vendor_call(string step, string operation, object phase, int occurrence)
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Bucket);
        var op = await fixture.OperatorAsync(scene);
        await using (op)
        {
            // The second read comes after the write: hold the write first, then what follows it.
            if (occurrence == 2)
            {
                var write = scene.Vendor.HoldPoints.Add(
                    new HoldRule
                    {
                        Operations = [Operations.Put],
                        Phase = HoldPhase.After,
                        Times = 1,
                    }
                );
                await scene.ApplyPolicyAsync("one", [Bucket]);
                await HeldAsync(scene, op);
                scene.Vendor.HoldPoints.Add(
                    new HoldRule
                    {
                        Operations = [operation],
                        Phase = (HoldPhase)phase,
                        Times = 1,
                    }
                );
                scene.Vendor.HoldPoints.Release(write.Id ?? "", keepRule: false);
            }
            else
            {
                scene.Vendor.HoldPoints.Add(
                    new HoldRule
                    {
                        Operations = [operation],
                        Phase = (HoldPhase)phase,
                        Times = 1,
                    }
                );
                await scene.ApplyPolicyAsync("one", [Bucket]);
            }
            await HeldAsync(scene, op);
            await op.KillAsync();
        }
        scene.Vendor.HoldPoints.ReleaseAll();

        await RecoversAsync(scene, step);
    }

    [Theory]
    [InlineData("before the status patch reaches the API server", false)]
    [InlineData("after the status is stored, before the answer", true)]
    public async Task Killed_at_the_status_patch(string step, bool stored)
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Bucket);
        await using var proxy = new TcpProxy(fixture.Server.Port);
        var op = await OperatorProcess.StartAsync(
            await proxy.KubeconfigAsync(fixture.Server),
            scene.Endpoint,
            "--watch-namespaces",
            scene.Namespace
        );
        await using (op)
        {
            var write = scene.Vendor.HoldPoints.Add(
                new HoldRule
                {
                    Operations = [Operations.Put],
                    Phase = HoldPhase.After,
                    Times = 1,
                }
            );
            await scene.ApplyPolicyAsync("one", [Bucket]);
            await HeldAsync(scene, op);
            // All that is left to do is the read-back and the patch.
            if (stored)
                proxy.StallToClient();
            else
                proxy.StallToServer();
            scene.Vendor.HoldPoints.Release(write.Id ?? "", keepRule: false);
            if (stored)
                await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
            else
                await Eventually.TrueAsync("the patch is on its way", () => proxy.StuckToServer > 0, () => op.Log);
            await op.KillAsync();
        }

        await RecoversAsync(scene, step);
    }

    [Fact]
    public async Task A_stop_lets_the_running_work_finish_and_exits_with_0()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Bucket);
        await using var op = await fixture.OperatorAsync(scene);
        var hold = scene.Vendor.HoldPoints.Add(
            new HoldRule
            {
                Operations = [Operations.Put],
                Phase = HoldPhase.After,
                Times = 1,
            }
        );
        await scene.ApplyPolicyAsync("one", [Bucket]);
        await HeldAsync(scene, op);

        var stopping = op.TerminateAsync();
        await Eventually.TrueAsync("it is no longer ready", async () => !await op.IsReadyAsync(), () => op.Log);
        scene.Vendor.HoldPoints.Release(hold.Id ?? "", keepRule: false);

        Assert.Equal(0, await stopping);
        var policy = await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True");
        Assert.Equal("InSync", Cluster.Row(policy, Bucket)["state"]?.GetValue<string>());
    }

    private static async Task HeldAsync(Scene scene, OperatorProcess op)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System);
        try
        {
            await scene.Vendor.HoldPoints.WhenHeldAsync(1, patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail("the operator never came to this step: " + op.Log);
        }
    }

    private async Task RecoversAsync(Scene scene, string step)
    {
        await using var op = await fixture.OperatorAsync(scene);
        var policy = await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
        var read = scene.Received(Bucket, Operations.Get);
        await Eventually.TrueAsync("two more resyncs", () => scene.Received(Bucket, Operations.Get) >= read + 2);

        output.WriteLine(
            $"killed {step}: PUTs in all {scene.Received(Bucket, Operations.Put)}, done {scene.Writes(Bucket)}"
        );
        Assert.Contains("key-1", scene.Vendor.Buckets.StoredEncryption(Bucket) ?? "", StringComparison.Ordinal);
        Assert.Equal("InSync", Cluster.Row(policy, Bucket)["state"]?.GetValue<string>());
        Assert.InRange(scene.Writes(Bucket), 1, MostWrites);
        Assert.InRange(scene.Received(Bucket, Operations.Put), 1, MostWrites);
    }
}
