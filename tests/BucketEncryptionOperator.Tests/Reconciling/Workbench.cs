using System.Collections.Concurrent;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Control;
using KubeRuntime.Watching;
using TestKit;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A policy reconciler with everything real but the vendor, the API server and the clock. Each reconcile ends in
/// <see cref="StatusRules.Check"/>; the mirror then learns what is stored, as it would from the watch.
/// </summary>
internal sealed class Workbench : IAsyncDisposable
{
    /// <summary>Made once, as in the operator: its patterns take longer to make than a reconcile takes.</summary>
    private static readonly EndpointAllowList Allowed = new(VendorCatalog.DefaultEndpointPatterns);

    public const string GoodSecret = "hush-good";

    /// <summary>Of the stores of the cluster.</summary>
    public const string SecretNamespace = "operators";

    private readonly Mirror<BucketEncryptionPolicy> _policies = new();
    private readonly Mirror<ObjectStore> _stores = new();
    private readonly Mirror<ClusterObjectStore> _clusterStores = new();
    private readonly Mirror<Namespace> _namespaces = new();
    private readonly KeyBreakers _breakers;
    private readonly SecretKeys _keys;
    private readonly PolicyReconciler _reconciler;
    private int _attempt;

    public Workbench(int bucketConcurrency = 1)
    {
        Kubernetes = new KubernetesFake(Time);
        _breakers = new KeyBreakers(Time);
        _keys = new SecretKeys((name, token) => Kubernetes.Client.GetAsync(Kinds.Secrets, name, token), _breakers, Time);
        _reconciler = new PolicyReconciler(
            _policies, new Stores(_stores, new ClusterStores(_clusterStores, _namespaces, SecretNamespace), new StoreReader(Allowed)), _keys,
            new Dictionary<string, IBucketEncryptionApi>(StringComparer.Ordinal) { ["AlibabaOSS"] = new GuardedApi(Vendor, _breakers, _ => "vendor") },
            new BucketReconciler(() => MayWrite, Time, new RecordingLogger<BucketReconciler>(Logs)), new StatusWriter(Kubernetes.Client, _policies), Events,
            new PolicyReconcilerOptions(bucketConcurrency), Time, new Random(1), new RecordingLogger<PolicyReconciler>(Logs));
    }

    /// <summary>What the lease says.</summary>
    public bool MayWrite { get; set; } = true;

    public ManualTimeProvider Time { get; } = new();

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

    public void Put(ClusterObjectStore store) => _clusterStores.Apply(new WatchEvent<ClusterObjectStore>.Applied(store));

    public void Put(Namespace ns) => _namespaces.Apply(new WatchEvent<Namespace>.Applied(ns));

    public void Put(ObjectStore store) => _stores.Apply(new WatchEvent<ObjectStore>.Applied(store));

    public async Task<Requeue> ReconcileAsync(CancellationToken cancellationToken = default)
    {
        var before = _policies.Find(Given.PolicyKey);
        var requeue = await _reconciler.ReconcileAsync(Given.PolicyKey, _attempt, cancellationToken);
        _attempt = requeue is Requeue.Retry ? _attempt + 1 : 0;
        if (before is not null && Kubernetes.Find(Given.PolicyKey) is { } now)
        {
            if (now.Status is { ObservedGeneration: not null } status)
                StatusRules.Check(before, status, Time.GetUtcNow());
            Applied(now);
        }
        Assert.All(Events.Notes, note => Assert.DoesNotContain(StatusRules.SecretMark, note, StringComparison.OrdinalIgnoreCase));
        Assert.All(Logs, line => Assert.DoesNotContain(StatusRules.SecretMark, line, StringComparison.OrdinalIgnoreCase));
        return requeue;
    }

    /// <summary>Reconciles as often as it is asked to come back before the next resync. Bounded, so that a loop is a failure.</summary>
    public async Task<Requeue> SettleAsync()
    {
        for (var i = 0; i < 60; i++)
        {
            switch (await ReconcileAsync())
            {
                case Requeue.Retry retry:
                    Time.Advance(retry.AtLeast + TimeSpan.FromSeconds(1));
                    break;
                case Requeue.After { Delay: var delay } when delay < TimeSpan.FromMinutes(5):
                    Time.Advance(delay + TimeSpan.FromSeconds(1));
                    break;
                case var settled:
                    Time.Advance(TimeSpan.FromSeconds(1));
                    return settled;
            }
        }
        throw new InvalidOperationException("It never settles: " + string.Join("\n", Logs.TakeLast(5)));
    }

    public async ValueTask DisposeAsync()
    {
        _keys.Dispose();
        await Kubernetes.DisposeAsync();
    }

    private void Applied(BucketEncryptionPolicy policy) => _policies.Apply(new WatchEvent<BucketEncryptionPolicy>.Applied(policy));
}
