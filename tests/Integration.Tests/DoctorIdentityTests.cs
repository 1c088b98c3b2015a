using Integration.Tests.Harness;
using ObjectStoreSimulator.State;

namespace Integration.Tests;

/// <summary><c>doctor</c> with stores whose keys are traded: roles that are assumed, and ServiceAccounts.</summary>
[Collection(ClusterTests.Name)]
public sealed class DoctorIdentityTests(ClusterFixture fixture)
{
    private const string Role = "acs:ram::123:role/buckets";
    private const string Provider = "acs:ram::123:oidc-provider/p";

    [Fact]
    public async Task Roles_are_assumed_with_the_store_s_own_key()
    {
        var scene = await SetAsync($"{{secretRef: {{name: oss-keys}}, assumeRole: [{{roleArn: '{Role}'}}] }}");

        var unknown = await DoctorAsync(scene);
        scene.Vendor.Identities.Set(
            new IdentityValues { Roles = [new AssumableRole { Arn = Role, By = [Scene.KeyId] }] }
        );
        var known = await DoctorAsync(scene);

        Fails(unknown);
        Assert.Contains("AssumeRole", unknown.Output, StringComparison.Ordinal);
        IsWell(known);
    }

    [Fact]
    public async Task A_token_of_the_store_s_ServiceAccount_is_traded_if_the_account_names_the_store()
    {
        var scene = await SetAsync(
            $"{{serviceAccountRef: {{name: buckets, roleArn: '{Role}', oidcProviderArn: '{Provider}'}} }}"
        );
        scene.Vendor.Identities.Set(
            new IdentityValues
            {
                TokenKey = fixture.Server.TokenKey,
                OidcProviderArn = Provider,
                Roles =
                [
                    new AssumableRole { Arn = Role, Subject = $"system:serviceaccount:{scene.Namespace}:buckets" },
                ],
            }
        );

        var missing = await DoctorAsync(scene);
        await scene.Cluster.KubectlAsync("-n", scene.Namespace, "create", "serviceaccount", "buckets");
        var silent = await DoctorAsync(scene);
        await scene.Cluster.KubectlAsync(
            "-n",
            scene.Namespace,
            "annotate",
            "serviceaccount",
            "buckets",
            "bucketencryption.io/stores=oss"
        );
        var offered = await DoctorAsync(scene);

        Fails(missing);
        Assert.Contains("ServiceAccountNotFound", missing.Output, StringComparison.Ordinal);
        Fails(silent);
        Assert.Contains("ServiceAccountNotOffered", silent.Output, StringComparison.Ordinal);
        IsWell(offered);
    }

    private static void Fails(CommandRun doctor)
    {
        Assert.Equal((1, ""), (doctor.Code, doctor.Errors));
        Assert.Contains("failed key", doctor.Checks, StringComparer.Ordinal);
    }

    private static void IsWell(CommandRun doctor)
    {
        Assert.True(doctor.Code == 2, doctor.Output + doctor.Errors); // no Lease, and plain http
        Assert.Contains("ok key", doctor.Checks, StringComparer.Ordinal);
        Assert.Contains("ok bucket ledger", doctor.Checks, StringComparer.Ordinal);
    }

    private async Task<Scene> SetAsync(string credentials)
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("ledger");
        await scene.Cluster.ApplyAsync(scene.StoreYaml().Replace("{secretRef: {name: oss-keys} }", credentials));
        await scene.ApplyPolicyAsync("finance", ["ledger"]);
        return scene;
    }

    private Task<CommandRun> DoctorAsync(Scene scene) =>
        CommandRun.OfAsync([
            "doctor",
            "--store",
            "oss",
            "-n",
            scene.Namespace,
            "--allowed-endpoints",
            scene.Here,
            "--sts-endpoint",
            scene.Here,
            "--kubeconfig",
            fixture.Server.Kubeconfig,
            "-o",
            "json",
        ]);
}
