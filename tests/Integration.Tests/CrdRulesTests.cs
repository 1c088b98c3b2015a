using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// The door: what the API server refuses by schema and CEL, and what it says to the user. The table is the
/// specification.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed partial class CrdRulesTests(ClusterFixture fixture)
{
    private const string Policy = "BucketEncryptionPolicy";
    private const string Store = "BucketStore";
    private const string ClusterStore = "ClusterBucketStore";

    [Fact]
    public async Task What_cannot_be_meant_is_refused_with_a_message_that_says_what_to_do()
    {
        var documents = Refused.Select(r =>
            $"apiVersion: bucketencryption.io/v1alpha1\nkind: {r.Kind}\n"
            + $"metadata: {{name: {r.Case}{(r.Kind == ClusterStore ? "" : ", namespace: default")}}}\nspec: {r.Spec}"
        );

        var (code, output) = await fixture.Cluster.TryApplyAsync(string.Join("\n---\n", documents));

        Assert.NotEqual(0, code);
        var answers = output.Split('\n');
        var wrong = Refused
            .Where(r =>
                !answers.Any(a =>
                    a.Contains($"\"{r.Case}\" is invalid", StringComparison.Ordinal)
                    && a.Contains(r.Message, StringComparison.Ordinal)
                )
            )
            .Select(r => r.Case)
            .ToList();
        Assert.True(wrong.Count == 0, $"not refused, or not in these words: {string.Join(", ", wrong)}\n{output}");
    }

    [Fact]
    public async Task A_namespaced_store_has_no_partition_of_its_own()
    {
        var (code, output) = await fixture.Cluster.TryApplyAsync(
            $"apiVersion: bucketencryption.io/v1alpha1\nkind: {Store}\n"
                + "metadata: {name: partition, namespace: default}\n"
                + $"spec: {StoreSpec(more: ", partition: aliyuncs.com")}"
        );

        Assert.NotEqual(0, code);
        Assert.Contains("unknown field \"spec.partition\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_may_be_a_name_or_an_address_of_either_family()
    {
        string[] endpoints =
        [
            "https://oss-cn-hangzhou.aliyuncs.com",
            "http://minio.storage.svc:9000",
            "http://10.0.0.5:9000",
            "http://[fd00::5]:9000",
            "https://[2001:db8::1]",
            "http://[::ffff:10.0.0.5]:9000",
        ];
        var documents = endpoints.SelectMany(
            (endpoint, i) =>
                ((string[])[Store, ClusterStore]).Select(kind =>
                    $"apiVersion: bucketencryption.io/v1alpha1\nkind: {kind}\n"
                    + $"metadata: {{name: endpoint-{i}{(kind == ClusterStore ? "" : ", namespace: default")}}}\n"
                    + $"spec: {StoreSpec(endpoint: endpoint)}"
                )
        );
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, string.Join("\n---\n", documents));

            var (code, output) = await fixture.Cluster.TryKubectlAsync("apply", "--dry-run=server", "-f", file);

            Assert.True(code == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Every_sample_is_accepted()
    {
        var (code, output) = await fixture.Cluster.TryKubectlAsync(
            "apply",
            "--dry-run=server",
            "-f",
            Path.Combine(Repository.Root, "deploy", "samples")
        );

        Assert.True(code == 0, output);
        Assert.Contains("bucketstore.bucketencryption.io/huawei-beijing created", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policies_and_stores_are_found_by_fields_short_names_and_category()
    {
        var scene = await fixture.SceneAsync();
        await scene.ApplyPolicyAsync("selected", ["some-bucket"]);

        Assert.Contains(
            "bucketencryptionpolicy.bucketencryption.io/selected",
            await ListAsync(
                "bep",
                "spec.storeRef.name=oss,spec.storeRef.kind=BucketStore,spec.encryption.algorithm=KMS,"
                    + "spec.deletionPolicy=Retain"
            ),
            StringComparison.Ordinal
        );
        foreach (
            var field in (string[])["storeRef.name", "storeRef.kind", "encryption.algorithm", "mode", "deletionPolicy"]
        )
            Assert.Equal("", await ListAsync("bep", $"spec.{field}=other"));
        Assert.Contains(
            "bucketstore.bucketencryption.io/oss",
            await ListAsync("bs", "spec.vendor=AlibabaOSS,spec.region=cn-hangzhou"),
            StringComparison.Ordinal
        );
        Assert.Equal("", await ListAsync("bs", "spec.vendor=S3"));
        Assert.Equal("", await ListAsync("cbs", "spec.vendor=none,spec.region=nowhere"));
        var all = await ListAsync("bucketencryption", selector: null);
        Assert.Contains("bucketencryptionpolicy.bucketencryption.io/selected", all, StringComparison.Ordinal);
        Assert.Contains("bucketstore.bucketencryption.io/oss", all, StringComparison.Ordinal);

        async Task<string> ListAsync(string resource, string? selector)
        {
            var (code, output) = await scene.Cluster.TryKubectlAsync([
                "get",
                resource,
                "-n",
                scene.Namespace,
                "-o",
                "name",
                .. Selected(selector),
            ]);
            Assert.True(code == 0, output);
            return output.Trim();
        }

        static string[] Selected(string? selector) => selector is null ? [] : ["--field-selector", selector];
    }

    [Fact]
    public async Task Where_buckets_are_cannot_be_changed_later()
    {
        var scene = await fixture.SceneAsync();
        await scene.ApplyPolicyAsync("fixed", ["some-bucket"]);

        var (code, output) = await scene.Cluster.TryApplyAsync(
            scene
                .PolicyYaml("fixed", ["some-bucket"])
                .Replace("storeRef: {name: oss}", "storeRef: {name: elsewhere}", StringComparison.Ordinal)
        );

        Assert.NotEqual(0, code);
        Assert.Contains(
            "storeRef cannot be changed, delete this policy and create another one",
            output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_new_policy_has_a_status_before_anybody_writes_one()
    {
        var scene = await fixture.SceneAsync();
        await scene.ApplyPolicyAsync("fresh", ["some-bucket"]);

        var policy = await scene.Cluster.PolicyAsync(scene.Namespace, "fresh");

        var ready = Cluster.Condition(policy, "Ready");
        Assert.Equal(
            ("Unknown", "Pending"),
            (ready?["status"]?.GetValue<string>(), ready?["reason"]?.GetValue<string>())
        );
        Assert.Equal(-1, policy["status"]?["observedGeneration"]?.GetValue<long>());
    }

    private static string Keys(string credentials, string vendor = "AlibabaOSS") =>
        $"{{vendor: {vendor}, region: cn-hangzhou, endpoint: 'https://oss.example.com', credentials: {credentials}}}";

    private static string Spec(string encryption, string buckets = "{name: abc}", string more = "") =>
        $"{{storeRef: {{name: oss}}, buckets: [{buckets}], encryption: {encryption}{more}}}";

    private static string Selecting(string selector, string more = ", mode: Audit") =>
        $"{{storeRef: {{name: oss}}, bucketSelector: {selector}, encryption: {{algorithm: AES256}}{more}}}";

    private static string Allowing(string selector) =>
        StoreSpec(more: $", allowedNamespaces: {{selector: {selector}}}");

    private static string StoreSpec(
        string vendor = "AlibabaOSS",
        string region = "cn-hangzhou",
        string endpoint = "https://oss-cn-hangzhou.aliyuncs.com",
        string more = ""
    ) =>
        $"{{vendor: {vendor}, region: '{region}', endpoint: '{endpoint}', "
        + $"credentials: {{secretRef: {{name: k}}}}{more}}}";
}
