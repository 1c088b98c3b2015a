using Integration.Tests.Harness;
using TestKit;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// One team's trouble stays with it: how long another team's new policy waits while endpoints of others do not answer.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class NeighbourTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int PoliciesPerEndpoint = 4;
    private const int BucketsPerPolicy = 40;

    /// <summary>
    /// One after the other: the first come while nobody knows yet that the endpoints are dead, the last long after
    /// that.
    /// </summary>
    private const int NewPolicies = 12;

    /// <summary>Of a store that says nothing else.</summary>
    private const int RequestsPerSecond = 20;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("one endpoint that swallows packets", 1, 1, false)]
    [InlineData("one endpoint that takes connections and never answers", 1, 1, true)]
    [InlineData("four endpoints of one team that swallow packets", 4, 1, false)]
    [InlineData("four endpoints of one team that take connections and never answer", 4, 1, true)]
    [InlineData("four endpoints of four teams that swallow packets", 4, 4, false)]
    [InlineData("four endpoints of four teams that take connections and never answer", 4, 4, true)]
    public async Task A_new_policy_is_done_within_seconds_beside(
        string trouble,
        int endpoints,
        int teams,
        bool takesConnections
    )
    {
        var scene = await fixture.SceneAsync();
        var dead = Enumerable.Range(0, endpoints).Select(_ => new BlackHole(takesConnections)).ToList();
        var namespaces = Enumerable.Range(0, teams).Select(t => $"{scene.Namespace}-trouble-{t}").ToList();
        foreach (var ns in namespaces)
            await TeamAsync(scene, ns);
        for (var i = 0; i < endpoints; i++)
            await TroubleAsync(scene, namespaces[i % teams], i, dead[i].Address);
        scene.CreateBuckets(Enumerable.Range(0, NewPolicies).Select(i => $"neighbour-{i}"));
        await using var op = await fixture.OperatorAsync(
            scene,
            [
                .. namespaces.SelectMany(ns => new[] { "--watch-namespaces", ns }),
                .. dead.SelectMany(d => new[] { "--allowed-endpoints", d.Address.GetLeftPart(UriPartial.Authority) }),
            ]
        );

        var waits = new List<double>();
        for (var i = 0; i < NewPolicies; i++)
        {
            await scene.ApplyPolicyAsync($"neighbour-{i}", [$"neighbour-{i}"], resync: "10m");
            var from = TimeProvider.System.GetTimestamp();
            var bucket = $"neighbour-{i}";
            await Eventually.TrueAsync($"{bucket} is written", () => scene.Writes(bucket) == 1, () => op.Log);
            waits.Add(TimeProvider.System.GetElapsedTime(from).TotalSeconds);
        }

        var each = string.Join(", ", waits.Select(w => $"{w:0.0}"));
        output.WriteLine($"beside {trouble}: a new policy is done after {waits.Max():0.0} s at most ({each})");
        if (waits.Max() > Longest.TotalSeconds)
            output.WriteLine(op.Log);
        foreach (var i in Enumerable.Range(0, NewPolicies))
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, $"neighbour-{i}", "True", detail: () => op.Log);
        dead.ForEach(d => d.Dispose());
        foreach (var ns in namespaces)
            await scene.Cluster.KubectlAsync("delete", "namespace", ns, "--wait=false");
        Assert.All(waits, w => Assert.InRange(w, 0, Longest.TotalSeconds));
    }

    /// <summary>
    /// While it is down nobody's back-off is waited out: one request at a time finds out, and then all policies are
    /// woken.
    /// </summary>
    [Fact]
    public async Task When_an_endpoint_answers_again_all_its_policies_are_done_within_seconds()
    {
        const int Policies = 100;
        var scene = await fixture.SceneAsync();
        await using var proxy = new TcpProxy(scene.Endpoint.Port);
        var endpoint = new Uri($"http://127.0.0.1:{proxy.Port}");
        var buckets = Enumerable.Range(0, Policies).Select(i => $"back-{i}").ToList();
        scene.CreateBuckets(buckets);
        proxy.StallToServer();
        await scene.Cluster.ApplyAsync(scene.StoreYaml(endpoint.GetLeftPart(UriPartial.Authority)));
        await scene.Cluster.ApplyAsync(
            string.Join("\n---\n", buckets.Select(b => scene.PolicyYaml(b, [b], resync: "10m")))
        );
        await using var op = await fixture.OperatorAsync(
            scene,
            "--allowed-endpoints",
            endpoint.GetLeftPart(UriPartial.Authority)
        );
        await Eventually.TrueAsync(
            "every policy has failed",
            async () => (await ErrorsAsync(scene)).Length == Policies,
            () => op.Log
        );
        var readsWhileDown = scene.Vendor.Counters.Values.Total.Received;

        proxy.Flow();
        var from = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(
            "every bucket is written",
            () => buckets.TrueForAll(b => scene.Writes(b) == 1),
            () => op.Log
        );
        var took = TimeProvider.System.GetElapsedTime(from);

        output.WriteLine($"{Policies} policies are done {took.TotalSeconds:0.0} s after the endpoint is back");
        Assert.Equal(0, readsWhileDown);
        Assert.InRange(took, TimeSpan.Zero, 2 * Longest + TimeSpan.FromSeconds(3.0 * Policies / RequestsPerSecond));
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, buckets[0], "True", detail: () => op.Log);
    }

    private static async Task<string[]> ErrorsAsync(Scene scene) =>
        [
            .. (await scene.Cluster.PoliciesAsync(scene.Namespace))
                .SelectMany(p => p!["status"]?["buckets"]?.AsArray() ?? [])
                .Select(b => b!["error"]?["code"]?.GetValue<string>())
                .OfType<string>(),
        ];

    private static async Task TeamAsync(Scene scene, string ns)
    {
        await scene.Cluster.KubectlAsync("create", "namespace", ns);
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(ns, "scene-secret"));
    }

    private static Task<string> TroubleAsync(Scene scene, string ns, int number, Uri endpoint)
    {
        var store = scene
            .StoreYaml(endpoint.GetLeftPart(UriPartial.Authority))
            .Replace("name: oss,", $"name: dead-{number},", StringComparison.Ordinal);
        var policies = Enumerable
            .Range(0, PoliciesPerEndpoint)
            .Select(p =>
                scene
                    .PolicyYaml(
                        $"dead-{number}-{p}",
                        Enumerable.Range(0, BucketsPerPolicy).Select(b => $"dead-{number}-{p}-{b}"),
                        resync: "10m"
                    )
                    .Replace("{name: oss}", $"{{name: dead-{number}}}", StringComparison.Ordinal)
            );
        return scene.Cluster.ApplyAsync(
            string.Join("\n---\n", [store, .. policies])
                .Replace($"namespace: {scene.Namespace}", $"namespace: {ns}", StringComparison.Ordinal)
        );
    }
}
