using System.ComponentModel;
using System.Net;
using BucketEncryptionOperator.Vendors.Transport;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using TestKit;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// Networks as they are: proxies with exceptions as clusters have them, and names of which one address leads nowhere.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class NetworkTests(ClusterFixture fixture, ITestOutputHelper output)
{
    /// <summary>
    /// As OpenShift sets it, with the range in which server and store are here: 0.0.0.0 is this machine, and no
    /// loopback address.
    /// </summary>
    private const string Exceptions = ".cluster.local,.svc,10.0.0.0/16,172.30.0.0/16,0.0.0.0/8";

    [Fact]
    public async Task Ranges_of_addresses_in_NO_PROXY_keep_API_server_and_store_off_the_proxy()
    {
        var scene = await fixture.SceneAsync();
        await Installation.ForSomeAsync(scene.Cluster, scene.Namespace);
        fixture.Server.KnowOnly(("a-token", Installation.Account));
        await using var proxy = new RecordingProxy();
        var folder = Directory.CreateTempSubdirectory("beo-proxy-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "ca.crt"), await fixture.Server.AuthorityAsync());
            var kubeconfig = Path.Combine(folder, "config");
            await File.WriteAllTextAsync(
                kubeconfig,
                $$$"""
                current-context: c
                contexts: [{name: c, context: {cluster: k, user: u}}]
                clusters:
                - name: k
                  cluster:
                    server: "https://0.0.0.0:{{{fixture.Server.Port}}}"
                    tls-server-name: 127.0.0.1
                    certificate-authority: ca.crt
                users: [{name: u, user: {token: a-token}}]
                """
            );
            var store = new Uri($"http://0.0.0.0:{scene.Endpoint.Port}");
            await scene.Cluster.ApplyAsync(scene.StoreYaml(store.GetLeftPart(UriPartial.Authority), "Path"));
            await using var op = OperatorProcess.Launch(
                kubeconfig,
                store,
                proxy.Environment(Exceptions),
                "--allowed-endpoints",
                "http://store.example",
                "--watch-namespaces",
                scene.Namespace
            );
            await op.WhenReadyAsync();

            scene.CreateBuckets("by-range");
            await scene.ApplyPolicyAsync("by-range", ["by-range"]);
            await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "by-range", "True", detail: () => op.Log);
            var withoutProxy = proxy.Requests.ToList();
            await scene.Cluster.ApplyAsync(scene.StoreYaml("http://store.example", "Path"));
            await Eventually.TrueAsync(
                "the store that is not excepted is asked for at the proxy",
                () => !proxy.Requests.IsEmpty,
                () => op.Log
            );

            Assert.Empty(withoutProxy);
            Assert.All(
                proxy.Requests,
                r => Assert.StartsWith("GET http://store.example/by-range/?encryption", r, StringComparison.Ordinal)
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task In_a_pod_the_API_server_is_reached_without_a_proxy_whatever_the_environment_says()
    {
        var scene = await fixture.SceneAsync();
        await Installation.ForSomeAsync(scene.Cluster, scene.Namespace);
        fixture.Server.KnowOnly(("a-token", Installation.Account));
        await using var proxy = new RecordingProxy();
        using var pod = new PodFolder();
        await pod.WriteAsync("a-token", await fixture.Server.AuthorityAsync());
        var environment = proxy.Environment(except: "");
        environment["KUBECONFIG"] = "";
        environment["KUBERNETES_SERVICE_HOST"] = fixture.Server.Url.Host;
        environment["KUBERNETES_SERVICE_PORT"] = $"{fixture.Server.Port}";
        environment["KUBERNETES_SERVICE_ACCOUNT_FOLDER"] = pod.Path;

        await using var op = OperatorProcess.Launch(
            kubeconfig: null,
            scene.Endpoint,
            environment,
            "--watch-namespaces",
            scene.Namespace
        );
        await op.WhenReadyAsync();

        Assert.Empty(proxy.Requests);
    }

    [Fact]
    public async Task A_proxy_that_is_none_ends_the_start_with_one_line()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["https_proxy"] = "gopher://me:marked@proxy:1",
        };
        await using var op = OperatorProcess.Launch(fixture.Server.Kubeconfig, fixture.Vendor.Url, environment);

        Assert.Equal(1, await op.ExitAsync());

        Assert.Contains(
            "HTTPS_PROXY does not name a proxy",
            Assert.Single(op.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("marked", op.Log, StringComparison.Ordinal);
    }

    /// <summary>
    /// A name with ::1 and 127.0.0.1, of which ::1 swallows what is sent to it. The command sees the name in a hosts
    /// file of its own; where this machine gives no mount namespace, the operator's own client is given the two
    /// addresses instead.
    /// </summary>
    [Fact]
    public async Task A_store_whose_first_address_leads_nowhere_is_reached_by_its_second()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("dual-stack");
        using var hole = new BlackHole(IPAddress.IPv6Loopback, scene.Endpoint.Port);
        var endpoint = new Uri($"http://dual.example:{scene.Endpoint.Port}");
        var since = TimeProvider.System.GetTimestamp();

        if (await MountNamespaceAsync() is { } unshare)
            await AskByCommandAsync(unshare, endpoint);
        else
            await AskInProcessAsync(endpoint);

        output.WriteLine($"answered after {TimeProvider.System.GetElapsedTime(since).TotalSeconds:0.0} s");
    }

    private static async Task AskByCommandAsync(string[] unshare, Uri endpoint)
    {
        var hosts = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost\n::1 dual.example\n127.0.0.1 dual.example\n");
            await using var command = Child.Start(
                "unshare",
                [
                    .. unshare,
                    "sh",
                    "-c",
                    "mount --bind \"$0\" /etc/hosts && exec \"$@\"",
                    hosts,
                    .. Repository.Operator,
                    "bucket-encryption",
                    "--method",
                    "get",
                    "oss://dual-stack",
                    "-e",
                    endpoint.GetLeftPart(UriPartial.Authority),
                    "--region",
                    "cn-hangzhou",
                    "--force-path-style",
                    "-i",
                    Scene.KeyId,
                    "-k",
                    "scene-secret",
                    "-c",
                    "/dev/null",
                    "--read-timeout",
                    "8",
                    "--connect-timeout",
                    "7",
                    "--json",
                ],
                new Dictionary<string, string>(StringComparer.Ordinal) { ["no_proxy"] = "*" }
            );

            await command.ExitAsync();

            Assert.True(command.ExitCode == 0, command.Output);
            Assert.Contains("\"encryption\":{\"algorithm\":\"None\"}", command.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(hosts);
        }
    }

    private static async Task AskInProcessAsync(Uri endpoint)
    {
        var connector = new StaggeredConnector(
            TimeProvider.System,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback])
        );
        using var http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(15),
            TimeProvider.System,
            new VendorRoute { Proxy = new WebProxy(), Dialer = new Dialer(_ => EndpointTrust.Operator, connector) }
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, "/dual-stack/?encryption"));

        var answer = await http.SendAsync(request, "GetBucketEncryption", CancellationToken.None);

        // The request has no signature; what counts is that it arrived
        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
    }

    /// <returns>How to get a mount namespace here; null where there is no way.</returns>
    private static async Task<string[]?> MountNamespaceAsync()
    {
        foreach (
            var way in (string[][])
                [
                    ["--mount"],
                    ["--map-root-user", "--mount"],
                ]
        )
        {
            try
            {
                string[] isolated = [.. way, "--propagation", "private"];
                await using var attempt = Child.Start(
                    "unshare",
                    [.. isolated, "sh", "-c", "mount --bind /etc/hosts /etc/hosts"]
                );
                await attempt.ExitAsync();
                if (attempt.ExitCode == 0)
                    return isolated;
            }
            catch (Win32Exception)
            {
                return null; // there is no unshare
            }
        }
        return null;
    }
}
