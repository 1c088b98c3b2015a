using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests.Chaos;

/// <summary>Rows in which the leader is struck, and a standby waits.</summary>
public sealed partial class ChaosTests
{
    [Fact]
    public async Task Leader_ended_by_sigterm()
    {
        var (leader, standby) = await world.RolesAsync();
        Assert.False(standby.HasAskedVendor, "who stands by asks nothing of the vendor");
        var asked = TimeProvider.System.GetUtcNow();
        await EndureAsync(
            "leader: SIGTERM",
            async () =>
            {
                asked = TimeProvider.System.GetUtcNow();
                leader.EndIsWanted = true;
                Assert.Equal(0, await leader.Process.TerminateAsync());
                return 1;
            }
        );

        var released = world.Leases.ReleasedAfter(asked) - asked;
        var reconciled = FirstRequest(standby) - asked - released;
        output.WriteLine(
            $"released {released?.TotalSeconds:0.000} s after SIGTERM; the standby's first request at the vendor "
                + $"{reconciled?.TotalSeconds:0.000} s after that"
        );
        Assert.InRange(released ?? TimeSpan.MaxValue, TimeSpan.Zero, MostForRelease);
        Assert.InRange(reconciled ?? TimeSpan.MaxValue, TimeSpan.Zero, MostForFirstReconcile);
    }

    [Fact]
    public async Task Leader_killed()
    {
        var (leader, standby) = await world.RolesAsync();
        var killed = TimeProvider.System.GetUtcNow();
        await EndureAsync(
            "leader: kill -9",
            async () =>
            {
                killed = TimeProvider.System.GetUtcNow();
                leader.EndIsWanted = true;
                await leader.Process.KillAsync();
                await Eventually.TrueAsync("the standby leads", () => standby.Identity is not null, world.Logs);
                return 1;
            }
        );

        var took = FirstRequest(standby) - killed;
        output.WriteLine(
            $"the standby's first request at the vendor {took?.TotalSeconds:0.0} s after kill -9; the lease is "
                + $"{ChaosWorld.LeaseDuration.TotalSeconds} s"
        );
        Assert.InRange(
            took ?? TimeSpan.MaxValue,
            ChaosWorld.LeaseDuration / 2,
            ChaosWorld.LeaseDuration + MostForFirstReconcile
        );
    }

    /// <summary>
    /// The leader is stopped between its read, which says that a write is due, and that write; it wakes when the other
    /// one leads.
    /// </summary>
    [Fact]
    public async Task Leader_stopped_past_its_lease_and_resumed()
    {
        var (leader, standby) = await world.RolesAsync();
        var bucket = $"frozen-{world.Declarations.Count}";
        await EndureAsync(
            "leader: SIGSTOP between read and write, past its lease; SIGCONT",
            async () =>
            {
                var hold = world.Scene.Vendor.HoldPoints.Add(
                    new HoldRule
                    {
                        Bucket = bucket,
                        Operations = [Operations.Get],
                        Phase = HoldPhase.After,
                        Times = 1,
                    }
                );
                await ApplyAsync([bucket]);
                using (var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System))
                    await world.Scene.Vendor.HoldPoints.WhenHeldAsync(1, patience.Token);
                await leader.Process.SignalAsync("STOP");
                try
                {
                    world.Scene.Vendor.HoldPoints.Release(hold.Id ?? "", keepRule: false);
                    await world.Scene.Cluster.WhenReadyIsAsync(
                        ChaosWorld.Namespace,
                        bucket,
                        "True",
                        detail: world.Logs
                    );
                }
                finally
                {
                    await leader.Process.SignalAsync("CONT");
                }
                Assert.Equal(1, await leader.Process.ExitAsync());
                return 1;
            }
        );

        Assert.Contains("Leadership lost", leader.Process.Log, StringComparison.Ordinal);
        Assert.DoesNotContain($"{bucket}: encryption applied", leader.Process.Log, StringComparison.Ordinal);
        Assert.Contains($"{bucket}: encryption applied", standby.Process.Log, StringComparison.Ordinal);
        Assert.Equal(1, world.Scene.Received(bucket, Operations.Put));
    }

    /// <summary>
    /// The leader reaches the vendor, and nothing else: it must stop by itself before the other begins.
    /// </summary>
    [Fact]
    [Trait("Chaos", "long")]
    public async Task Leader_cut_off_from_the_api_server()
    {
        var (leader, standby) = await world.RolesAsync();
        await EndureAsync(
            "leader: no way to the API server, until the other leads",
            async () =>
            {
                leader.Line.Tcp.StallToClient();
                leader.Line.Tcp.StallToServer();
                await Eventually.TrueAsync("the standby leads", () => standby.Identity is not null, world.Logs);
                Assert.Equal(1, await leader.Process.ExitAsync());
                return 1;
            }
        );
    }
}
