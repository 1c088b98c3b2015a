using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

/// <summary>The commands that ask a cluster: status, reconcile, suspend and resume.</summary>
[Collection(ClusterTests.Name)]
public sealed class ClusterCommandsTests(ClusterFixture fixture)
{
    [Fact]
    public async Task Status_has_a_row_per_bucket_and_its_exit_code_says_whether_all_are_as_declared()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive", "finance-ledger");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("good", ["finance-archive", "finance-ledger"]);
        await scene.Cluster.KubectlAsync(
            "wait",
            "-n",
            scene.Namespace,
            "--for=condition=Ready",
            "--timeout=60s",
            "bep/good"
        );

        var good = await RunAsync("status", "-n", scene.Namespace);

        Assert.True(good.Code == 0, good.Output + good.Errors);
        Assert.Contains("2 of 2 as declared.", good.Output, StringComparison.Ordinal);
        await scene.ApplyPolicyAsync("lost", ["no-such-bucket"]);
        await Eventually.TrueAsync(
            "the missing bucket is told",
            async () =>
                (await RunAsync("status", "-n", scene.Namespace)).Output.Contains(
                    "NoSuchBucket",
                    StringComparison.Ordinal
                )
        );
        var some = await RunAsync("status", "-n", scene.Namespace, "--not-compliant", "-o", "json");
        Assert.Equal(2, some.Code);
        var row = Assert.Single(JsonNode.Parse(some.Output)!["buckets"]!.AsArray())!;
        Assert.Equal(
            ("lost", "no-such-bucket", "AlibabaOSS", "Failed", "NoSuchBucket"),
            (Text(row, "policy"), Text(row, "bucket"), Text(row, "vendor"), Text(row, "state"), Text(row, "reason"))
        );
        var named = await RunAsync("status", "-n", scene.Namespace, "good", "-o", "markdown");
        Assert.Equal(0, named.Code);
        Assert.DoesNotContain("no-such-bucket", named.Output, StringComparison.Ordinal);
        var yaml = await RunAsync("status", "-A", "-o", "yaml");
        Assert.Contains("  bucket: finance-archive\n", yaml.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_that_nobody_has_reconciled_is_unknown()
    {
        var scene = await fixture.SceneAsync();
        await scene.ApplyPolicyAsync("fresh", ["some-bucket"]);

        var ran = await RunAsync("status", "-n", scene.Namespace);

        Assert.Equal(2, ran.Code);
        Assert.Contains("Unknown", ran.Output, StringComparison.Ordinal);
        Assert.Contains("Pending", ran.Output, StringComparison.Ordinal);
        Assert.Contains("0 of 1 as declared.", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policies_are_suspended_resumed_and_reconciled_by_name_and_by_label()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("finance", ["finance-archive"], resync: "10m");
        await scene.Cluster.KubectlAsync("label", "-n", scene.Namespace, "bep/finance", "team=finance");

        var suspended = await RunAsync("suspend", "-n", scene.Namespace, "finance");
        var again = await RunAsync("suspend", "-n", scene.Namespace, "-l", "team=finance");

        Assert.Equal((0, $"{scene.Namespace}/finance suspended\n"), (suspended.Code, suspended.Output));
        Assert.Equal((0, $"{scene.Namespace}/finance unchanged\n"), (again.Code, again.Output));
        Assert.True(
            (await scene.Cluster.PolicyAsync(scene.Namespace, "finance"))["spec"]!["suspend"]!.GetValue<bool>()
        );
        Assert.Equal(0, (await RunAsync("resume", "-n", scene.Namespace, "--all")).Code);
        var reconciled = await RunAsync("reconcile", "-n", scene.Namespace, "finance", "--wait", "--timeout", "60");
        Assert.True(reconciled.Code == 0, reconciled.Output + reconciled.Errors);
        Assert.Equal(
            $"{scene.Namespace}/finance requested\n"
                + $"{scene.Namespace}/finance reconciled: Ready True InSync, 1/1 as declared\n",
            reconciled.Output
        );
    }

    [Fact]
    public async Task A_report_has_every_bucket_and_the_cluster_takes_its_Report_objects()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("finance", ["finance-archive"]);
        await scene.Cluster.KubectlAsync(
            "wait",
            "-n",
            scene.Namespace,
            "--for=condition=Ready",
            "--timeout=60s",
            "bep/finance"
        );
        await scene.Cluster.KubectlAsync(
            "apply",
            "-f",
            Path.Combine(Repository.Root, "tests", "Integration.Tests", "Harness", "openreports-crd.yaml")
        );
        await scene.Cluster.KubectlAsync(
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/reports.openreports.io"
        );

        var csv = await RunAsync("report", "-n", scene.Namespace, "-o", "csv");
        var html = await RunAsync("report", "-n", scene.Namespace, "-o", "html");
        var reports = await RunAsync("report", "-n", scene.Namespace, "-o", "openreports");

        Assert.Equal((0, 0, 0), (csv.Code, html.Code, reports.Code));
        Assert.Contains(",finance-archive,InSync,", csv.Output, StringComparison.Ordinal);
        Assert.Contains("<td>finance-archive</td>", html.Output, StringComparison.Ordinal);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, reports.Output);
            await scene.Cluster.KubectlAsync("apply", "-f", file);
        }
        finally
        {
            File.Delete(file);
        }
        var passed = await scene.Cluster.KubectlAsync(
            "get",
            "reps",
            "bucket-encryption",
            "-n",
            scene.Namespace,
            "-o",
            "jsonpath={.summary.pass}"
        );
        Assert.Equal("1", passed.Trim());
    }

    [Fact]
    public async Task Doctor_looks_at_the_cluster_a_store_and_its_policies_with_the_key_of_its_Secret()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive");
        await scene.Cluster.ApplyAsync(scene.StoreYaml() + $"\n  kmsEndpoint: \"{scene.Here}\"");
        await scene.ApplyPolicyAsync("finance", ["finance-archive"]);

        var ran = await RunAsync(
            "doctor",
            "--store",
            "oss",
            "-n",
            scene.Namespace,
            "--allowed-endpoints",
            scene.Here,
            "-o",
            "json"
        );

        Assert.True(ran.Code == 2, ran.Output + ran.Errors); // no Lease, and plain http
        Assert.Equal(
            [
                "ok API server",
                "ok CRDs",
                "ok rights",
                "warning Lease",
                "ok endpoint",
                "ok proxy",
                "ok name",
                "warning connection",
                "ok clock",
                "ok key",
                "ok bucket finance-archive",
                "ok KMS key",
                "notChecked writing",
            ],
            ran.Checks,
            StringComparer.Ordinal
        );
    }

    [Fact]
    public async Task Doctor_finds_a_store_s_key_as_the_operator_does_whichever_identity_it_has()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive");
        scene.Vendor.Identities.Set(new IdentityValues { EcsRole = "instance-role" });
        var store = scene.StoreYaml().Replace("{secretRef: {name: oss-keys} }", "{ecsRamRole: {}}");
        await scene.Cluster.ApplyAsync(store);
        await scene.ApplyPolicyAsync("finance", ["finance-archive"]);
        string[] words =
        [
            "doctor",
            "--store",
            "oss",
            "-n",
            scene.Namespace,
            "--allowed-endpoints",
            scene.Here,
            "--metadata-endpoint",
            scene.Here,
            "-o",
            "json",
        ];

        var refused = await RunAsync(words);
        var asked = scene.Vendor.Recorder.All.Length;
        var found = await RunAsync([.. words, "--ambient-credentials-in-namespaced-stores"]);

        Assert.Equal((1, 0), (refused.Code, asked)); // a tenant's store gets no key of the operator's
        Assert.Contains("failed store", refused.Checks, StringComparer.Ordinal);
        Assert.True(found.Code == 2, found.Output + found.Errors);
        Assert.Contains("ok key", found.Checks, StringComparer.Ordinal);
        Assert.Contains("ok bucket finance-archive", found.Checks, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Status_follows_the_cluster_until_it_is_stopped()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("finance-archive");
        await scene.ApplyPolicyAsync("finance", ["finance-archive"]);
        await using var watch = Child.StartOperator([
            "status",
            "--watch",
            "-o",
            "json",
            "-n",
            scene.Namespace,
            "--kubeconfig",
            fixture.Server.Kubeconfig,
        ]);
        await SeesAsync("\"state\":\"Unknown\"");

        await using var op = await fixture.OperatorAsync(scene);
        await SeesAsync("\"state\":\"InSync\"");
        await scene.Cluster.KubectlAsync("delete", "-n", scene.Namespace, "bep/finance");
        await SeesAsync("\"state\":\"Deleted\"");
        var code = await watch.TerminateAsync();

        Assert.Equal(0, code); // nothing is there that is not as declared
        var rows = watch.Output.Trim().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        Assert.All(rows, row => Assert.Equal("finance-archive", Text(row, "bucket") ?? "finance-archive"));
        Assert.Equal(rows.Count, rows.Select(row => row.ToJsonString()).Distinct(StringComparer.Ordinal).Count());

        Task SeesAsync(string what) =>
            Eventually.TrueAsync(what, () => watch.Output.Contains(what, StringComparison.Ordinal), () => watch.Output);
    }

    [Theory]
    [InlineData("--output must be table or json with --watch", "status", "--watch", "-o", "yaml")]
    [InlineData("--serve goes only with --output html", "report", "--serve", "-o", "csv")]
    [InlineData("name the policies, or give --selector or --all", "suspend")]
    [InlineData("name the policies, or give --selector or --all", "reconcile")]
    [InlineData("there is no policy none", "resume", "none")]
    [InlineData("there is no policy none", "status", "none")]
    [InlineData("--output must be", "status", "-o", "github")]
    public async Task What_cannot_be_meant_is_refused(string message, params string[] words)
    {
        var ran = await RunAsync(words);

        Assert.Equal((1, ""), (ran.Code, ran.Output));
        Assert.Contains(message, ran.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_that_is_not_there_is_one_line_and_exit_code_1()
    {
        var ran = await CommandRun.OfAsync(["status", "--kubeconfig", "/nonexistent"]);

        Assert.Equal((1, ""), (ran.Code, ran.Output));
        Assert.Equal("status: kubeconfig /nonexistent: no such file\n", ran.Errors);
    }

    private Task<CommandRun> RunAsync(params string[] words) =>
        CommandRun.OfAsync([.. words, "--kubeconfig", fixture.Server.Kubeconfig]);

    private static string? Text(JsonNode row, string field) => row[field]?.GetValue<string>();
}
