using Integration.Tests.Harness;
using ObjectStoreSimulator;

namespace Integration.Tests;

/// <summary>An installation that serves two namespaces, and has rights in those alone.</summary>
[Collection(ClusterTests.Name)]
public sealed class SeveralNamespacesTests(ClusterFixture fixture)
{
    [Fact]
    public async Task Policies_of_watched_namespaces_are_served_with_rights_in_those_alone_and_others_are_not_touched()
    {
        const string Token = "of-the-installation";
        var scenes = new List<Scene> { await fixture.SceneAsync() };
        foreach (var suffix in (string[])["b", "c"])
            scenes.Add(await Scene.SetAsync(fixture.Cluster, fixture.Vendor, $"{scenes[0].Namespace}-{suffix}"));
        var (watched, unwatched) = (scenes[..2], scenes[2]);
        await Installation.ForSomeAsync(fixture.Cluster, watched.Select(s => s.Namespace));
        fixture.Server.KnowOnly((Token, Installation.Account));
        using var kubeconfig = await Kubeconfig.WriteAsync(fixture.Server, Token);
        var mark = AuditLog.Mark(fixture.Server.AuditLog);

        await using var op = await OperatorProcess.StartAsync(
            kubeconfig.Path,
            unwatched.Endpoint,
            "--leader-elect",
            "--watch-namespaces",
            $"{watched[0].Namespace},{watched[1].Namespace}"
        );
        foreach (var scene in scenes)
        {
            scene.CreateBuckets($"of-{scene.Namespace}");
            await scene.ApplyPolicyAsync("one", [$"of-{scene.Namespace}"]);
        }
        foreach (var scene in watched)
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);
        await watched[0].Cluster.KubectlAsync("-n", watched[0].Namespace, "delete", "bep", "one");
        await op.TerminateAsync();

        var requests = AuditLog.OperatorSince(fixture.Server.AuditLog, mark);
        var policy = await fixture.Cluster.PolicyAsync(unwatched.Namespace, "one");
        Assert.Contains("Lease released", op.Log, StringComparison.Ordinal);
        Assert.Equal(
            (1, 1, 0),
            (
                watched[0].Writes($"of-{watched[0].Namespace}"),
                watched[1].Writes($"of-{watched[1].Namespace}"),
                unwatched.Writes($"of-{unwatched.Namespace}")
            )
        );
        Assert.Equal(0, unwatched.Received($"of-{unwatched.Namespace}", Operations.Get));
        Assert.Equal(-1, policy["status"]?["observedGeneration"]?.GetValue<int>());
        Assert.DoesNotContain(requests, r => r.Code is 401 or 403);
        Assert.Equal(
            string.Join(
                ' ',
                ((string[])["bucket-encryption-operator", .. watched.Select(s => s.Namespace)]).Order(
                    StringComparer.Ordinal
                )
            ),
            string.Join(
                ' ',
                requests
                    .Where(r => r.Resource.Length > 0)
                    .Select(r => r.Namespace)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)
            )
        );
    }
}
