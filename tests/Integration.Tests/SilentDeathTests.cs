using System.Collections.Concurrent;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.LeaderElection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// Every open connection dies without a sound: nothing is reset, bytes go nowhere. New connections work. With
/// BEO_CHAOS=long (<c>make chaos</c>) the pings are those that users have, and it takes a minute; else shorter ones.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class SilentDeathTests(ClusterFixture fixture, ITestOutputHelper output)
{
    /// <summary>
    /// For the pings' own timer, which is coarse, for a back-off, and for a busy machine. With the pings that users
    /// have it makes 60 s.
    /// </summary>
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(15);

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("BEO_CHAOS") == "long";

    [Fact]
    public async Task A_silent_death_of_all_connections_is_noticed_by_watch_calls_and_lease()
    {
        var scene = await fixture.SceneAsync();
        await using var proxy = new TcpProxy(fixture.Server.Port);
        var connection = KubeConfig.Load(
            await proxy.KubeconfigAsync(fixture.Server),
            context: null,
            _ => null,
            TimeProvider.System
        );
        if (!IsLong)
            connection = connection with { PingAfter = TimeSpan.FromSeconds(2), PingTimeout = TimeSpan.FromSeconds(2) };
        using var witness = new KubeClient(
            KubeConfig.Load(fixture.Server.Kubeconfig, context: null, _ => null, TimeProvider.System),
            "witness/1.0",
            TimeProvider.System
        );
        using var client = Connect(connection);
        using var lease = new LeaseLock(
            () => Connect(connection),
            Watch(client, scene),
            new NamespacedName(scene.Namespace, "leader")
        );
        var elector = new LeaderElector(
            lease,
            new LeaderElectorOptions("test"),
            new Random(1),
            TimeProvider.System,
            NullLogger.Instance
        );
        using var stop = new CancellationTokenSource();
        var told = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        var leading = new TaskCompletionSource<Leadership>(TaskCreationOptions.RunContinuationsAsynchronously);
        var watching = Watch(client, scene)
            .RunAsync(
                e =>
                {
                    if (e is WatchEvent<Lease>.Applied applied)
                        told.TryAdd(applied.Item.Metadata.Name, TimeProvider.System.GetTimestamp());
                },
                stop.Token
            );
        var electing = elector.RunAsync(
            async (leadership, cancellation) =>
            {
                await leadership.Begun.WaitAsync(cancellation);
                leading.SetResult(leadership);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
            },
            stop.Token
        );
        await Eventually.TrueAsync("it leads", () => leading.Task.IsCompleted);
        await scene.Cluster.ApplyAsync(Leases.Yaml(scene.Namespace, "before"));
        await Eventually.TrueAsync("the watch tells", () => told.ContainsKey("before"));
        var renewedAs = await VersionAsync(witness, scene);

        proxy.StallOpenConnections();
        var since = TimeProvider.System.GetTimestamp();
        var calling = CallUntilAnsweredAsync(client, scene);
        await scene.Cluster.ApplyAsync(Leases.Yaml(scene.Namespace, "after"));
        await Eventually.TrueAsync("the lease is renewed", async () => await VersionAsync(witness, scene) != renewedAs);
        var renewal = TimeProvider.System.GetElapsedTime(since);
        await Eventually.TrueAsync("the watch tells again", () => told.ContainsKey("after"));
        var watch = TimeProvider.System.GetElapsedTime(since, told["after"]);
        var (call, failed) = await calling;
        var callTook = TimeProvider.System.GetElapsedTime(since, call);

        var lost = (await leading.Task).Lost.IsCancellationRequested;
        var bound = connection.PingAfter + connection.PingTimeout + Allowance;
        output.WriteLine(
            $"pings after {connection.PingAfter.TotalSeconds:0} s, given up after "
                + $"{connection.PingTimeout.TotalSeconds:0} s more; all connections dead at 0 s"
        );
        output.WriteLine($"watch: told of a change again after {watch.TotalSeconds:0.0} s");
        output.WriteLine($"calls: answered after {callTook.TotalSeconds:0.0} s, {failed} failed before");
        output.WriteLine($"lease: renewed after {renewal.TotalSeconds:0.0} s, leadership {(lost ? "lost" : "kept")}");
        Assert.InRange(watch, TimeSpan.Zero, bound);
        Assert.InRange(callTook, TimeSpan.Zero, bound);
        Assert.InRange(renewal, TimeSpan.Zero, new LeaderElectorOptions("").RenewDeadline);
        Assert.False(lost);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => electing);
    }

    private static async Task<(long At, int Failed)> CallUntilAnsweredAsync(KubeClient client, Scene scene)
    {
        for (var failed = 0; ; failed++)
        {
            try
            {
                await VersionAsync(client, scene);
                return (TimeProvider.System.GetTimestamp(), failed);
            }
            catch (KubeApiException)
            {
                // Again at once, as no controller would.
            }
        }
    }

    private static async Task<string> VersionAsync(KubeClient client, Scene scene) =>
        (await client.GetAsync(Lease.Resource, new NamespacedName(scene.Namespace, "leader"), CancellationToken.None))
            .Metadata
            .ResourceVersion;

    private static KubeClient Connect(KubeConnection connection) =>
        new(connection, "silent-death/1.0", TimeProvider.System);

    private static Reflector<Lease> Watch(KubeClient client, Scene scene) =>
        new(
            client,
            Lease.Resource,
            new WatchScope(scene.Namespace),
            new Random(1),
            TimeProvider.System,
            NullLogger.Instance
        );
}
