using System.Diagnostics;
using System.Net;
using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>The HTML report as it is served, in Chromium, and for those who may not see it.</summary>
[Collection(ClusterTests.Name)]
public sealed class ReportPageTests(ClusterFixture fixture)
{
    [Fact]
    public async Task The_page_filters_prints_has_no_barriers_and_follows_the_cluster()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive", "finance-ledger", "arrives-later");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("finance", ["finance-archive", "finance-ledger"]);
        await scene.ApplyPolicyAsync("lost", ["no-such-bucket"], "{algorithm: AES256}");
        await WaitAsync(scene, "bep/finance", "condition=Ready");
        await WaitAsync(scene, "bep/lost", "condition=Ready=false");
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "report-page")).FullName;
        await using var served = Serve(scene);
        var url = await UrlAsync(served);

        await using var browser = Child.Start(
            "node",
            [Path.Combine(Repository.Root, "tests", "browser", "report.mjs"), url.ToString(), folder],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["CHROMIUM"] = await ToolAsync("ensure.sh", "chromium"),
                ["BROWSER_MODULES"] = Path.Combine(await ToolAsync("npm.sh", "tests/browser"), "node_modules"),
            }
        );
        await Eventually.TrueAsync(
            "the page is looked at",
            () => Task.FromResult(browser.Output.Contains("loaded", StringComparison.Ordinal) || !browser.IsRunning),
            () => browser.Output
        );
        await scene.ApplyPolicyAsync("later", ["arrives-later"]);
        await browser.ExitAsync();

        Assert.True(browser.ExitCode == 0, browser.Output);
        Assert.Contains("all is well", browser.Output, StringComparison.Ordinal);
        Assert.Equal(0, await served.TerminateAsync());
    }

    [Fact]
    public async Task Only_who_has_the_address_sees_the_page_and_only_under_this_machines_name()
    {
        var scene = await fixture.SceneAsync();
        await using var served = Serve(scene);
        var url = await UrlAsync(served);
        using var http = new HttpClient();

        Assert.True(IPAddress.IsLoopback(IPAddress.Parse(url.Host)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(HttpMethod.Get, url));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(HttpMethod.Get, new Uri(url, "/")));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(HttpMethod.Get, url, "collector.example.com"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, await StatusAsync(HttpMethod.Post, url));

        async Task<HttpStatusCode> StatusAsync(HttpMethod method, Uri target, string? host = null)
        {
            using var request = new HttpRequestMessage(method, target);
            request.Headers.Host = host;
            using var response = await http.SendAsync(request);
            return response.StatusCode;
        }
    }

    private static Task<string> WaitAsync(Scene scene, string policy, string what) =>
        scene.Cluster.KubectlAsync("wait", "-n", scene.Namespace, $"--for={what}", "--timeout=60s", policy);

    /// <summary>The one line that is printed.</summary>
    private static async Task<Uri> UrlAsync(Child served)
    {
        await Eventually.TrueAsync(
            "the address is printed",
            () => Task.FromResult(served.Output.Contains("/\n", StringComparison.Ordinal) || !served.IsRunning),
            () => served.Output
        );
        return new Uri(served.Output.Trim());
    }

    private Child Serve(Scene scene) =>
        Child.StartOperator([
            "report",
            "-o",
            "html",
            "--serve",
            "-n",
            scene.Namespace,
            "--kubeconfig",
            fixture.Server.Kubeconfig,
        ]);

    /// <summary>The path of a tool that the tests' scripts install.</summary>
    private static async Task<string> ToolAsync(string script, string tool)
    {
        using var process =
            Process.Start(
                new ProcessStartInfo(Path.Combine(Repository.Root, "tests", "tools", script), [tool])
                {
                    RedirectStandardOutput = true,
                    WorkingDirectory = Repository.Root,
                    UseShellExecute = false,
                }
            ) ?? throw new InvalidOperationException(tool);
        var path = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return path.Trim();
    }
}
