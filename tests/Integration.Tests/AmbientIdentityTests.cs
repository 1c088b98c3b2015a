using System.Collections.Immutable;
using Integration.Tests.Harness;
using ObjectStoreSimulator;
using ObjectStoreSimulator.Identity;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// Temporary keys of every source, through keys that end after seconds and renewals that fail. The witness is the
/// vendor's record: which key each request had, and when it ended.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class AmbientIdentityTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const double KeySeconds = 20;
    private const string RamRole = "acs:ram::123:role/operator";
    private const string IamRole = "arn:aws:iam::123456789012:role/operator";
    private const string Provider = "acs:ram::123:oidc-provider/cluster";
    private const string Token = "token-of-the-pod";
    private const string Hub = "arn:aws:iam::123456789012:role/hub";
    private const string Spoke = "arn:aws:iam::210987654321:role/spoke";
    private const string RamSpoke = "acs:ram::321:role/spoke";
    private const string OfTenant = "arn:aws:iam::123456789012:role/tenant";
    private const string OnSecret = "{secretRef: {name: oss-keys}, assumeRole: ";

    [Fact]
    public async Task No_request_has_a_key_that_is_over_whatever_becomes_of_its_renewal()
    {
        var tokenFile = Path.GetTempFileName();
        await File.WriteAllTextAsync(tokenFile, Token);
        await using var aws = await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = Vendor.S3 });
        var scene = await fixture.SceneAsync();
        var other = await Scene.SetAsync(fixture.Cluster, aws, scene.Namespace + "-aws");
        Know(
            fixture.Vendor.World,
            RamRole,
            new AssumableRole
            {
                Arn = RamSpoke,
                By = [Scene.KeyId],
                ExternalId = "x/1",
            }
        );
        Know(
            aws.World,
            IamRole,
            new AssumableRole { Arn = Hub, By = [Scene.KeyId] },
            new AssumableRole
            {
                Arn = Spoke,
                By = [Hub],
                ExternalId = "x/1",
            }
        );
        await using var federation = await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = Vendor.S3 });
        var tenant = await Scene.SetAsync(fixture.Cluster, federation, scene.Namespace + "-tenant");
        await TrustAccountAsync(federation.World, tenant.Namespace);
        try
        {
            await using var alibabas = await StartAsync(
                fixture.Vendor,
                scene.Namespace,
                new(StringComparer.Ordinal)
                {
                    ["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = tokenFile,
                    ["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = Provider,
                }
            );
            await using var amazons = await StartAsync(
                aws,
                other.Namespace,
                new(StringComparer.Ordinal)
                {
                    ["AWS_WEB_IDENTITY_TOKEN_FILE"] = tokenFile,
                    ["AWS_ROLE_ARN"] = IamRole,
                    ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = new Uri(aws.Url, "/v1/credentials").ToString(),
                    ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = tokenFile,
                }
            );
            await using var tenants = await StartAsync(federation, tenant.Namespace, new(StringComparer.Ordinal));
            await Task.WhenAll(
                LiveAsync(
                    new Line(scene, alibabas, "rrsa", $"{{rrsa: {{roleArn: '{RamRole}'}}}}", IdentityOperations.Oidc)
                ),
                LiveAsync(new Line(scene, alibabas, "ecs-ram-role", "{ecsRamRole: {}}", IdentityOperations.RoleKeys)),
                LiveAsync(
                    new Line(scene, alibabas, "ram-role", $"{OnSecret}[{Last(RamSpoke)}]}}", IdentityOperations.Role)
                ),
                LiveAsync(
                    new Line(other, amazons, "web-identity", "{webIdentity: {}}", IdentityOperations.WebIdentity, "S3")
                ),
                LiveAsync(
                    new Line(other, amazons, "pod-identity", "{podIdentity: {}}", IdentityOperations.PodIdentity, "S3")
                ),
                LiveAsync(
                    new Line(
                        other,
                        amazons,
                        "two-roles",
                        $"{OnSecret}[{{roleArn: '{Hub}'}}, {Last(Spoke)}]}}",
                        IdentityOperations.Role,
                        "S3"
                    )
                ),
                LiveAsync(
                    new Line(
                        tenant,
                        tenants,
                        "service-account",
                        $"{{serviceAccountRef: {{name: buckets, roleArn: '{OfTenant}'}}}}",
                        IdentityOperations.WebIdentity,
                        "S3"
                    )
                )
            );
            AssertNoneWasOver(fixture.Vendor.World);
            AssertNoneWasOver(aws.World);
            AssertNoneWasOver(federation.World);
        }
        finally
        {
            File.Delete(tokenFile);
        }
    }

    /// <summary>
    /// A key ends and is renewed, at the second try; then nobody gives keys until the last one is over and for a while
    /// after; then all is well again.
    /// </summary>
    private async Task LiveAsync(Line line)
    {
        var (scene, op, name) = (line.Scene, line.Operator, line.Name);
        scene.CreateBuckets(name);
        await scene.Cluster.ApplyAsync(StoreYaml(line));
        await scene.Cluster.ApplyAsync(
            scene.PolicyYaml(name, [name]).Replace("{name: oss}", $"{{name: {name}}}", StringComparison.Ordinal)
        );
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "True", detail: () => op.Log);
        var first = KeysUsed(line);

        scene.Vendor.Faults.Add(
            new FaultRule
            {
                Operations = [line.Giving],
                Action = FaultAction.Error,
                Times = 1,
                Status = 503,
                Code = "ServiceUnavailable",
            }
        );
        await Eventually.TrueAsync($"{name}: another key is used", () => KeysUsed(line) > first, () => op.Log);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "True", detail: () => op.Log);

        var outage = scene.Vendor.Faults.Add(
            new FaultRule
            {
                Operations = [line.Giving],
                Action = FaultAction.Error,
                Status = 503,
                Code = "AllIsDown",
            }
        );
        var told = await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "Unknown", detail: () => op.Log);
        var silentFrom = scene.Received(name, Operations.Get);
        await Eventually.TrueAsync(
            $"{name}: two renewals more have failed",
            () => Struck(scene, outage) >= 5,
            () => op.Log
        );
        var struck = Struck(scene, outage);
        var silentTo = scene.Received(name, Operations.Get);
        scene.Vendor.Faults.Remove(outage.Id!);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, name, "True", detail: () => op.Log);

        output.WriteLine(
            $"{name}: {KeysUsed(line)} keys of {KeySeconds} s, {Asked(line)} times asked for one, {struck} of them in "
                + $"the outage; {scene.Received(name, Operations.Get)} reads of the bucket, none without a key"
        );
        Assert.Equal(silentFrom, silentTo);
        Assert.Contains(
            line.Giving,
            Cluster.Condition(told, "Ready")?["message"]?.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Token, op.Log, StringComparison.Ordinal);
    }

    private void AssertNoneWasOver(World world)
    {
        var keys = world.Identities.Issued.ToDictionary(k => k.AccessKeyId, StringComparer.Ordinal);
        var requests = world.Recorder.All.Where(r => r.Bucket is not null).ToList();
        var least = requests.Min(r => (keys[r.AccessKeyId!].ExpiresAt - r.Time).TotalSeconds);

        output.WriteLine(
            $"{requests.Count} requests with {keys.Count} keys: the one that came closest to its key's end had "
                + $"{least:0.0} s left"
        );
        Assert.True(least > 0, $"{least} s");
        Assert.Empty(
            world.Counters.Values.Total.Rejected.Keys.Intersect(
                ["SecurityTokenExpired", "ExpiredToken", "InvalidAccessKeyId"],
                StringComparer.Ordinal
            )
        );
        Assert.InRange(requests.Count, 10, 999); // more would have pushed some out of the record
    }

    private static string Last(string role) => $"{{roleArn: '{role}', externalId: x/1}}";

    private static void Know(World world, string role, params ImmutableArray<AssumableRole> roles) =>
        world.Identities.Set(
            new IdentityValues
            {
                RoleArn = role,
                OidcProviderArn = Provider,
                OidcToken = Token,
                EcsRole = "instance-role",
                KeySeconds = KeySeconds,
                Roles = roles,
            }
        );

    /// <summary>The role trusts an account of the namespace, and the account offers itself to its store.</summary>
    private async Task TrustAccountAsync(World world, string ns)
    {
        world.Identities.Set(
            new IdentityValues
            {
                TokenKey = fixture.Server.TokenKey,
                KeySeconds = KeySeconds,
                Roles = [new AssumableRole { Arn = OfTenant, Subject = $"system:serviceaccount:{ns}:buckets" }],
            }
        );
        await fixture.Cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: buckets, namespace: {{ns}}, annotations: {bucketencryption.io/stores: service-account} }
            """
        );
    }

    private async Task<OperatorProcess> StartAsync(
        SimulatorServer vendor,
        string ns,
        Dictionary<string, string> environment
    )
    {
        var here = vendor.Url.GetLeftPart(UriPartial.Authority);
        var op = OperatorProcess.Launch(
            fixture.Server.Kubeconfig,
            vendor.Url,
            environment,
            "--watch-namespaces",
            ns,
            "--ambient-credentials-in-namespaced-stores",
            "--sts-endpoint",
            here,
            "--metadata-endpoint",
            here
        );
        await op.WhenReadyAsync();
        return op;
    }

    private static string StoreYaml(Line line) =>
        $$"""
            apiVersion: bucketencryption.io/v1alpha1
            kind: BucketStore
            metadata: {name: {{line.Name}}, namespace: {{line.Scene.Namespace}} }
            spec:
              vendor: {{line.Vendor}}
              region: cn-hangzhou
              endpoint: "{{line.Scene.Endpoint.GetLeftPart(UriPartial.Authority)}}"
              credentials: {{line.Credentials}}
            """;

    private static int KeysUsed(Line line) =>
        line
            .Scene.Vendor.Recorder.All.Where(r => r.Bucket == line.Name && r.AccessKeyId is not null)
            .Select(r => r.AccessKeyId)
            .Distinct(StringComparer.Ordinal)
            .Count();

    private static int Asked(Line line) => line.Scene.Vendor.Recorder.All.Count(r => r.Operation == line.Giving);

    private static long Struck(Scene scene, FaultRule rule) =>
        scene.Vendor.Faults.All.FirstOrDefault(f => f.Rule.Id == rule.Id)?.Struck ?? 0;

    /// <param name="Giving">The operation that gives the keys.</param>
    private sealed record Line(
        Scene Scene,
        OperatorProcess Operator,
        string Name,
        string Credentials,
        string Giving,
        string Vendor = "AlibabaOSS"
    );
}
