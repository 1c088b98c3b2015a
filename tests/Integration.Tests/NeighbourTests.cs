using Integration.Tests.Harness;
using TestKit;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>One team's trouble stays with it: how long another team's new policy waits while endpoints of others do not answer.</summary>
[Collection(ClusterTests.Name)]
public sealed class NeighbourTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const int PoliciesPerEndpoint = 4;
    private const int BucketsPerPolicy = 40;

    /// <summary>One after the other: the first come while nobody knows yet that the endpoints are dead, the last long after that.</summary>
    private const int NewPolicies = 12;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("one endpoint that swallows packets", 1, 1, false)]
    [InlineData("one endpoint that takes connections and never answers", 1, 1, true)]
    [InlineData("four endpoints of one team that swallow packets", 4, 1, false)]
    [InlineData("four endpoints of one team that take connections and never answer", 4, 1, true)]
    [InlineData("four endpoints of four teams that swallow packets", 4, 4, false)]
    [InlineData("four endpoints of four teams that take connections and never answer", 4, 4, true)]
    public async Task A_new_policy_is_done_within_seconds_beside(string trouble, int endpoints, int teams, bool takesConnections)
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
            ]);

        var waits = new List<double>();
        for (var i = 0; i < NewPolicies; i++)
        {
            await scene.ApplyPolicyAsync($"neighbour-{i}", [$"neighbour-{i}"], resync: "10m");
            var from = TimeProvider.System.GetTimestamp();
            await Eventually.TrueAsync($"neighbour-{i} is written", () => scene.Writes($"neighbour-{i}") == 1, () => op.Log[^Math.Min(op.Log.Length, 20_000)..]);
            waits.Add(TimeProvider.System.GetElapsedTime(from).TotalSeconds);
        }

        output.WriteLine($"beside {trouble}: a new policy is done after {waits.Max():0.0} s at most ({string.Join(", ", waits.Select(w => $"{w:0.0}"))})");
        if (waits.Max() > Longest.TotalSeconds)
            output.WriteLine(op.Log);
        foreach (var i in Enumerable.Range(0, NewPolicies))
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, $"neighbour-{i}", "True", detail: () => op.Log);
        dead.ForEach(d => d.Dispose());
        foreach (var ns in namespaces)
            await scene.Cluster.KubectlAsync("delete", "namespace", ns, "--wait=false");
        Assert.All(waits, w => Assert.InRange(w, 0, Longest.TotalSeconds));
    }

    private static async Task TeamAsync(Scene scene, string ns)
    {
        await scene.Cluster.KubectlAsync("create", "namespace", ns);
        await scene.Cluster.ApplyAsync(Scene.SecretYaml(ns, "scene-secret"));
    }

    private static Task TroubleAsync(Scene scene, string ns, int number, Uri endpoint)
    {
        var store = scene.StoreYaml(endpoint.GetLeftPart(UriPartial.Authority))
            .Replace("name: oss,", $"name: dead-{number},", StringComparison.Ordinal);
        var policies = Enumerable.Range(0, PoliciesPerEndpoint).Select(p => scene
            .PolicyYaml($"dead-{number}-{p}", Enumerable.Range(0, BucketsPerPolicy).Select(b => $"dead-{number}-{p}-{b}"), resync: "10m")
            .Replace("{name: oss}", $"{{name: dead-{number}}}", StringComparison.Ordinal));
        return scene.Cluster.ApplyAsync(string.Join("\n---\n", [store, .. policies])
            .Replace($"namespace: {scene.Namespace}", $"namespace: {ns}", StringComparison.Ordinal));
    }
}
