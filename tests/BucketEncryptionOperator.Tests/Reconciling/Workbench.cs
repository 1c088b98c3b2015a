using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A policy reconciler with everything real but the vendor, the API server and the clock. Each reconcile ends in
/// <see cref="StatusRules.Check"/>; the mirror then learns what is stored, as it would from the watch.
/// </summary>
internal sealed partial class Workbench : IAsyncDisposable
{
    /// <summary>Made once, as in the operator: its patterns take longer to make than a reconcile takes.</summary>
    private static readonly EndpointAllowList Allowed = new(
        [.. VendorCatalog.DefaultEndpointPatterns, .. VendorCatalog.DefaultEndpointPatterns.Select(p => "http://" + p)],
        VendorCatalog.Endpoints
    );

    public const string GoodSecret = "hush-good";

    /// <summary>Of the stores of the cluster.</summary>
    public const string SecretNamespace = "operators";

    private static readonly TimeSpan Evidence = TimeSpan.FromHours(24);

    private readonly int _bucketConcurrency;
    private readonly IReadOnlyDictionary<string, IBucketEncryptionApi> _vendors;
    private readonly IReadOnlyDictionary<string, IAccountApi> _accounts;
    private readonly Func<string> _logPrefix;
    private AccessKeyCircuitBreakers _breakers;
    private SecretKeys _keys;
    private readonly Dictionary<NamespacedName, int> _attempts = [];
    private ObjectCache<BucketEncryptionPolicy> _policies = new();
    private readonly ObjectCache<BucketStore> _stores = new();
    private readonly ObjectCache<ClusterBucketStore> _clusterStores = new();
    private readonly ObjectCache<Namespace> _namespaces = new();
    private readonly Meter _unheard = new("workbench");
    private BucketOwnership _ownership;
    private readonly StoreReader _reader;
    private TemporaryKeys _temporary;
    private PolicyReconciler _reconciler;
    private KeyHealthReconciler _keyReconciler;

    /// <param name="real">A vendor's client in place of the vendor in memory, under the vendor's name.</param>
    /// <param name="ambient">As with the flag: a namespaced store may have the operator's own identity.</param>
    public Workbench(
        int bucketConcurrency = 1,
        bool readOnly = false,
        ManualTimeProvider? time = null,
        (string Vendor, IBucketEncryptionApi Api)? real = null,
        bool ambient = false,
        Meter? meter = null,
        Partitions? partitions = null
    )
    {
        Time = time ?? new ManualTimeProvider();
        Metrics = new PolicyMetrics(meter ?? _unheard, Time);
        (_bucketConcurrency, ReadOnly, _reader) = (
            bucketConcurrency,
            readOnly,
            new StoreReader(
                Allowed,
                partitions ?? Partitions.None,
                new KeySourceReader(AmbientRules.None with { InNamespacedStores = ambient })
            )
        );
        var (vendor, api) = real ?? ("AlibabaOSS", Vendor);
        Account = new InMemoryAccount(Vendor);
        _accounts = new Dictionary<string, IAccountApi>(StringComparer.Ordinal) { [vendor] = Account };
        (_vendors, _logPrefix) = (
            new Dictionary<string, IBucketEncryptionApi>(StringComparer.Ordinal) { [vendor] = api },
            static () => ""
        );
        Kubernetes = new KubernetesFake(Time);
        (_breakers, _keys, _temporary) = Keys();
        Progress = new PassProgress(Time);
        (_ownership, _reconciler) = Build();
    }

    /// <summary>Several vendors, and an API server without a network between.</summary>
    public Workbench(WorkbenchWorld world)
    {
        Time = new ManualTimeProvider();
        Metrics = new PolicyMetrics(_unheard, Time);
        (_bucketConcurrency, _reader) = (
            world.BucketConcurrency,
            new StoreReader(world.Allowed, world.Partitions, new KeySourceReader(AmbientRules.None))
        );
        Account = new InMemoryAccount(Vendor);
        (_vendors, _accounts, _logPrefix) = (world.Vendors, world.Accounts, world.LogPrefix);
        Kubernetes = new KubernetesFake(Time, inProcess: true);
        (_breakers, _keys, _temporary) = Keys();
        Progress = new PassProgress(Time);
        (_ownership, _reconciler) = Build();
    }

    /// <summary>A process that remembers nothing, in the same world.</summary>
    public void Restart()
    {
        _keys.Dispose();
        _temporary.Dispose();
        (_breakers, _keys, _temporary) = Keys();
        _policies = new ObjectCache<BucketEncryptionPolicy>();
        _attempts.Clear();
        Woken.Clear();
        Progress = new PassProgress(Time);
        (_ownership, _reconciler) = Build();
        foreach (var policy in Kubernetes.Policies)
            Applied(policy);
    }

    private (AccessKeyCircuitBreakers Breakers, SecretKeys Keys, TemporaryKeys Temporary) Keys()
    {
        var breakers = new AccessKeyCircuitBreakers(Time);
        return (
            breakers,
            new SecretKeys((name, token) => SecretKeys.FetchAsync(Kubernetes.Client, name, token), breakers, Time),
            new TemporaryKeys(
                (identity, _, _) => Task.FromResult(Fetch(identity)),
                breakers,
                Time,
                Logger<TemporaryKeys>()
            )
        );
    }

    [MemberNotNull(nameof(Inventories), nameof(KeyHealths), nameof(_keyReconciler))]
    private (BucketOwnership Ownership, PolicyReconciler Reconciler) Build()
    {
        var stores = new Stores(_stores, new ClusterStores(_clusterStores, _namespaces, SecretNamespace), _reader);
        var keys = new StoreKeys(_keys, _temporary);
        var ownership = new BucketOwnership(
            _policies,
            policy => stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value
        );
        var writer = new StatusWriter(Kubernetes.Client, _policies);
        var vendors = _vendors.ToDictionary(
            v => v.Key,
            v => (IBucketEncryptionApi)new GuardedVendor(v.Value, _breakers, VendorCatalog.Find(v.Key)!.Realm),
            StringComparer.Ordinal
        );
        var observer = new BucketObserver(Time);
        var checks = new WriteChecks(
            _policies,
            ownership,
            policy => Schedule.InputsOf(policy, stores, keys),
            () => MayWrite
        );
        var gate = new WriteGate(new BucketLocks(Time), observer, checks, Time, Logger<WriteGate>());
        var options = new PassOptions(_bucketConcurrency, ReadOnly) { ShouldYield = key => ShouldYield(key) };
        var keyServices = _vendors.Keys.ToDictionary(v => v, _ => (IKeyServiceApi)KeyService, StringComparer.Ordinal);
        KeyHealths = new KeyHealths((key, _) => AskedKeys.Writer.TryWrite(key), Time);
        _keyReconciler = new KeyHealthReconciler(
            KeyHealths,
            keys,
            keyServices,
            new Random(1),
            Logger<KeyHealthReconciler>()
        );
        var keyChecks = new KeyChecks(KeyHealths, keys, keyServices);
        var planner = new BucketPlanner(ownership, observer, gate, checks, options);
        var finalizer = new PolicyFinalizer(Kubernetes.Client, _policies);
        var originals = new OriginalHandover(ownership, stores, writer);
        var recorder = new WriteAheadRecorder(writer, finalizer, originals, Time);
        var pass = new BucketPass(observer, keyChecks, planner, recorder, gate, Progress, options);
        var releases = new ReleasePlanner(ownership, originals, stores, keys, Time);
        var memory = new PolicyMemory(releases, Progress, writer);
        var resolver = new PolicyResolver(_policies, stores, keys, vendors, _accounts, memory);
        Inventories = new AccountInventories(Time, Woken.Enqueue);
        var discovery = new BucketDiscovery(Inventories, options, Time);
        var status = new StatusReporter(
            writer,
            ownership,
            Events,
            Metrics,
            new StatusReporterOptions(Evidence),
            Time,
            Logger<StatusReporter>()
        );
        var affected = new AffectedPolicies(_policies, ownership, memory, Woken.Enqueue);
        return (
            ownership,
            new PolicyReconciler(
                resolver,
                new BucketReconciler(resolver, discovery, releases, pass, ownership, keyChecks),
                discovery,
                keyChecks,
                finalizer,
                new PolicyReporter(status, finalizer, affected, memory, Time),
                Logger<PolicyReconciler>()
            )
        );
    }

    private RecordingLogger<T> Logger<T>() => new(Logs, _logPrefix);

    public PolicyMetrics Metrics { get; }

    public ObjectCache<BucketEncryptionPolicy> Policies => _policies;

    public AccessKeyCircuitBreakers Breakers => _breakers;

    public bool ReadOnly { get; }

    /// <summary>Policies that another one's reconcile has added to the queue.</summary>
    public ConcurrentQueue<NamespacedName> Woken { get; } = new();

    /// <summary>Whether a policy should give its worker to others.</summary>
    public Func<NamespacedName, bool> ShouldYield { get; set; } = _ => false;

    public PassProgress Progress { get; private set; }

    /// <summary>What the lease says.</summary>
    public bool MayWrite { get; set; } = true;

    /// <summary>What whoever gives temporary keys does.</summary>
    public Func<TemporaryIdentity, TemporaryKey> Fetch { get; set; } =
        identity => throw new InvalidOperationException($"{identity} was not expected");

    public ManualTimeProvider Time { get; }

    /// <summary>The account of <see cref="Vendor"/>.</summary>
    public InMemoryAccount Account { get; }

    public AccountInventories Inventories { get; private set; }

    /// <summary>The key service of every store. No key may be asked for until a test says so.</summary>
    public InMemoryKeyService KeyService { get; } = new();

    public KeyHealths KeyHealths { get; private set; }

    /// <summary>Questions that wait in the queue of the keys' controller.</summary>
    public Channel<NamespacedName> AskedKeys { get; } = Channel.CreateUnbounded<NamespacedName>();

    public InMemoryVendor Vendor { get; } = new() { GoodSecret = GoodSecret };

    public KubernetesFake Kubernetes { get; }

    public ConcurrentQueue<string> Logs { get; } = new();

    public RecordedEvents Events { get; } = new();

    public PolicyStatus Status => Kubernetes.Read(Given.PolicyKey).Status ?? new PolicyStatus();

    public int Patches => Kubernetes.Requests.Count(r => r.StartsWith("PATCH", StringComparison.Ordinal));

    /// <summary>A store with good keys, and the policy.</summary>
    public Workbench Start(BucketEncryptionPolicy policy)
    {
        Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "LTAI"), ("accessKeySecret", GoodSecret));
        Put(Given.Store());
        Put(policy);
        return this;
    }

    public void Put(BucketEncryptionPolicy policy) => Applied(Kubernetes.Put(policy));

    public void Put(ClusterBucketStore store) =>
        _clusterStores.Apply(new WatchEvent<ClusterBucketStore>.Applied(store));

    public void Put(Namespace ns) => _namespaces.Apply(new WatchEvent<Namespace>.Applied(ns));

    public void RemoveStore(NamespacedName store) => _stores.Apply(new WatchEvent<BucketStore>.Deleted(store));

    public void RemoveClusterStore(string name) =>
        _clusterStores.Apply(new WatchEvent<ClusterBucketStore>.Deleted(new NamespacedName("", name)));

    public void Put(BucketStore store) => _stores.Apply(new WatchEvent<BucketStore>.Applied(store));

    /// <summary>
    /// Called with each change that the mirror learns of, and the other policies that should look because of it.
    /// </summary>
    public Action<Change<BucketEncryptionPolicy>, IReadOnlyCollection<NamespacedName>> Changed { get; set; } =
        (_, _) => { };

    /// <summary>The mirror learns what is stored, and what is stored no more.</summary>
    public void WatchAll()
    {
        Watch();
        var there = Kubernetes.Keys.ToHashSet();
        foreach (var gone in _policies.Snapshot().Where(p => !there.Contains(p.Metadata.Key)))
            Gone(gone);
    }

    /// <summary>The mirror learns what is stored, as it would from the watch.</summary>
    private void Watch()
    {
        foreach (var now in Kubernetes.Since(key => _policies.Find(key)?.Metadata.ResourceVersion))
            Applied(now);
    }

    /// <summary>As <c>kubectl delete</c>: gone at once, or marked while there is a finalizer.</summary>
    public void Delete(NamespacedName key)
    {
        var before = Kubernetes.Read(key);
        Kubernetes.Delete(key);
        if (Kubernetes.Find(key) is { } marked)
            Applied(marked);
        else
            Gone(before);
    }

    public async ValueTask DisposeAsync()
    {
        _keys.Dispose();
        _temporary.Dispose();
        _unheard.Dispose();
        await Kubernetes.DisposeAsync();
    }

    private void Applied(BucketEncryptionPolicy policy)
    {
        foreach (var change in _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Applied(policy)))
            Tracked(change);
    }

    private void Tracked(Change<BucketEncryptionPolicy> change)
    {
        Metrics.Changed(change);
        Changed(change, _ownership.Track(change));
    }

    private void Gone(BucketEncryptionPolicy policy)
    {
        foreach (var change in _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Deleted(policy.Metadata.Key)))
            Tracked(change);
    }
}

/// <summary>What a <see cref="Workbench"/> of several vendors is made of.</summary>
/// <param name="Vendors">By the name of <c>spec.vendor</c>.</param>
/// <param name="LogPrefix">Says whose reconcile has logged.</param>
internal sealed record WorkbenchWorld(
    IReadOnlyDictionary<string, IBucketEncryptionApi> Vendors,
    IReadOnlyDictionary<string, IAccountApi> Accounts,
    EndpointAllowList Allowed,
    Partitions Partitions,
    int BucketConcurrency,
    Func<string> LogPrefix
);
