using Integration.Tests.Harness;
using KubeRuntime.Client;
using KubeRuntime.LeaderElection;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// A server allows 100 streams on one HTTP/2 connection: who opens the 101st there waits behind watches forever.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class ManyWatchesTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int Watches = 300;
    private const int Calls = 100;
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Behind_300_watches_of_one_client_ordinary_calls_are_answered_and_every_watch_is_told()
    {
        var scene = await fixture.SceneAsync();
        await using var proxy = new TcpProxy(fixture.Server.Port);
        var connection = KubeConfig.Load(
            await proxy.KubeconfigAsync(fixture.Server),
            context: null,
            _ => null,
            TimeProvider.System
        );
        using var client = new KubeClient(connection, "many-watches/1.0", TimeProvider.System);
        using var patience = new CancellationTokenSource(Eventually.Patience, TimeProvider.System);
        var scope = new WatchScope(scene.Namespace);
        var version = (await client.ListAsync(Lease.Resource, scope, 1, next: null, patience.Token)).ResourceVersion;
        var readers = await Task.WhenAll(
            Enumerable
                .Range(0, Watches)
                .Select(_ => client.WatchAsync(Lease.Resource, scope, version, TimeSpan.FromMinutes(5), patience.Token))
        );

        var took = new List<double>();
        for (var i = 0; i < Calls; i++)
        {
            var since = TimeProvider.System.GetTimestamp();
            await client.ListAsync(Lease.Resource, scope, 1, next: null, patience.Token);
            took.Add(TimeProvider.System.GetElapsedTime(since).TotalMilliseconds);
        }
        await scene.Cluster.ApplyAsync(Leases.Yaml(scene.Namespace, "news"));
        var lines = await Task.WhenAll(readers.Select(r => r.ReadAsync(patience.Token)));
        foreach (var reader in readers)
            reader.Dispose();

        took.Sort();
        output.WriteLine(
            $"{Watches} watches on {proxy.Connections} connections; {Calls} calls beside them: median "
                + $"{took[Calls / 2]:0.0} ms, longest {took[^1]:0.0} ms"
        );
        Assert.All(lines, l => Assert.Equal("news", l?.Item?.Metadata.Name));
        Assert.InRange(took[^1], 0, Prompt.TotalMilliseconds);
        Assert.True(proxy.Connections >= Watches / 100, $"{proxy.Connections} connections");
    }
}
