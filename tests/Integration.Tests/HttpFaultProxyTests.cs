using System.Security.Cryptography.X509Certificates;
using System.Text;
using Integration.Tests.Harness;
using k8s;
using k8s.Models;
using KubeRuntime.Client;
using KubeRuntime.LeaderElection;
using KubeRuntime.Tests.Client;
using TestKit;

namespace Integration.Tests;

/// <summary>
/// The proxy that the chaos table stands on: what is not struck passes as it came, and what is struck is what was asked
/// for.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class HttpFaultProxyTests(ClusterFixture fixture) : IAsyncLifetime, IDisposable
{
    private static readonly Dictionary<string, (HttpFault Fault, KubeFailureKind Failure)> Table = new(
        StringComparer.Ordinal
    )
    {
        ["429"] = (new HttpFault.Answer(429) { RetryAfterSeconds = 7 }, KubeFailureKind.Throttled),
        ["500"] = (new HttpFault.Answer(500), KubeFailureKind.Transient),
        ["410"] = (new HttpFault.ExpiredEvent(), KubeFailureKind.Expired),
        ["half an answer with a clean end"] = (new HttpFault.Truncate(40, Breaks: false), KubeFailureKind.Transient),
        ["half an answer on a stream that breaks"] = (
            new HttpFault.Truncate(40, Breaks: true),
            KubeFailureKind.Transient
        ),
        ["no answer to what was done"] = (new HttpFault.Truncate(0, Breaks: true), KubeFailureKind.Transient),
        ["a spoiled byte"] = (new HttpFault.Corrupt(40), KubeFailureKind.Transient),
    };

    private static readonly NamespacedName Key = new("default", "fault-proxy");
    private readonly TestCertificates _certificates = new("fault proxy");
    private HttpFaultProxy? _proxy;
    private KubeClient? _client;

    public static TheoryData<string> Faults => new(Table.Keys);

    private HttpFaultProxy Proxy => _proxy ?? throw new InvalidOperationException("not started");

    private KubeClient Client => _client ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync()
    {
        await fixture.Cluster.ApplyAsync(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: fault-proxy}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects: [{kind: ServiceAccount, name: fault-proxy, namespace: default}]
            """
        );
        _proxy = await HttpFaultProxy.StartAsync(
            KubeConfig.Load(fixture.Server.Kubeconfig, context: null, _ => null, TimeProvider.System),
            _certificates
        );
        var connection = new KubeConnection(new Uri($"https://127.0.0.1:{_proxy.Port}"))
        {
            CertificateAuthorities = Renewable.Of<X509Certificate2Collection>([_certificates.Authority]),
            Token = BearerToken.FromText("sa:default:fault-proxy"),
        };
        _client = new KubeClient(connection, "fault-proxy-test/1.0", TimeProvider.System);
        await fixture.Cluster.KubectlAsync("-n", "default", "delete", "lease", Key.Name, "--ignore-not-found");
        var lease = new V1Lease
        {
            ApiVersion = "coordination.k8s.io/v1",
            Kind = V1Lease.KubeKind,
            Metadata = new V1ObjectMeta { Name = Key.Name },
            Spec = new V1LeaseSpec { HolderIdentity = "first" },
        };
        await _client.CallAsync(
            "POST leases",
            k => k.CoordinationV1.CreateNamespacedLeaseAsync(lease, Key.Namespace),
            CancellationToken.None
        );
    }

    public async Task DisposeAsync()
    {
        if (_proxy is not null)
            await _proxy.DisposeAsync();
    }

    public void Dispose()
    {
        _client?.Dispose();
        _certificates.Dispose();
    }

    [Fact]
    public async Task What_is_not_struck_passes_with_token_body_and_stream()
    {
        var lease = await Client.GetAsync(Lease.Resource, Key, CancellationToken.None);
        using var watch = await WatchAsync(lease.Metadata.ResourceVersion);
        await Client.PatchAsync(
            Lease.Resource,
            Key,
            Json(
                $$$"""
                {"metadata":{"resourceVersion":"{{{lease.Metadata.ResourceVersion}}}"},
                "spec":{"holderIdentity":"second"}}
                """
            ),
            CancellationToken.None
        );

        var line = await watch.ReadAsync(CancellationToken.None).Within();

        Assert.Equal((WatchLineType.Modified, "second"), (line?.Type, line?.Item?.Spec.HolderIdentity));
        Assert.Equal((4, 0), (Proxy.Calls, Proxy.Struck));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_strikes_the_call_that_it_was_meant_for_and_no_other(string sentence)
    {
        var (fault, failure) = Table[sentence];
        Proxy.Faults = FaultPlan.AtCall(Proxy.Calls + 2, fault);

        await Client.GetAsync(Lease.Resource, Key, CancellationToken.None).Within();
        var thrown = await Assert.ThrowsAsync<KubeApiException>(() =>
            Client.GetAsync(Lease.Resource, Key, CancellationToken.None).Within()
        );
        await Client.GetAsync(Lease.Resource, Key, CancellationToken.None).Within();

        Assert.Equal(failure, thrown.Failure);
        Assert.Equal(sentence == "429" ? TimeSpan.FromSeconds(7) : null, thrown.RetryAfter);
        Assert.Equal(1, Proxy.Struck);
    }

    [Fact]
    public async Task A_watch_may_be_told_410_by_an_event()
    {
        Proxy.Faults = _ => new HttpFault.ExpiredEvent();

        using var watch = await WatchAsync("1");

        Assert.Equal(
            KubeFailureKind.Expired,
            (await watch.ReadAsync(CancellationToken.None).Within())?.Failure?.Failure
        );
    }

    [Fact]
    public void The_same_seed_gives_the_same_faults()
    {
        var call = new ProxiedCall(1, "GET", "/api", "", "");
        var (first, second) = (FaultPlan.AtRandom(new Random(3), 0.5), FaultPlan.AtRandom(new Random(3), 0.5));

        var faults = Enumerable.Range(0, 200).Select(_ => first(call)).ToList();

        Assert.Equal(faults, Enumerable.Range(0, 200).Select(_ => second(call)));
        Assert.InRange(faults.Count(f => f is null), 70, 130);
        Assert.Equal(4, faults.OfType<HttpFault>().Select(f => f.GetType()).Distinct().Count());
    }

    private Task<WatchReader<Lease>> WatchAsync(string version) =>
        Client
            .WatchAsync(
                Lease.Resource,
                new WatchScope(Key.Namespace) { FieldSelector = "metadata.name=" + Key.Name },
                version,
                TimeSpan.FromMinutes(5),
                CancellationToken.None
            )
            .Within();

    private static ReadOnlyMemory<byte> Json(string text) => Encoding.UTF8.GetBytes(text);
}
