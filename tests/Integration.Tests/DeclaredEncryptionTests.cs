using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

/// <summary>What is declared counts, and nothing else: from the YAML to the vendor's document.</summary>
[Collection(ClusterTests.Name)]
public sealed class DeclaredEncryptionTests(ClusterFixture fixture)
{
    private const string Aes256 =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private const string NamedKeyAndMore =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "<KMSMasterKeyID>key-0</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>"
        + "<SomethingNew><Level>7</Level></SomethingNew></ServerSideEncryptionRule>";

    [Theory]
    [InlineData("nothing set, AES256 declared", null, "{algorithm: AES256}", "", "True", "AES256")]
    [InlineData("nothing set, SM4 declared", null, "{algorithm: SM4}", "", "True", "SM4")]
    [InlineData(
        "AES256 set, a named key declared",
        Aes256,
        "{algorithm: KMS, kmsKey: {id: key-1}}",
        "",
        "True",
        "KMS key-1"
    )]
    [InlineData(
        "AES256 set, KMS with SM4 declared",
        Aes256,
        "{algorithm: KMS, kmsDataEncryption: SM4}",
        "",
        "True",
        "KMS SM4"
    )]
    [InlineData(
        "a named key set, any key declared",
        NamedKeyAndMore,
        "{algorithm: KMS}",
        "",
        "True",
        "KMS key-0 SomethingNew"
    )]
    [InlineData(
        "a named key set, another declared",
        NamedKeyAndMore,
        "{algorithm: KMS, kmsKey: {id: key-1}}",
        "",
        "True",
        "KMS key-1 SomethingNew"
    )]
    [InlineData(
        "a named key set, the vendor's declared",
        NamedKeyAndMore,
        "{algorithm: KMS, kmsKey: {vendorDefault: true}}",
        "",
        "False",
        "KMS key-0 SomethingNew"
    )]
    [InlineData(
        "a named key set, AES256 declared",
        NamedKeyAndMore,
        "{algorithm: AES256}",
        "",
        "False",
        "KMS key-0 SomethingNew"
    )]
    [InlineData(
        "a named key set, AES256 declared with consent",
        NamedKeyAndMore,
        "{algorithm: AES256}",
        ", allowDowngrade: true",
        "True",
        "AES256 SomethingNew"
    )]
    [InlineData(
        "a named key set, None declared with consent",
        NamedKeyAndMore,
        "{algorithm: None}",
        ", allowDowngrade: true",
        "True",
        ""
    )]
    public async Task A_bucket_gets_what_is_declared_and_keeps_the_rest(
        string _,
        string? before,
        string declared,
        string consent,
        string ready,
        string after
    )
    {
        const string Bucket = "declared";
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets(Bucket);
        scene.Vendor.Buckets.SetEncryptionBehindTheBack(Bucket, before);
        await using var op = await fixture.OperatorAsync(scene);

        await scene.ApplyPolicyAsync("one", [Bucket], declared, more: consent);
        await scene.Cluster.WhenReadyIsAsync(
            scene.Namespace,
            "one",
            ready,
            ready == "False" ? "DowngradeRefused" : null,
            () => op.Log
        );

        var live = scene.Vendor.Buckets.StoredEncryption(Bucket);
        if (after.Length == 0)
            Assert.Null(live);
        Assert.All(after.Split(' '), part => Assert.Contains(part, live ?? "", StringComparison.Ordinal));
        if (after.StartsWith("AES256", StringComparison.Ordinal))
            Assert.DoesNotContain("KMS", live, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Virtual_hosts_and_proxy_variables_work_with_the_vendors_own_host_names()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("by-name");
        var endpoint = new Uri("http://oss-cn-hangzhou.aliyuncs.com");
        await scene.Cluster.ApplyAsync(scene.StoreYaml(endpoint.GetLeftPart(UriPartial.Authority)));
        var proxy = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["http_proxy"] = scene.Endpoint.GetLeftPart(UriPartial.Authority),
            ["no_proxy"] = "",
        };
        await using var op = OperatorProcess.Launch(
            fixture.Server.Kubeconfig,
            endpoint,
            proxy,
            "--watch-namespaces",
            scene.Namespace
        );

        await scene.ApplyPolicyAsync("one", ["by-name"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);

        Assert.All(scene.Vendor.Recorder.All, r => Assert.Equal("by-name.oss-cn-hangzhou.aliyuncs.com", r.Host));
        Assert.Equal(1, scene.Writes("by-name"));
    }

    [Fact]
    public async Task Temporary_keys_send_their_token()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("temporary");
        scene.Vendor.Accounts.Set(
            "temporary-key",
            new Account { Secret = "temporary-secret", SecurityToken = "temporary-token" }
        );
        await scene.Cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: Secret
            metadata: {name: oss-keys, namespace: {{scene.Namespace}} }
            stringData: {accessKeyId: temporary-key, accessKeySecret: temporary-secret, securityToken: temporary-token}
            """
        );
        await using var op = await fixture.OperatorAsync(scene);

        await scene.ApplyPolicyAsync("one", ["temporary"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);

        Assert.DoesNotContain(
            "temporary-",
            op.Log.Replace("temporary-key", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_store_may_not_point_outside_the_allowed_endpoints()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("lured");
        await using var op = await OperatorProcess.StartAsync(
            fixture.Server.Kubeconfig,
            new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
            "--watch-namespaces",
            scene.Namespace
        );

        await scene.ApplyPolicyAsync("one", ["lured"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "False", "EndpointNotAllowed", () => op.Log);

        Assert.Equal(0, scene.Vendor.Counters.Values.Total.Received);
    }

    [Fact]
    public async Task A_read_that_lags_behind_the_write_is_waited_for_and_not_written_again()
    {
        var scene = await fixture.SceneAsync();
        scene.Vendor.Buckets.Create("lagging", new BucketSettings { ReadLagMs = 2000 });
        await using var op = await fixture.OperatorAsync(scene);

        await scene.ApplyPolicyAsync("one", ["lagging"]);
        var confirming = await scene.Cluster.WhenReadyIsAsync(
            scene.Namespace,
            "one",
            "Unknown",
            "Confirming",
            () => op.Log
        );
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True", detail: () => op.Log);

        Assert.Equal("Drifted", Cluster.Row(confirming, "lagging")["state"]?.GetValue<string>());
        Assert.Equal(1, scene.Received("lagging", Operations.Put));
    }
}
