using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Identity;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

/// <summary>
/// A tenant without any Secret: the operator asks the real API server for a token of the tenant's ServiceAccount and
/// trades it. Witnesses are the API server's audit log and the vendor's record.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class TenantAccountTests(ClusterFixture fixture) : IAsyncLifetime
{
    /// <summary>Renewed in its last fifth.</summary>
    private const double KeySeconds = 10;

    private const string Role = "arn:aws:iam::123456789012:role/buckets";
    private const string Token = "of-the-tenants-operator";

    private SimulatorServer? _aws;
    private Scene? _scene;

    private SimulatorServer Aws => _aws ?? throw new InvalidOperationException("not started");

    private Scene TheScene => _scene ?? throw new InvalidOperationException("not started");

    private Cluster Cluster => fixture.Cluster;

    private string Namespace => TheScene.Namespace;

    public async Task InitializeAsync()
    {
        _aws = await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = Vendor.S3 });
        var first = await fixture.SceneAsync();
        _scene = await Scene.SetAsync(Cluster, _aws, first.Namespace + "-tenant");
        Aws.World.Identities.Set(
            new IdentityValues
            {
                TokenKey = fixture.Server.TokenKey,
                KeySeconds = KeySeconds,
                Roles =
                [
                    new AssumableRole { Arn = Role, Subject = $"system:serviceaccount:{_scene.Namespace}:buckets" },
                ],
            }
        );
        await Cluster.KubectlAsync("-n", Namespace, "delete", "secret", "oss-keys");
        await Cluster.KubectlAsync("-n", Namespace, "delete", "bucketstore", "oss");
        await Installation.ForSomeAsync(Cluster, [Namespace]);
        fixture.Server.KnowOnly((Token, Installation.Account));
    }

    public async Task DisposeAsync()
    {
        if (_aws is not null)
            await _aws.DisposeAsync();
    }

    [Fact]
    public async Task A_tenant_without_a_Secret_has_its_buckets_encrypted_as_long_as_the_account_says_so()
    {
        await Cluster.ApplyAsync(AccountYaml("buckets", stores: "archive, oss"));
        await Cluster.ApplyAsync(RoleYaml());
        await Cluster.ApplyAsync(StoreYaml("oss", "buckets"));
        TheScene.CreateBuckets("ledger");
        using var kubeconfig = await Kubeconfig.WriteAsync(fixture.Server, Token);
        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        await using var op = await StartAsync(kubeconfig);

        await TheScene.ApplyPolicyAsync("finance", ["ledger"], "{algorithm: KMS}");
        await ReadyAsync(op, "finance", "True", "InSync");

        var requests = AuditLog.OperatorSince(fixture.Server.AuditLog, mark);
        Assert.Equal(1, TheScene.Writes("ledger"));
        Assert.DoesNotContain(requests, r => r.Code is 401 or 403 || r.Resource == "secrets");
        // Every right of the Role was used, on the account that it names and on no other.
        Assert.Equal(
            [$"create serviceaccounts/token {Namespace}/buckets 201", $"get serviceaccounts {Namespace}/buckets 200"],
            Accounts(requests).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            StringComparer.Ordinal
        );
        Assert.DoesNotContain("eyJ", op.Log, StringComparison.Ordinal); // what every such token begins with

        await Cluster.ApplyAsync(AccountYaml("buckets", stores: "archive"));
        await ReadyAsync(op, "finance", "False", "ServiceAccountNotOffered");
        await SilentAsync(op);

        await Cluster.ApplyAsync(AccountYaml("buckets", stores: "oss"));
        await ReadyAsync(op, "finance", "True", "InSync");
        await Cluster.KubectlAsync("-n", Namespace, "delete", "role", "service-accounts");
        await ReadyAsync(op, "finance", "False", "ServiceAccountForbidden");
        await SilentAsync(op);

        await Cluster.ApplyAsync(RoleYaml());
        await ReadyAsync(op, "finance", "True", "InSync");
        await Cluster.KubectlAsync("-n", Namespace, "delete", "serviceaccount", "buckets");
        await ReadyAsync(op, "finance", "False", "ServiceAccountNotFound");
        await SilentAsync(op);
        Assert.Equal(1, TheScene.Writes("ledger"));
    }

    [Fact]
    public async Task An_account_of_another_namespace_is_out_of_reach_whatever_its_name()
    {
        var other = Namespace + "-other";
        await Cluster.KubectlAsync("create", "namespace", other);
        await Cluster.ApplyAsync(AccountYaml("theirs", stores: "oss", other));
        await Cluster.ApplyAsync(RoleYaml("theirs"));
        await Cluster.ApplyAsync(StoreYaml("oss", "theirs"));
        TheScene.CreateBuckets("ledger");
        using var kubeconfig = await Kubeconfig.WriteAsync(fixture.Server, Token);
        var mark = AuditLog.Mark(fixture.Server.AuditLog);
        await using var op = await StartAsync(kubeconfig);

        await TheScene.ApplyPolicyAsync("finance", ["ledger"], "{algorithm: KMS}");
        var policy = await ReadyAsync(op, "finance", "False", "ServiceAccountNotFound");

        Assert.DoesNotContain(other, policy, StringComparison.Ordinal);
        Assert.Empty(Aws.World.Recorder.All);
        Assert.DoesNotContain(
            AuditLog.OperatorSince(fixture.Server.AuditLog, mark),
            r => r.Namespace == other || r.Subresource == "token"
        );
    }

    [Theory]
    [InlineData("a usual name of API servers", "https://kubernetes.default.svc")]
    [InlineData("the name of this one", "https://kubernetes.default.svc.cluster.local")]
    public async Task With_the_API_servers_audience_the_operator_does_not_start(string sentence, string audience)
    {
        using var kubeconfig = await Kubeconfig.WriteAsync(fixture.Server, Token);
        await using var op = OperatorProcess.Launch(
            kubeconfig.Path,
            Aws.Url,
            environment: null,
            "--watch-namespaces",
            Namespace,
            "--token-audiences",
            "S3=" + audience
        );

        Assert.True(await op.ExitAsync() == 1, sentence);
        Assert.Contains("is an audience of the API server", op.Log, StringComparison.Ordinal);
    }

    private async Task<OperatorProcess> StartAsync(Kubeconfig kubeconfig)
    {
        var here = Aws.Url.GetLeftPart(UriPartial.Authority);
        return await OperatorProcess.StartAsync(
            kubeconfig.Path,
            Aws.Url,
            "--watch-namespaces",
            Namespace,
            "--sts-endpoint",
            here
        );
    }

    private async Task<string> ReadyAsync(OperatorProcess op, string policy, string status, string reason) =>
        (await Cluster.WhenReadyIsAsync(Namespace, policy, status, reason, () => op.Log)).ToJsonString();

    /// <summary>Nothing is sent any more, though the policy is tried again each second.</summary>
    private async Task SilentAsync(OperatorProcess op)
    {
        var before = TheScene.Received("ledger", Operations.Get);
        var asked = Traded();
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        Assert.Equal((before, asked), (TheScene.Received("ledger", Operations.Get), Traded()));
        Assert.True(op.IsRunning);
    }

    private int Traded() => Aws.World.Recorder.All.Count(r => r.Operation == IdentityOperations.WebIdentity);

    private static IEnumerable<string> Accounts(IEnumerable<AuditEntry> requests) =>
        requests
            .Where(r => r.Resource == "serviceaccounts")
            .Select(r =>
                $"{r.Verb} {r.Resource}{(r.Subresource.Length > 0 ? "/" + r.Subresource : "")} {r.Namespace}/{r.Name} "
                + $"{r.Code}"
            );

    private string AccountYaml(string name, string stores, string? ns = null) =>
        $$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: {{name}}, namespace: {{ns
                ?? Namespace}}, annotations: {bucketencryption.io/stores: "{{stores}}"} }
            """;

    /// <summary>As the chart has it for <c>rbac.serviceAccounts</c> with names.</summary>
    private string RoleYaml(string account = "buckets") =>
        $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: service-accounts, namespace: {{Namespace}} }
            rules:
              - {apiGroups: [""], resources: [serviceaccounts], verbs: [get], resourceNames: [{{account}}] }
              - {apiGroups: [""], resources: [serviceaccounts/token], verbs: [create], resourceNames: [{{account}}] }
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: service-accounts, namespace: {{Namespace}} }
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: service-accounts}
            subjects: [{kind: ServiceAccount, name: bucket-encryption-operator, namespace: bucket-encryption-operator}]
            """;

    private string StoreYaml(string name, string account) =>
        $$"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata: {name: {{name}}, namespace: {{Namespace}} }
            spec:
              vendor: S3
              region: cn-hangzhou
              endpoint: "{{Aws.Url.GetLeftPart(UriPartial.Authority)}}"
              credentials: {serviceAccountRef: {name: {{account}}, roleArn: "{{Role}}"} }
            """;
}
