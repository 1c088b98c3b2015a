using Integration.Tests.Harness;
using Xunit.Abstractions;

namespace Integration.Tests.Chaos;

/// <summary>
/// One row of the table each: a fault strikes two replicas at work while policies come, change and go. Afterwards
/// nothing was missed, nothing was wrong on the way, and no write was started under a lease that had run out.
/// docs/design/0005-chaos.md says what that means and how it is measured.
/// </summary>
public sealed partial class ChaosTests(ChaosWorld world, ITestOutputHelper output) : IClassFixture<ChaosWorld>
{
    private const int Policies = 30;
    private const int Batch = 3;

    /// <summary>Of the names of policies that change all the time.</summary>
    private const string Prefix = "policy-";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MostForRelease = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What is settled waits for its own time: the first request is for the load's next change. A second on a quiet
    /// machine; a standby that waited for a resync would take minutes.
    /// </summary>
    private static readonly TimeSpan MostForFirstReconcile = TimeSpan.FromSeconds(15);
    private Random _random = new(0);

    [Fact]
    public Task Api_server_killed_and_started_again() =>
        EndureAsync(
            "API server: kill -9, start",
            async () =>
            {
                await world.Server.KillAndRestartAsync();
                return 1;
            }
        );

    [Fact]
    public Task Api_server_stopped() =>
        EndureAsync(
            $"API server: SIGSTOP {ChaosLength.Of(20, 3).TotalSeconds} s",
            () => StopAsync(world.Server.SignalAsync)
        );

    [Fact]
    public Task Etcd_stopped() =>
        EndureAsync(
            $"etcd: SIGSTOP {ChaosLength.Of(20, 3).TotalSeconds} s",
            () => StopAsync(world.Server.SignalEtcdAsync)
        );

    [Fact]
    public Task Etcd_killed() =>
        EndureAsync(
            "etcd: kill -9, start (the API server ends with it)",
            async () =>
            {
                await world.Server.SignalEtcdAsync("KILL");
                await world.Server.ExitAsync();
                await world.Server.RunAsync();
                return 1;
            }
        );

    [Fact]
    public Task Watches_cut_again_and_again() =>
        EndureAsync(
            $"every connection cut each 50 to 500 ms, {ChaosLength.Of(60, 4).TotalSeconds} s",
            async () =>
            {
                var cuts = 0;
                for (
                    var begin = TimeProvider.System.GetTimestamp();
                    TimeProvider.System.GetElapsedTime(begin) < ChaosLength.Of(60, 4);
                    cuts++
                )
                {
                    await PassAsync(TimeSpan.FromMilliseconds(_random.Next(50, 500)));
                    foreach (var line in world.Lines)
                        line.Tcp.CutAll();
                }
                return cuts;
            }
        );

    [Fact]
    public async Task A_version_that_the_server_has_forgotten()
    {
        var mark = 0L;
        await EndureAsync(
            "no watch while things happen and the server forgets them (410)",
            load: false,
            strike: async () =>
            {
                // A process that has restarted has no old version to lose. If the server takes longer to come back than
                // the lease lasts, the operator restarts; then the fault is repeated.
                for (var times = 1; ; times++)
                {
                    var ends = world.Ends;
                    world.Proxy.Faults = call => call.IsWatch ? new HttpFault.Answer(503) : null;
                    world.LeadThroughProxy();
                    await ChangeAsync();
                    await world.Server.KillAndRestartAsync();
                    mark = AuditLog.Mark(world.Server.AuditLog);
                    world.Proxy.Faults = _ => null;
                    world.LeadDirectly();
                    await WhenNothingIsMissedAsync();
                    if (world.Ends == ends)
                        return times;
                    Assert.InRange(times, 1, 3);
                }
            }
        );

        var requests = AuditLog.OperatorSince(world.Server.AuditLog, mark);
        var streams = requests
            .Where(r => r.IsStreamingList && r.Code == 200)
            .Select(r => r.Resource)
            .Distinct(StringComparer.Ordinal);
        output.WriteLine(
            $"listed by a stream, none by pages: {string.Join(", ", streams.Order(StringComparer.Ordinal))}"
        );
        Assert.Contains("bucketencryptionpolicies", streams, StringComparer.Ordinal);
        Assert.DoesNotContain(requests, r => r.Verb == "list");
    }

    [Fact]
    public Task A_storm_of_410() =>
        ThroughProxyAsync(
            $"every watch answered 410, as status and as event, {ChaosLength.Of(20, 3).TotalSeconds} s",
            async () =>
            {
                world.Proxy.Faults = call =>
                    !call.IsWatch ? null
                    : call.Number % 2 == 0 ? new HttpFault.Answer(410)
                    : new HttpFault.ExpiredEvent();
                foreach (var line in world.Lines)
                    line.Tcp.CutAll();
                await PassAsync(ChaosLength.Of(20, 3));
            }
        );

    [Fact]
    public Task Faults_at_random() =>
        ThroughProxyAsync(
            "one call in three: 429, 5xx, 410, half an answer, a spoiled byte; 20 ms each way; "
                + $"{ChaosLength.Of(60, 4).TotalSeconds} s",
            async () =>
            {
                foreach (var line in world.Lines)
                    line.Tcp.Delay = TimeSpan.FromMilliseconds(20);
                world.Proxy.Faults = FaultPlan.AtRandom(_random, 1.0 / 3);
                for (
                    var begin = TimeProvider.System.GetTimestamp();
                    TimeProvider.System.GetElapsedTime(begin) < ChaosLength.Of(60, 4);

                )
                {
                    // Else watches that have come through would live on untouched.
                    await PassAsync(TimeSpan.FromSeconds(1));
                    foreach (var line in world.Lines)
                        line.Tcp.CutAll();
                }
                foreach (var line in world.Lines)
                    line.Tcp.Delay = TimeSpan.Zero;
            }
        );

    [Fact]
    public Task Lines_stalled() =>
        EndureAsync(
            $"lines stalled without a reset, {ChaosLength.Of(20, 3).TotalSeconds} s",
            async () =>
            {
                var lines = world.Lines;
                foreach (var line in lines)
                    line.Tcp.StallToClient();
                await PassAsync(ChaosLength.Of(20, 3));
                foreach (var line in lines)
                    line.Tcp.Flow();
                return lines.Count;
            }
        );

    /// <summary>Nothing tells the client but its own pings: 30 s of silence, and 15 s without an answer.</summary>
    [Fact]
    [Trait("Chaos", "long")]
    public Task Connections_dead_without_a_word() =>
        EndureAsync(
            "open connections dead without a reset, new ones work",
            load: false,
            strike: async () =>
            {
                var lines = world.Lines;
                foreach (var line in lines)
                    line.Tcp.StallOpenConnections();
                await ChangeAsync();
                return lines.Count;
            }
        );

    /// <summary>
    /// As a kubelet does it: the new one is in the file long before the old one ends. Nobody may notice, so no process
    /// may end either.
    /// </summary>
    [Fact]
    [Trait("Chaos", "long")]
    public async Task Token_rotated()
    {
        var ends = world.Ends;
        await ThroughProxyAsync(
            "token rotated in its file, the old one refused 65 s later",
            async () =>
            {
                var (old, before) = (await world.RotateTokenAsync(), world.Proxy.Struck);
                await PassAsync(TimeSpan.FromSeconds(65));
                world.Proxy.Faults = call => call.Authorization == "Bearer " + old ? new HttpFault.Answer(401) : null;
                await PassAsync(TimeSpan.FromSeconds(5));
                Assert.Equal(before, world.Proxy.Struck);
            }
        );
        Assert.Equal(ends, world.Ends);
    }

    /// <summary>
    /// The order is the wrong one on purpose: a client that only read its file now and then would trust the new one by
    /// luck.
    /// </summary>
    [Fact]
    public async Task Certificate_authority_replaced()
    {
        HttpFaultProxy? successor = null;
        try
        {
            await EndureAsync(
                "certificate authority replaced, at the server 2 s before the file",
                load: false,
                strike: async () =>
                {
                    (successor, var tell) = await world.ReplaceAuthorityAsync();
                    await ChangeAsync();
                    await PassAsync(TimeSpan.FromSeconds(2));
                    Assert.Equal(0, successor.Calls);
                    tell();
                    return 1;
                }
            );
        }
        finally
        {
            world.LeadDirectly();
            if (successor is not null)
                await successor.DisposeAsync();
        }
    }

    [Fact]
    public Task Custom_resource_definition_removed() =>
        EndureAsync(
            "CRD removed and applied again",
            load: false,
            strike: async () =>
            {
                await world.Scene.Cluster.KubectlAsync(
                    "delete",
                    "crd/bucketencryptionpolicies.bucketencryption.io",
                    "--timeout=30s"
                );
                await world.Scene.Cluster.InstallAsync();
                await CreateAsync(Policies);
                return 1;
            }
        );

    [Fact]
    public Task Namespace_deleted() =>
        EndureAsync(
            "namespace deleted under us, and made again",
            load: false,
            strike: async () =>
            {
                await world.Scene.Cluster.KubectlAsync("delete", "namespace", ChaosWorld.Namespace, "--timeout=30s");
                await world.SetSceneAsync();
                await CreateAsync(Policies);
                return 1;
            }
        );

    private static async Task<int> StopAsync(Func<string, Task> signal)
    {
        await signal("STOP");
        await PassAsync(ChaosLength.Of(20, 3));
        await signal("CONT");
        return 1;
    }

    /// <summary>The strike sets the proxy's faults, and has passed when they are to end.</summary>
    private async Task ThroughProxyAsync(string fault, Func<Task> strike)
    {
        world.LeadThroughProxy();
        try
        {
            await EndureAsync(
                fault,
                async () =>
                {
                    var before = world.Proxy.Struck;
                    await strike();
                    world.Proxy.Faults = _ => null;
                    return world.Proxy.Struck - before;
                }
            );
        }
        finally
        {
            world.LeadDirectly();
        }
    }

    private async Task ApplyAsync(IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            await world.Scene.Cluster.ApplyAsync(Yaml(names));
    }

    private DateTimeOffset? FirstRequest(Replica replica) =>
        world
            .VendorRequests.Where(r => replica.Sent(r.ClientPort))
            .Select(r => (DateTimeOffset?)r.Time)
            .FirstOrDefault();

    private static Task PassAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
