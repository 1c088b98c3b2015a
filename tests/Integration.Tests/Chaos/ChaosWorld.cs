using BucketEncryptionOperator.Api;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.LeaderElection;
using KubeRuntime.Tests.Client;
using Microsoft.Extensions.Logging.Abstractions;
using ObjectStoreSimulator;
using RecordedRequest = ObjectStoreSimulator.State.RecordedRequest;

namespace Integration.Tests.Chaos;

/// <summary>
/// The world that the faults of the chaos table strike, one after the other, on the same processes: an API server, a
/// simulated vendor, and two replicas of the operator, which are started again when they end, as a kubelet does.
/// Witnesses without faults watch the lease and every status. A mirror in this process has a line as the replicas have,
/// so that watcher and mirror are seen from inside too.
/// </summary>
public sealed partial class ChaosWorld : IAsyncLifetime, IDisposable
{
    internal const string Namespace = "chaos";
    private const string LeaseNamespace = "chaos-operator";
    private const string Token = "sa:chaos-operator:operator";
    private const string LaterToken = "sa:chaos-operator:operator-2";
    private const int RecordedRequests = 1_000_000;
    private const int Replicas = 2;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("beo-chaos-");
    private readonly TestCertificates _certificates = new("chaos");
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly List<Replica> _replicas = [];
    private readonly List<Replica> _ended = [];
    private readonly List<string> _illegal = [];
    private readonly List<Task> _tasks = [];
    private readonly ObjectCache<BucketEncryptionPolicy> _mirror = new();
    private ApiServer? _server;
    private SimulatorServer? _vendor;
    private HttpFaultProxy? _proxy;
    private Scene? _scene;
    private KubeClient? _admin;
    private Line? _mirrorLine;
    private string _trusted = "";
    private KubeClient? _mirrorClient;

    /// <summary>Where replicas are led that start now.</summary>
    private int _target;

    /// <summary>Of the lease, as it is by default: a shorter one is lost when the machine has other work.</summary>
    internal static TimeSpan LeaseDuration { get; } = TimeSpan.FromSeconds(15);

    internal ApiServer Server => _server ?? throw new InvalidOperationException("not started");

    internal HttpFaultProxy Proxy => _proxy ?? throw new InvalidOperationException("not started");

    internal Scene Scene => _scene ?? throw new InvalidOperationException("not started");

    internal LeaseHistory Leases { get; } = new();

    internal Declarations Declarations { get; } = new();

    internal IReadOnlyList<RecordedRequest> VendorRequests => _vendor?.World.Recorder.All ?? [];

    /// <summary>Processes that have ended so far.</summary>
    internal int Ends
    {
        get
        {
            lock (_gate)
                return _ended.Count;
        }
    }

    private KubeClient Admin => _admin ?? throw new InvalidOperationException("not started");

    /// <summary>Of the replicas and of the mirror.</summary>
    internal IReadOnlyList<Line> Lines
    {
        get
        {
            lock (_gate)
                return [.. _replicas.Select(r => r.Line), .. _mirrorLine is null ? [] : new[] { _mirrorLine }];
        }
    }

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _vendor = await SimulatorServer.StartAsync(new SimulatorOptions { RecordedRequests = RecordedRequests });
        var cluster = new Cluster(_server.Kubeconfig);
        await cluster.InstallAsync();
        await cluster.ApplyAsync(
            $$"""
            apiVersion: v1
            kind: Namespace
            metadata: {name: {{LeaseNamespace}} }
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: ClusterRoleBinding
            metadata: {name: chaos-operator}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
            subjects:
            - {kind: ServiceAccount, name: operator, namespace: {{LeaseNamespace}} }
            - {kind: ServiceAccount, name: operator-2, namespace: {{LeaseNamespace}} }
            """
        );
        await SetSceneAsync();
        var connection = KubeConfig.Load(_server.Kubeconfig, context: null, _ => null, TimeProvider.System);
        _proxy = await HttpFaultProxy.StartAsync(connection, _certificates);
        _admin = new KubeClient(connection, "chaos-witness/1.0", TimeProvider.System);
        await File.WriteAllTextAsync(TokenFile, Token);

        _target = _server.Port;
        _trusted = $"{connection.CertificateAuthorities.Current.ExportCertificatePems()}\n{_certificates.AuthorityPem}";
        _mirrorLine = NewLine();
        _mirrorClient = _mirrorLine.Connect();
        _tasks.Add(
            Watch(_mirrorClient, ApiResources.Policies, Namespace).RunAsync(e => _mirror.Apply(e), _stopping.Token)
        );
        _tasks.Add(Watch(Admin, ApiResources.Policies, Namespace).RunAsync(CheckStatuses, _stopping.Token));
        _tasks.Add(Watch(Admin, Lease.Resource, LeaseNamespace).RunAsync(Leases.Take, _stopping.Token));
        _tasks.Add(KeepReplicasAsync(_stopping.Token));
    }

    public async Task DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var replica in _replicas.Concat(_ended))
            await replica.DisposeAsync();
        if (_mirrorLine is not null)
            await _mirrorLine.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        if (_vendor is not null)
            await _vendor.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public void Dispose()
    {
        _mirrorClient?.Dispose();
        _admin?.Dispose();
        _certificates.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Namespace, store and Secret; also after somebody has taken them away.</summary>
    internal async Task SetSceneAsync()
    {
        if (_vendor is null)
            return;
        _scene = await Scene.SetAsync(new Cluster(Server.Kubeconfig), _vendor, Namespace);
        await _scene.Cluster.ApplyAsync(_scene.StoreYaml(Replica.Endpoint.GetLeftPart(UriPartial.Authority)));
    }

    internal void LeadThroughProxy() => Lead(Proxy.Port);

    /// <summary>From now on the server's certificate is signed by an authority that nobody has heard of.</summary>
    /// <returns>Who serves, and what makes the authority known.</returns>
    internal async Task<(HttpFaultProxy Server, Action Tell)> ReplaceAuthorityAsync()
    {
        using var successor = new TestCertificates("chaos successor");
        var server = await HttpFaultProxy.StartAsync(
            KubeConfig.Load(Server.Kubeconfig, context: null, _ => null, TimeProvider.System),
            successor
        );
        var known = $"{_trusted}\n{successor.AuthorityPem}";
        Lead(server.Port);
        return (server, Tell);

        void Tell()
        {
            foreach (var line in Lines)
                line.Trust(known);
        }
    }

    internal void LeadDirectly() => Lead(Server.Port);

    /// <summary>Replaces the token in its file.</summary>
    /// <returns>The one that was there.</returns>
    internal async Task<string> RotateTokenAsync()
    {
        await File.WriteAllTextAsync(TokenFile + ".new", LaterToken);
        File.Move(TokenFile + ".new", TokenFile, overwrite: true);
        return Token;
    }

    /// <summary>Policies as the API server has them.</summary>
    internal async Task<IReadOnlyList<BucketEncryptionPolicy>> PoliciesAsync() =>
        (
            await Admin.ListAsync(
                ApiResources.Policies,
                new WatchScope(Namespace),
                limit: 5000,
                next: null,
                CancellationToken.None
            )
        ).Items;

    /// <summary>
    /// What is not yet as the API server's policies say, at the vendor, in the statuses, or in the mirror.
    /// </summary>
    internal async Task<IReadOnlyList<string>> MissedAsync()
    {
        try
        {
            var policies = await PoliciesAsync();
            return
            [
                .. policies.SelectMany(Missed),
                .. _mirror.Count == policies.Count
                    ? []
                    : new[] { $"the mirror holds {_mirror.Count} policies of {policies.Count}" },
            ];
        }
        catch (KubeApiException e)
        {
            return [$"no list of policies: {e.Message}"];
        }
    }

    /// <summary>Policies that are gone and are still worked on, while every living one was read again.</summary>
    internal async Task<IReadOnlyList<string>> GhostsAsync()
    {
        var alive = (await PoliciesAsync())
            .SelectMany(p => p.Spec.Buckets)
            .Select(b => b.Name)
            .ToHashSet(StringComparer.Ordinal);
        var before = Reads();
        var after = before;
        await Eventually.TrueAsync(
            "every bucket is read again",
            () => alive.All((after = Reads()).ContainsKey) && alive.All(b => after[b] > before.GetValueOrDefault(b)),
            Logs
        );
        return
        [
            .. Declarations
                .Buckets.Where(b => !alive.Contains(b) && after.GetValueOrDefault(b) > before.GetValueOrDefault(b))
                .Select(b => $"{b} is still read"),
        ];
    }

    /// <summary>From here on the next row counts.</summary>
    internal RowStart BeginRow()
    {
        lock (_gate)
        {
            _illegal.Clear();
            return new RowStart(VendorRequests is [.., var last] ? last.Sequence : 0, _ended.Count, Declarations.Count);
        }
    }

    /// <summary>What no replica should have done.</summary>
    internal IReadOnlyList<string> Wrongs(RowStart row)
    {
        lock (_gate)
        {
            return
            [
                .. Declarations.Wrongs(VendorRequests, row.Requests, mostWrites: 1 + _ended.Count - row.Ends),
                .. _illegal,
                .. _ended.Skip(row.Ends).Select(r => r.Crash).OfType<string>(),
                .. Leases.ClockDrift > TimeSpan.FromMilliseconds(500)
                    ? [$"the machine's clock was set, by {Leases.ClockDrift}: what is said of leases is worth nothing"]
                    : Array.Empty<string>(),
            ];
        }
    }

    /// <summary>Writes that came when the lease of their sender had run out, or was another's.</summary>
    internal IReadOnlyList<string> LateWrites(RowStart row)
    {
        lock (_gate)
        {
            return
            [
                .. from request in VendorRequests
                where request.Sequence > row.Requests && request.Operation is Operations.Put or Operations.Delete
                let sender = _replicas.Concat(_ended).FirstOrDefault(r => r.Sent(request.ClientPort))
                where !Leases.MayWrite(sender?.Identity, request.Time)
                select $"{request.Operation} of {request.Bucket} at {request.Time:O} by {sender?.Identity ?? "nobody"}",
            ];
        }
    }

    internal string Logs()
    {
        lock (_gate)
            return string.Join("\n\n", _replicas.Select(r => r.Process.Log[^Math.Min(r.Process.Log.Length, 6000)..]));
    }

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    private static Reflector<T> Watch<T>(KubeClient client, KubeResource<T> resource, string ns)
        where T : class, IKubernetesObject =>
        new(client, resource, new WatchScope(ns), new Random(1), TimeProvider.System, NullLogger.Instance);

    private Line NewLine() => new(Server.Port, _trusted, TokenFile);

    private void CheckStatuses(WatchEvent<BucketEncryptionPolicy> e)
    {
        var policies =
            e is WatchEvent<BucketEncryptionPolicy>.Listed listed ? listed.Items
            : e is WatchEvent<BucketEncryptionPolicy>.Applied applied ? [applied.Item]
            : [];
        foreach (var policy in policies)
        {
            // Before the first one of ours: what the CRD says.
            if (policy.Status is not { ObservedGeneration: >= 0 } status)
                continue;
            lock (_gate)
                _illegal.AddRange(
                    BucketEncryptionOperator
                        .Tests.Reconciling.StatusRules.BrokenByItself(policy, status)
                        .Select(b => $"status of {policy.Metadata.Name}: {b}")
                );
        }
    }

    private IEnumerable<string> Missed(BucketEncryptionPolicy policy)
    {
        var (name, key) = (policy.Metadata.Name, policy.Spec.Encryption.KmsKey?.Id);
        if (
            policy.Status?.ObservedGeneration != policy.Metadata.Generation
            || policy.Status.Conditions.All(c => c is not { Type: "Ready", Status: "True" })
        )
            yield return $"{name}: its status is not that of its spec, or not ready";
        foreach (
            var bucket in policy.Spec.Buckets.Where(b =>
                Scene.Vendor.Buckets.StoredEncryption(b.Name)?.Contains($">{key}<", StringComparison.Ordinal) != true
            )
        )
            yield return $"{name}: bucket {bucket.Name} is not encrypted by {key}";
        if (_mirror.Find(policy.Metadata.Key)?.Metadata.ResourceVersion != policy.Metadata.ResourceVersion)
            yield return $"{name}: the mirror has another version";
    }

    private Dictionary<string, long> Reads() =>
        Scene
            .Vendor.Counters.Values.Buckets.Where(b => b.Value.ContainsKey(Operations.Get))
            .ToDictionary(b => b.Key, b => b.Value[Operations.Get].Received, StringComparer.Ordinal);
}

/// <summary>What had happened before a row began.</summary>
/// <param name="Requests">Number of the last request at the vendor.</param>
/// <param name="Ends">Processes that had ended.</param>
/// <param name="Changes">Declarations made.</param>
internal sealed record RowStart(long Requests, int Ends, int Changes);
