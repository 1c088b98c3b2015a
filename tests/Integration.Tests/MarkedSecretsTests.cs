using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using KubeRuntime.Tests.Client;
using Microsoft.Extensions.DependencyInjection;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// Every secret and token here has a mark in it: those in Secrets, the pod's token, the keys that token services give.
/// Everything is then made to fail, and everything that the operator says is searched for the mark, and for what it is
/// in base64. Ids of access keys are no secrets, and have none. Tokens of service accounts are known by what they begin
/// with.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed partial class MarkedSecretsTests(ClusterFixture fixture, ITestOutputHelper output)
    : IAsyncLifetime,
        IDisposable
{
    private const string Mark = "m4rked";
    private const string MarkInBase64 = "bTRya2Vk"; // six bytes: the same at any place that begins a group
    private const string TokenHead = "eyJhbGci"; // of every JSON web token
    private const string Given = "acs:ram::123:role/given";
    private const string RamRole = "acs:ram::123:role/operator";
    private const string Provider = "acs:ram::123:oidc-provider/cluster";

    private static readonly string[] Marks = [Mark, MarkInBase64, TokenHead];

    private static readonly IReadOnlyList<string> Codes =
    [
        .. VendorCatalog
            .All.SelectMany(v => v.Dialect.Errors.Codes)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>
    /// Those that say something about the key, which ends all calls with it: each has a key of its own. Of the others
    /// one policy has all.
    /// </summary>
    private static readonly IReadOnlyList<string> Rejections = [.. Codes.Where(IsRejection)];

    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly string _brokenTokenFile = Path.GetTempFileName();
    private readonly TestAuthority _unknownAuthority = new();
    private readonly List<(string Source, string Text)> _said = [];
    private SimulatorServer? _tls;
    private Scene? _scene;

    /// <summary>Policy (and store) → the reason that it comes to, which shows that what should happen did.</summary>
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal)
    {
        ["all-codes"] = "MultipleErrors",
        ["wrong-v4"] = "CredentialsRejected",
        ["wrong-v1"] = "CredentialsRejected",
        ["malformed"] = "SecretInvalid",
        ["sts-refuses"] = "AuthenticationFail_OIDCToken_Invalid",
        ["bad-token-file"] = "TokenFileInvalid",
        ["given-keys"] = "InSync",
        ["agent-refuses"] = "InvalidTokenException",
        ["role-given"] = "InSync",
        ["role-refused"] = "EntityNotExist_Role",
        ["role-rejected"] = "SignatureDoesNotMatch",
        ["account-refused"] = "AuthenticationFail_OIDCToken_Invalid",
        ["account-not-offered"] = "ServiceAccountNotOffered",
        ["tls"] = "TlsFailed",
        ["echoed-code"] = "Withheld",
    };

    /// <summary>
    /// Policies with a KMS key of the same name → KeyUsable's reason. Their key service tells the token in all places
    /// that an answer has.
    /// </summary>
    private readonly Dictionary<string, string> _keyReasons = new(StringComparer.Ordinal)
    {
        ["kms-denied"] = "DescribeKeyDenied",
        ["kms-echoed-code"] = "KeyServiceFailed",
        ["kms-page"] = "KeyServiceFailed",
        ["kms-state"] = "KeyServiceFailed",
    };

    private Scene TheScene => _scene ?? throw new InvalidOperationException("not started");

    private SimulatorServer Tls => _tls ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync()
    {
        _tls = await SimulatorServer.StartAsync(new SimulatorOptions { Authority = _unknownAuthority });
        _scene = await fixture.SceneAsync();
        await File.WriteAllTextAsync(_tokenFile, $"{Mark}-pod-token");
        await File.WriteAllTextAsync(_brokenTokenFile, $"{Mark} pod\ntoken");
        var world = fixture.Vendor.World;
        world.Identities.Set(
            new IdentityValues
            {
                RoleArn = RamRole,
                OidcProviderArn = Provider,
                OidcToken = "another",
                EcsRole = "instance-role",
                SecretMark = Mark,
                Roles = [new AssumableRole { Arn = Given, By = ["base"] }],
            }
        );
        world.Accounts.Set("good", new Account { Secret = $"{Mark}-secret", SecurityToken = $"{Mark}-token" });
        world.Accounts.Set("base", new Account { Secret = $"{Mark}-secret", SecurityToken = $"{Mark}-token" });
        foreach (var id in new[] { "other", "another", "wrong-base" })
            world.Accounts.Set(id, new Account { Secret = "not-that", SecurityToken = $"{Mark}-token" });
        foreach (var name in _keyReasons.Keys)
            _reasons[name] = "InSync";
        foreach (var fault in KeyServiceFaults())
            world.Faults.Add(fault);
        TheScene.CreateBuckets([
            .. _reasons.Keys,
            .. Codes.Select(BucketOf),
            .. Rejections.Select(r => BucketOf(r) + "-key"),
        ]);
        foreach (var code in Codes.Except(Rejections, StringComparer.Ordinal))
            world.Faults.Add(Echoing(BucketOf(code), code));
        world.Faults.Add(Echoing("echoed-code", $"{Mark}-token"));
        foreach (var rejection in Rejections)
        {
            _reasons["rejected-" + rejection.ToLowerInvariant()] = "CredentialsRejected";
            world.Faults.Add(Echoing(BucketOf(rejection) + "-key", rejection));
        }
        await fixture.Cluster.ApplyAsync(string.Join("\n---\n", Stores()));
    }

    public async Task DisposeAsync()
    {
        File.Delete(_tokenFile);
        File.Delete(_brokenTokenFile);
        if (_tls is not null)
            await _tls.DisposeAsync();
    }

    public void Dispose() => _unknownAuthority.Dispose();

    [Fact]
    public async Task No_secret_is_in_anything_that_the_operator_says_whatever_fails()
    {
        await AsProcessAsync("json");
        await AsProcessAsync("plain");
        await InProcessAsync();
        await RunCommandsAsync();

        foreach (var source in _said.GroupBy(s => s.Source, StringComparer.Ordinal))
            output.WriteLine($"{source.Key}: {source.Sum(s => s.Text.Length)} characters searched");
        var leaks = _said
            .Where(s => Marks.Any(mark => s.Text.Contains(mark, StringComparison.Ordinal)))
            .Select(s => $"{s.Source}: {Around(s.Text)}")
            .Distinct(StringComparer.Ordinal)
            .ToList();
        Assert.True(leaks.Count == 0, string.Join("\n", leaks.Take(20)));
        // It must have heard what it was to search.
        Assert.Superset(
            new HashSet<string>(StringComparer.Ordinal)
            {
                "command",
                "command --json",
                "events",
                "exceptions",
                "limits",
                "log json",
                "log of every category",
                "log plain",
                "metrics",
                "/metrics",
                "probes",
                "statuses",
                "traces",
            },
            _said.Where(s => s.Text.Length > 0).Select(s => s.Source).ToHashSet(StringComparer.Ordinal)
        );
        Assert.All(
            ["log json", "log plain", "log of every category"],
            log =>
                Assert.Contains(
                    _said,
                    s => s.Source == log && s.Text.Contains("SignatureDoesNotMatch", StringComparison.Ordinal)
                )
        );
    }

    /// <summary>As its users run it, at the level that says most.</summary>
    private async Task AsProcessAsync(string format)
    {
        await ApplyPoliciesAsync();
        await using var op = Child.StartOperator(
            [
                "run",
                "--kubeconfig",
                fixture.Server.Kubeconfig,
                "--watch-namespaces",
                TheScene.Namespace,
                "--allowed-endpoints",
                $"{Plain},{Secure}",
                "--http-address",
                "127.0.0.1:0",
                "--log-format",
                format,
                "--log-level",
                "trace",
                "--ambient-credentials-in-namespaced-stores",
                "--sts-endpoint",
                Plain,
                "--metadata-endpoint",
                Plain,
            ],
            Environment()
        );
        await WhenAllCameToTheirReasonsAsync(() => op.Output);
        await op.TerminateAsync();
        _said.Add(($"log {format}", op.Output));
        await CollectAsync();
    }

    /// <summary>
    /// In this process, where exceptions, metrics and traces can be heard too; with an API server that fails, and a
    /// bug.
    /// </summary>
    private async Task InProcessAsync()
    {
        (_reasons["api-server-fails"], _reasons["bug"]) = ("SecretUnreadable", "OperatorBug");
        TheScene.CreateBuckets("api-server-fails", "bug");
        await fixture.Cluster.ApplyAsync(
            $"{StoreYaml("api-server-fails", "{secretRef: {name: unreadable}}")}\n---\n"
                + $"{StoreYaml("bug", "{secretRef: {name: wrong}}", vendor: "JDCloudOSS")}\n---\n"
                + $"{SecretYaml("unreadable", "good", Mark)}"
        );
        await ApplyPoliciesAsync();
        await fixture.Cluster.ApplyAsync(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: marked-secrets}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects: [{kind: ServiceAccount, name: marked-secrets, namespace: default}]
            """
        );
        using var certificates = new TestCertificates("marked secrets");
        await using var proxy = await HttpFaultProxy.StartAsync(
            KubeConfig.Load(fixture.Server.Kubeconfig, context: null, _ => null, TimeProvider.System),
            certificates
        );
        proxy.Faults = call =>
            call.Path.EndsWith("/secrets/unreadable", StringComparison.Ordinal) ? new HttpFault.Answer(500) : null;
        using var overheard = new Overheard();
        await using var app = Compose(
            overheard,
            new KubeConnection(new Uri($"https://127.0.0.1:{proxy.Port}"))
            {
                CertificateAuthorities = Renewable.Of<X509Certificate2Collection>([certificates.Authority]),
                Token = BearerToken.FromText("sa:default:marked-secrets"),
            }
        );
        await app.StartAsync();
        await WhenAllCameToTheirReasonsAsync(() =>
            string.Join('\n', overheard.Texts["log of every category"].TakeLast(5))
        );
        using (var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) })
            overheard.Add(
                "probes",
                string.Concat(
                    await http.GetStringAsync(new Uri("/livez", UriKind.Relative)),
                    await http.GetStringAsync(new Uri("/readyz", UriKind.Relative))
                )
            );
        overheard.Add("/metrics", await ScrapeAsync(app));
        overheard.Add("limits", string.Join('\n', app.Services.GetRequiredService<VendorLimits>().States));
        await app.StopAsync();
        _said.AddRange(overheard.Texts.SelectMany(source => source.Select(text => (source.Key, text))));
        await CollectAsync();
    }

    private async Task RunCommandsAsync()
    {
        foreach (var endpoint in new[] { Plain, Secure, "http://127.0.0.1:1" })
        {
            foreach (var signature in new[] { "v1", "v4" })
            {
                string[] words =
                [
                    "bucket-encryption",
                    "--method",
                    "get",
                    "oss://wrong-v4",
                    "-e",
                    endpoint,
                    "-i",
                    "other",
                    "-k",
                    $"{Mark}-wrong",
                    "-t",
                    $"{Mark}-token",
                    "--region",
                    "cn-hangzhou",
                    "--sign-version",
                    signature,
                ];
                foreach (
                    var (source, more) in new[] { ("command", Array.Empty<string>()), ("command --json", ["--json"]) }
                )
                {
                    await using var command = Child.StartOperator([.. words, .. more]);
                    await command.ExitAsync();
                    Assert.NotEqual(0, command.ExitCode);
                    _said.Add((source, command.Output));
                }
            }
        }
    }

    private Task WhenAllCameToTheirReasonsAsync(Func<string> detail)
    {
        var last = "";
        return Eventually.TrueAsync(
            "every policy has come to its reason",
            async () =>
            {
                var policies =
                    JsonNode
                        .Parse(await fixture.Cluster.KubectlAsync("-n", TheScene.Namespace, "get", "bep", "-o", "json"))
                        ?["items"]?.AsArray()
                    ?? [];
                var wrong = policies
                    .Select(p =>
                        (
                            Name: p!["metadata"]!["name"]!.GetValue<string>(),
                            Reason: Cluster.Condition(p, "Ready")?["reason"]?.GetValue<string>(),
                            Key: Cluster.Condition(p, "KeyUsable")?["reason"]?.GetValue<string>()
                        )
                    )
                    .Where(p =>
                        _reasons[p.Name] != p.Reason
                        || _keyReasons.GetValueOrDefault(p.Name, p.Key ?? "") != (p.Key ?? "")
                    );
                last = string.Join(", ", wrong);
                return policies.Count == _reasons.Count && last.Length == 0;
            },
            () => $"{last}\n{detail()}"
        );
    }

    private async Task CollectAsync()
    {
        _said.Add(
            (
                "statuses",
                await fixture.Cluster.KubectlAsync("-n", TheScene.Namespace, "get", "bep,bucketstores", "-o", "yaml")
            )
        );
        _said.Add(
            (
                "events",
                await fixture.Cluster.KubectlAsync(
                    "-n",
                    TheScene.Namespace,
                    "get",
                    "events.events.k8s.io",
                    "-o",
                    "yaml"
                )
            )
        );
    }

    /// <summary>Ours, who throws with all that it has at hand.</summary>
    private sealed class Buggy : IBucketEncryptionApi
    {
        public Task<Observation> GetAsync(BucketAddress address, AccessKey key, CancellationToken cancellationToken) =>
            throw new InvalidOperationException($"a bug with {key} at {address}");

        public Task<IBucketWrite> BeginWriteAsync(
            BucketAddress address,
            AccessKey key,
            CancellationToken cancellationToken
        ) => throw new InvalidOperationException();

        public string Write(BucketEncryption target, Observation basis) => throw new InvalidOperationException();

        public string? Repeat(Observation observed) => throw new InvalidOperationException();
    }
}
