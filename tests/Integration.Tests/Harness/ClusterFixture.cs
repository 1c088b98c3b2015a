using ObjectStoreSimulator;

// They measure what a process does; two at a time would measure each other
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Integration.Tests.Harness;

/// <summary>
/// One API server and one simulator for all tests that leave them alive. Each test works in a namespace of its own,
/// with an operator of its own.
/// </summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private ApiServer? _server;
    private SimulatorServer? _vendor;
    private Cluster? _cluster;
    private int _scenes;

    internal ApiServer Server => _server ?? throw new InvalidOperationException("not started");

    internal Cluster Cluster => _cluster ?? throw new InvalidOperationException("not started");

    internal SimulatorServer Vendor => _vendor ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _vendor = await SimulatorServer.StartAsync(new SimulatorOptions());
        _cluster = new Cluster(_server.Kubeconfig);
        await _cluster.InstallAsync();
    }

    public async Task DisposeAsync()
    {
        if (_vendor is not null)
            await _vendor.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>A new namespace with a store; the vendor's memory is empty.</summary>
    internal Task<Scene> SceneAsync()
    {
        Vendor.World.Clear();
        return Scene.SetAsync(Cluster, Vendor, $"scene-{Interlocked.Increment(ref _scenes)}");
    }

    internal Task<OperatorProcess> OperatorAsync(Scene scene, params string[] flags) =>
        OperatorProcess.StartAsync(
            Server.Kubeconfig,
            scene.Endpoint,
            ["--watch-namespaces", scene.Namespace, .. flags]
        );
}

[CollectionDefinition(Name)]
public sealed class ClusterTests : ICollectionFixture<ClusterFixture>
{
    public const string Name = "cluster";
}
