using Integration.Tests.Harness;
using ObjectStoreSimulator;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>The API server dies, forgets, and is cut off: afterwards nothing that happened meanwhile is missed, deletions included.</summary>
public sealed class ApiServerOutageTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Policies = 30;
    private ApiServer? _server;
    private SimulatorServer? _vendor;
    private Scene? _scene;

    private ApiServer Server => _server ?? throw new InvalidOperationException("not started");

    private Scene Scene => _scene ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _vendor = await SimulatorServer.StartAsync(new SimulatorOptions());
        var cluster = new Cluster(_server.Kubeconfig);
        await cluster.InstallAsync();
        _scene = await Scene.SetAsync(cluster, _vendor, "outage");
        _scene.CreateBuckets(Enumerable.Range(0, 3 * Policies).Select(Bucket));
    }

    public async Task DisposeAsync()
    {
        if (_vendor is not null)
            await _vendor.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_api_server_is_killed_and_started_again()
    {
        await using var proxy = new TcpProxy(Server.Port);
        await using var op = await StartAsync(proxy);
        await ApplyAsync(Enumerable.Range(0, Policies));
        await AllReadyAsync(Enumerable.Range(0, Policies), op);

        await Server.KillAndRestartAsync();
        await DeleteAsync(Enumerable.Range(0, 10));
        await ApplyAsync(Enumerable.Range(Policies, 10));

        await NothingMissedAsync(alive: [.. Enumerable.Range(10, Policies)], gone: [.. Enumerable.Range(0, 10)], op);
    }

    [Fact]
    public async Task A_version_to_resume_from_that_is_too_old_means_a_new_list_that_finds_deletions()
    {
        await using var proxy = new TcpProxy(Server.Port);
        await using var op = await StartAsync(proxy);
        await ApplyAsync(Enumerable.Range(0, Policies));
        await AllReadyAsync(Enumerable.Range(0, Policies), op);
        await AreListedByStreamsAsync(since: 0, op);

        // While the operator cannot reach it, things happen and the server forgets: a new watch cache starts after them.
        proxy.Refuse();
        await DeleteAsync(Enumerable.Range(0, 10));
        await ApplyAsync(Enumerable.Range(Policies, 10));
        await Server.KillAndRestartAsync();
        var mark = AuditLog.Mark(Server.AuditLog);
        proxy.Accept();

        await NothingMissedAsync(alive: [.. Enumerable.Range(10, Policies)], gone: [.. Enumerable.Range(0, 10)], op);
        Assert.Contains("too old (410), listing again", op.Log, StringComparison.Ordinal);
        await AreListedByStreamsAsync(mark, op);
    }

    [Fact]
    public async Task The_watch_is_cut_every_200_ms_for_10_s_while_objects_come_and_go()
    {
        await using var proxy = new TcpProxy(Server.Port);
        await using var op = await StartAsync(proxy);
        await ApplyAsync(Enumerable.Range(0, Policies));
        await AllReadyAsync(Enumerable.Range(0, Policies), op);

        var cutting = CutAsync(proxy, every: TimeSpan.FromMilliseconds(200), times: 50);
        var changes = 0;
        for (; !cutting.IsCompleted && changes < 2 * Policies - 1; changes++)
        {
            await DeleteAsync([changes]);
            await ApplyAsync([Policies + changes]);
        }
        await cutting;
        output.WriteLine($"{changes} policies deleted and {changes} created while {proxy.Connections} connections were taken and cut");

        await NothingMissedAsync(alive: [.. Enumerable.Range(changes, Policies)], gone: [.. Enumerable.Range(0, changes)], op);
    }

    private static string Bucket(int i) => $"outage-{i}";

    private static string Policy(int i) => $"policy-{i}";

    /// <summary>
    /// The witness is the API server: this one has streaming lists, so policies and stores are listed by a watch and by no LIST. Each kind's watcher has a
    /// back-off of its own, so the stores may come later than the policies that showed that all is well.
    /// </summary>
    private async Task AreListedByStreamsAsync(long since, OperatorProcess op)
    {
        foreach (var kind in (string[])["bucketencryptionpolicies", "objectstores"])
        {
            await Eventually.TrueAsync(
                $"{kind} are listed by a stream",
                () => AuditLog.OperatorSince(Server.AuditLog, since).Any(r => r.IsStreamingList && r.Code == 200 && r.Resource == kind),
                () => op.Log);
        }
        var requests = AuditLog.OperatorSince(Server.AuditLog, since);
        Assert.DoesNotContain(requests, r => r.Verb == "list");
        Assert.DoesNotContain("no streaming lists", op.Log, StringComparison.Ordinal);
    }

    private static async Task CutAsync(TcpProxy proxy, TimeSpan every, int times)
    {
        using var timer = new PeriodicTimer(every, TimeProvider.System);
        for (var i = 0; i < times && await timer.WaitForNextTickAsync(); i++)
            proxy.CutAll();
    }

    private async Task<OperatorProcess> StartAsync(TcpProxy proxy) =>
        await OperatorProcess.StartAsync(await proxy.KubeconfigAsync(Server), Scene.Endpoint, "--watch-namespaces", Scene.Namespace);

    private Task<string> ApplyAsync(IEnumerable<int> policies) =>
        Scene.Cluster.ApplyAsync(string.Join("\n---\n", policies.Select(i => Scene.PolicyYaml(Policy(i), [Bucket(i)]))));

    private Task<string> DeleteAsync(IEnumerable<int> policies) =>
        Scene.Cluster.KubectlAsync(["-n", Scene.Namespace, "delete", "bep", .. policies.Select(Policy)]);

    private Task AllReadyAsync(IEnumerable<int> policies, OperatorProcess op) => Eventually.TrueAsync(
        "all policies are ready",
        async () =>
        {
            var lines = await Scene.Cluster.KubectlAsync("-n", Scene.Namespace, "get", "bep", "-o", "jsonpath={range .items[*]}{.metadata.name}={.status.summary.text}{\"\\n\"}{end}");
            return policies.All(i => lines.Contains($"{Policy(i)}=1/1\n", StringComparison.Ordinal));
        },
        () => op.Log);

    /// <summary>The witness is the vendor: buckets of living policies are read at every resync, those of deleted ones never again.</summary>
    private async Task NothingMissedAsync(IReadOnlyList<int> alive, IReadOnlyList<int> gone, OperatorProcess op)
    {
        await AllReadyAsync(alive, op);
        await Eventually.TrueAsync(
            "deleted policies are no longer worked on",
            async () =>
            {
                Scene.Vendor.Counters.Clear();
                await Eventually.TrueAsync("three resyncs of all that live", () => alive.All(i => Scene.Received(Bucket(i), Operations.Get) >= 3), () => op.Log);
                return gone.All(i => Scene.Received(Bucket(i), Operations.Get) == 0);
            },
            () => op.Log);
        var unwritten = alive.Where(i => Scene.Vendor.Buckets.StoredEncryption(Bucket(i))?.Contains("key-1", StringComparison.Ordinal) != true).ToList();
        output.WriteLine($"alive {alive.Count}, gone {gone.Count}; missed: 0; not encrypted: {unwritten.Count}");
        Assert.Empty(unwritten);
    }
}
