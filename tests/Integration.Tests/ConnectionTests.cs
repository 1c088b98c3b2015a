using Integration.Tests.Harness;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// The ways to an API server other than one kubeconfig of an administrator, and what is replaced on disk while the
/// operator runs.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class ConnectionTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task Two_kubeconfigs_are_merged_and_a_token_file_is_followed_when_the_old_token_is_revoked()
    {
        var scene = await fixture.SceneAsync();
        await Installation.ForSomeAsync(scene.Cluster, scene.Namespace);
        fixture.Server.KnowOnly(("first-token", Installation.Account));
        var folder = Directory.CreateTempSubdirectory("beo-merged-").FullName;
        async Task<string> WriteAsync(string name, string text)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), text);
            return Path.Combine(folder, name);
        }
        try
        {
            await WriteAsync("ca.crt", await fixture.Server.AuthorityAsync());
            await WriteAsync("token", "first-token\n");
            var clusters = await WriteAsync(
                "clusters",
                $$$"""
                contexts: [{name: c, context: {cluster: k, user: u}}]
                clusters: [{name: k, cluster: {server: "{{{fixture.Server.Url}}}", certificate-authority: ca.crt}}]
                """
            );
            var users = await WriteAsync(
                "users",
                """
                current-context: c
                users: [{name: u, user: {tokenFile: token}}]
                clusters: [{name: k, cluster: {server: "https://192.0.2.1"}}]
                """
            );
            await using var op = await StartAsync(scene, ("KUBECONFIG", $"{clusters}{Path.PathSeparator}{users}"));
            await ServesAsync(scene, op, "before");

            var mark = AuditLog.Mark(fixture.Server.AuditLog);
            fixture.Server.KnowOnly(("second-token", Installation.Account));
            scene.CreateBuckets("meanwhile");
            await scene.ApplyPolicyAsync("meanwhile", ["meanwhile"]);
            await Eventually.TrueAsync(
                "the old token is refused",
                () => AuditLog.OperatorSince(fixture.Server.AuditLog, mark).Any(r => r.Code == 401),
                () => op.Log
            );
            await WriteAsync("token", "second-token\n");
            var since = TimeProvider.System.GetTimestamp();
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "meanwhile", "True", detail: () => op.Log);

            output.WriteLine(
                "token revoked and then replaced in its file: the policy that had come meanwhile was ready "
                    + $"{TimeProvider.System.GetElapsedTime(since).TotalSeconds:0.0} s after the replacement"
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task In_a_pod_token_and_authority_are_followed_when_the_kubelet_replaces_them()
    {
        await using var server = await ApiServer.StartAsync();
        var cluster = new Cluster(server.Kubeconfig);
        await cluster.InstallAsync();
        fixture.Vendor.World.Clear();
        var scene = await Scene.SetAsync(cluster, fixture.Vendor, "pod");
        await Installation.ForSomeAsync(cluster, scene.Namespace);
        server.KnowOnly(("first-token", Installation.Account));
        using var pod = new PodFolder();
        await pod.WriteAsync("first-token", await server.AuthorityAsync());
        await using var op = await StartAsync(
            scene,
            ("KUBECONFIG", ""),
            ("KUBERNETES_SERVICE_HOST", server.Url.Host),
            ("KUBERNETES_SERVICE_PORT", $"{server.Port}"),
            ("KUBERNETES_SERVICE_ACCOUNT_FOLDER", pod.Path)
        );
        await ServesAsync(scene, op, "before");

        server.KnowOnly(("second-token", Installation.Account));
        await pod.WriteAsync("second-token", await server.AuthorityAsync());
        var revoked = await ServesAsync(scene, op, "after-the-token");
        await server.KillAndRestartWithNewAuthorityAsync();
        await Eventually.TrueAsync(
            "the new authority is not trusted yet",
            () =>
                op.Log.Contains(
                    "certificate is invalid because of errors in the certificate chain",
                    StringComparison.Ordinal
                ),
            () => op.Log
        );
        await pod.WriteAsync("second-token", await server.AuthorityAsync());
        var replaced = await ServesAsync(scene, op, "after-the-authority");

        output.WriteLine(
            $"in-cluster: a new policy was ready {revoked.TotalSeconds:0.0} s after the token was revoked and "
                + $"replaced, {replaced.TotalSeconds:0.0} s after ca.crt was"
        );
    }

    /// <summary>As the login plugins of clouds do: a token for minutes, printed by a program.</summary>
    [Fact]
    public async Task A_plugins_token_is_asked_for_again_before_it_expires_and_when_it_is_revoked()
    {
        var scene = await fixture.SceneAsync();
        await Installation.ForSomeAsync(scene.Cluster, scene.Namespace);
        fixture.Server.KnowOnly(("first-token", Installation.Account));
        using var plugin = await ExecPluginFolder.CreateAsync(fixture.Server);
        await plugin.GiveTokenAsync("first-token", seconds: 35); // it is asked again for half a minute before
        await using var op = await StartAsync(scene, ("KUBECONFIG", plugin.Kubeconfig));
        await ServesAsync(scene, op, "before");

        fixture.Server.KnowOnly(("second-token", Installation.Account));
        await plugin.GiveTokenAsync("second-token", seconds: 600);
        await Task.Delay(TimeSpan.FromSeconds(6), TimeProvider.System); // the watches of the first token are open
        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        await ServesAsync(scene, op, "after-expiry");
        Assert.DoesNotContain(AuditLog.OperatorSince(fixture.Server.AuditLog, mark), r => r.Code == 401);
        var runs = plugin.Runs;
        fixture.Server.KnowOnly(("third-token", Installation.Account));
        await plugin.GiveTokenAsync("third-token", seconds: 600);
        var revoked = await ServesAsync(scene, op, "after-revocation");

        output.WriteLine(
            $"a plugin's token expired and was revoked, {plugin.Runs} runs of the plugin; "
                + $"a new policy was ready {revoked.TotalSeconds:0.0} s after the revocation"
        );
        Assert.InRange(plugin.Runs - runs, 1, 5);
        Assert.DoesNotContain("-token", op.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugins_client_certificate_opens_the_server_too()
    {
        var scene = await fixture.SceneAsync();
        using var plugin = await ExecPluginFolder.CreateAsync(fixture.Server);
        await plugin.GiveCertificateAsync(fixture.Server.Kubeconfig);
        await using var op = await StartAsync(scene, ("KUBECONFIG", plugin.Kubeconfig));

        await ServesAsync(scene, op, "with-a-certificate");

        Assert.Equal(1, plugin.Runs);
    }

    [Fact]
    public async Task A_plugin_that_fails_is_named_and_the_operator_goes_on_when_it_works_again()
    {
        var scene = await fixture.SceneAsync();
        await Installation.ForSomeAsync(scene.Cluster, scene.Namespace);
        fixture.Server.KnowOnly(("good-token", Installation.Account));
        using var plugin = await ExecPluginFolder.CreateAsync(fixture.Server);
        await plugin.FailAsync("no session, run: login.example");
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["KUBECONFIG"] = plugin.Kubeconfig };
        await using var op = OperatorProcess.Launch(
            kubeconfig: null,
            scene.Endpoint,
            variables,
            "--watch-namespaces",
            scene.Namespace
        );

        await Eventually.TrueAsync(
            "plugin, context and what it said are in the log",
            () =>
                op.Log.Contains("context \"c\": exec plugin", StringComparison.Ordinal)
                && op.Log.Contains("no session, run: login.example", StringComparison.Ordinal),
            () => op.Log
        );
        await plugin.GiveTokenAsync("good-token", seconds: 600);
        await op.WhenReadyAsync();
        await ServesAsync(scene, op, "after-the-failure");
    }

    private static async Task<OperatorProcess> StartAsync(
        Scene scene,
        params IEnumerable<(string Name, string Value)> environment
    )
    {
        var variables = environment.ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal);
        var op = OperatorProcess.Launch(
            kubeconfig: null,
            scene.Endpoint,
            variables,
            "--watch-namespaces",
            scene.Namespace
        );
        await op.WhenReadyAsync();
        return op;
    }

    /// <returns>The time until a new policy was ready.</returns>
    private static async Task<TimeSpan> ServesAsync(Scene scene, OperatorProcess op, string name)
    {
        var since = TimeProvider.System.GetTimestamp();
        scene.CreateBuckets(name);
        await scene.ApplyPolicyAsync(name, [name]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "True", detail: () => op.Log);
        Assert.Equal(1, scene.Writes(name));
        return TimeProvider.System.GetElapsedTime(since);
    }
}
