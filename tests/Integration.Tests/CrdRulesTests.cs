using Integration.Tests.Harness;

namespace Integration.Tests;

/// <summary>
/// The door: what the API server refuses by schema and CEL, and what it says to the user. The table is the
/// specification.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class CrdRulesTests(ClusterFixture fixture)
{
    private const string Policy = "BucketEncryptionPolicy";
    private const string Store = "BucketStore";
    private const string ClusterStore = "ClusterBucketStore";

    private static readonly (string Case, string Kind, string Spec, string Message)[] Refused =
    [
        ("none-without-consent", Policy, Spec("{algorithm: None}"), "set spec.allowDowngrade to true"),
        (
            "key-with-aes256",
            Policy,
            Spec("{algorithm: AES256, kmsKey: {id: k}}"),
            "a KMS key goes only with algorithm KMS: remove kmsKey, or set algorithm to KMS"
        ),
        (
            "key-with-sm4",
            Policy,
            Spec("{algorithm: SM4, kmsKey: {vendorDefault: true}}"),
            "a KMS key goes only with algorithm KMS"
        ),
        (
            "cipher-without-kms",
            Policy,
            Spec("{algorithm: AES256, kmsDataEncryption: SM4}"),
            "kmsDataEncryption goes only with algorithm KMS"
        ),
        ("two-keys", Policy, Spec("{algorithm: KMS, kmsKey: {id: k, vendorDefault: true}}"), "name exactly one of id"),
        ("empty-key", Policy, Spec("{algorithm: KMS, kmsKey: {}}"), "name exactly one of id"),
        (
            "vendor-default-false",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {vendorDefault: false}}"),
            "Unsupported value: false"
        ),
        ("key-with-a-blank", Policy, Spec("{algorithm: KMS, kmsKey: {id: 'a b'}}"), "and no blanks"),
        ("unknown-algorithm", Policy, Spec("{algorithm: ROT13}"), "Unsupported value: \"ROT13\""),
        ("unknown-cipher", Policy, Spec("{algorithm: KMS, kmsDataEncryption: DES}"), "Unsupported value: \"DES\""),
        ("no-buckets", Policy, Spec("{algorithm: AES256}", buckets: ""), "should have at least 1 items"),
        ("bucket-twice", Policy, Spec("{algorithm: AES256}", buckets: "{name: same}, {name: same}"), "Duplicate value"),
        (
            "bucket-upper-case",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: Upper}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-with-two-dots",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: a..b}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-with-a-dot-and-a-hyphen",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: a.-b}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "project-without-key",
            Policy,
            Spec("{algorithm: KMS, kmsProjectId: p}"),
            "kmsProjectId goes only with kmsKey.id"
        ),
        (
            "project-with-the-vendors-key",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {vendorDefault: true}, kmsProjectId: p}"),
            "kmsProjectId goes only with kmsKey.id"
        ),
        (
            "project-with-a-blank",
            Policy,
            Spec("{algorithm: KMS, kmsKey: {id: k}, kmsProjectId: 'a b'}"),
            "a project id has letters"
        ),
        (
            "bucket-key-without-kms",
            Policy,
            Spec("{algorithm: AES256, bucketKeyEnabled: false}"),
            "bucketKeyEnabled goes only with algorithm KMS"
        ),
        (
            "bucket-too-short",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: ab}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "bucket-ends-in-a-hyphen",
            Policy,
            Spec("{algorithm: AES256}", buckets: "{name: abc-}"),
            "3 to 63 lower-case letters, digits and hyphens"
        ),
        (
            "resync-too-short",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: 0s"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "resync-too-long",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: 25h"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "resync-no-duration",
            Policy,
            Spec("{algorithm: AES256}", more: ", resyncInterval: often"),
            "resyncInterval is a duration such as 90s"
        ),
        (
            "other-kind-of-store",
            Policy,
            "{storeRef: {kind: Secret, name: x}, buckets: [{name: abc}], encryption: {algorithm: AES256}}",
            "Unsupported value: \"Secret\""
        ),
        ("unknown-vendor", Store, StoreSpec(vendor: "FloppyDisk"), "Unsupported value: \"FloppyDisk\""),
        (
            "rate-limit-of-none",
            Store,
            StoreSpec(more: ", rateLimit: {requestsPerSecond: 0}"),
            "spec.rateLimit.requestsPerSecond"
        ),
        (
            "concurrency-without-bound",
            Store,
            StoreSpec(more: ", rateLimit: {maxConcurrency: 65}"),
            "spec.rateLimit.maxConcurrency"
        ),
        (
            "two-values-under-one-key",
            Store,
            StoreSpec(more: "")
                .Replace("{name: k}", "{name: k, accessKeyIdKey: x, accessKeySecretKey: x}", StringComparison.Ordinal),
            "must be three different keys"
        ),
        ("region-with-prefix", Store, StoreSpec(region: "oss-cn-hangzhou"), "goes without the prefix oss-"),
        ("region-illegal", Store, StoreSpec(region: "cn_hangzhou/../x"), "a region id has lower-case letters"),
        (
            "endpoint-without-scheme",
            Store,
            StoreSpec(endpoint: "oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-user",
            Store,
            StoreSpec(endpoint: "https://me@oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-path",
            Store,
            StoreSpec(endpoint: "https://oss-cn-hangzhou.aliyuncs.com/x"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-with-query",
            Store,
            StoreSpec(endpoint: "https://oss-cn-hangzhou.aliyuncs.com?x"),
            "endpoint is scheme and host only"
        ),
        (
            "endpoint-of-ipv6-without-brackets",
            Store,
            StoreSpec(endpoint: "http://fd00::5:9000"),
            "an IPv6 address stands in brackets"
        ),
        (
            "endpoint-of-a-zone",
            Store,
            StoreSpec(endpoint: "http://[fe80::1%25eth0]:9000"),
            "endpoint is scheme and host only"
        ),
        ("endpoint-of-brackets", Store, StoreSpec(endpoint: "http://[]:9000"), "endpoint is scheme and host only"),
        ("addressing-unknown", Store, StoreSpec(more: ", addressing: Telepathy"), "Unsupported value: \"Telepathy\""),
        (
            "alibaba-block-elsewhere",
            Store,
            StoreSpec(vendor: "S3", more: ", alibaba: {}"),
            "alibaba goes only with vendor AlibabaOSS"
        ),
        ("s3-block-elsewhere", Store, StoreSpec(more: ", s3: {}"), "s3 goes only with vendor S3"),
        (
            "cname-elsewhere",
            Store,
            StoreSpec(vendor: "S3", more: ", addressing: CName"),
            "CName goes only with vendor AlibabaOSS"
        ),
        (
            "path-at-huawei",
            Store,
            StoreSpec(vendor: "HuaweiOBS", more: ", addressing: Path"),
            "HuaweiOBS takes the bucket in the host only"
        ),
        (
            "cname-without-endpoint",
            Store,
            "{vendor: AlibabaOSS, region: cn-hangzhou, addressing: CName, credentials: {secretRef: {name: k}}}",
            "addressing CName needs endpoint"
        ),
        (
            "cloudbox-without-endpoint",
            Store,
            "{vendor: AlibabaOSS, region: cn-hangzhou, alibaba: {cloudBoxId: cb-1}, "
                + "credentials: {secretRef: {name: k}}}",
            "alibaba.cloudBoxId needs endpoint"
        ),
        (
            "cloudbox-with-cname",
            Store,
            StoreSpec(more: ", addressing: CName, alibaba: {cloudBoxId: cb-1}"),
            "a CloudBox has no CName"
        ),
        ("cloudbox-illegal", Store, StoreSpec(more: ", alibaba: {cloudBoxId: box-1}"), "a CloudBox id begins with cb-"),
        ("signature-unknown", Store, StoreSpec(more: ", alibaba: {signatureVersion: V2}"), "Unsupported value: \"V2\""),
        (
            "owner-illegal",
            Store,
            StoreSpec(vendor: "S3", more: ", s3: {expectedBucketOwner: me}"),
            "an account id has 12 digits"
        ),
        (
            "partition-with-a-blank",
            ClusterStore,
            StoreSpec(more: ", partition: 'a b'"),
            "a partition has letters, digits and any of"
        ),
        ("ca-bundle-of-words", Store, StoreSpec(more: ", caBundle: 'trust me'"), "caBundle has certificates in PEM"),
        (
            "ca-bundle-with-a-key",
            ClusterStore,
            StoreSpec(more: ", caBundle: '-----BEGIN CERTIFICATE----- -----BEGIN EC PRIVATE KEY-----'"),
            "and no private key"
        ),
        ("partition-of-nothing", ClusterStore, StoreSpec(more: ", partition: ''"), "spec.partition"),
        (
            "cluster-endpoint-with-user",
            ClusterStore,
            StoreSpec(endpoint: "https://me@oss-cn-hangzhou.aliyuncs.com"),
            "endpoint is scheme and host only"
        ),
        (
            "values-for-exists",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
            "Exists and DoesNotExist take none"
        ),
        (
            "no-values-for-in",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: In}]}"),
            "In and NotIn need values"
        ),
        (
            "an-operator-that-is-none",
            ClusterStore,
            Allowing("{matchExpressions: [{key: a, operator: Like, values: [b]}]}"),
            "Unsupported value: \"Like\""
        ),
        (
            "no-source-of-keys",
            Store,
            Keys("{}"),
            "credentials has exactly one of secretRef, rrsa, ecsRamRole and webIdentity"
        ),
        (
            "two-sources-of-keys",
            Store,
            Keys("{secretRef: {name: k}, ecsRamRole: {}}"),
            "credentials has exactly one of secretRef, rrsa, ecsRamRole and webIdentity"
        ),
        ("rrsa-elsewhere", Store, Keys("{rrsa: {}}", "S3"), "rrsa goes only with vendor AlibabaOSS: use secretRef"),
        (
            "ecs-role-elsewhere",
            Store,
            Keys("{ecsRamRole: {}}", "HuaweiOBS"),
            "ecsRamRole goes only with vendor AlibabaOSS: use secretRef"
        ),
        (
            "web-identity-elsewhere",
            Store,
            Keys("{webIdentity: {}}"),
            "webIdentity goes only with vendor S3: use secretRef"
        ),
        ("role-without-arn", Store, Keys("{rrsa: {roleArn: my-role}}"), "a role's ARN is acs:ram::ACCOUNT:role/NAME"),
        (
            "role-as-provider",
            Store,
            Keys("{rrsa: {oidcProviderArn: 'acs:ram::1:role/r'}}"),
            "an OIDC provider's ARN is acs:ram::ACCOUNT:oidc-provider/NAME"
        ),
        ("session-with-a-blank", Store, Keys("{rrsa: {sessionName: 'a b'}}"), "a session's name has 2 to 64 letters"),
        (
            "ecs-role-with-a-path",
            Store,
            Keys("{ecsRamRole: {name: '../x'}}"),
            "a RAM role's name (not its ARN) has letters"
        ),
        (
            "iam-role-without-arn",
            Store,
            Keys("{webIdentity: {roleArn: my-role}}", "S3"),
            "a role's ARN is arn:aws:iam::ACCOUNT:role/NAME"
        ),
        ("no-credentials", Store, "{vendor: AlibabaOSS, region: cn-hangzhou}", "spec.credentials: Required value"),
    ];

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
                "spec.storeRef.name=oss,spec.storeRef.kind=BucketStore,spec.encryption.algorithm=KMS,spec.mode=Enforce,"
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
