using System.Diagnostics.Metrics;
using System.Reflection;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Events;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// All wiring, in one file: what exists once per process (<see cref="AddOperator"/>), and which watches wake which
/// controller (<c>Controllers</c>). Types get plain values; only this file knows the options.
/// </summary>
internal static class Services
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);

    /// <summary>Between wakes of one policy by others, once they come often.</summary>
    private static readonly TimeSpan FirstWakePause = TimeSpan.FromSeconds(1);

    /// <summary>In metrics; controller-runtime takes the kind.</summary>
    private const string PolicyController = "bucketencryptionpolicy";
    private const string StoreController = "bucketstore";
    private const string ClusterStoreController = "clusterbucketstore";

    /// <summary>A look at a store is short, and rare.</summary>
    private const int StoreWorkers = 1;

    /// <summary>What the operator calls itself in requests, as <c>name/1.0</c>.</summary>
    public static string Product => "bucket-encryption-operator/" + Version;

    private static string Version =>
        typeof(Services)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
        ?? "0";

    /// <param name="sendOtlp">Sends metrics and traces by OTLP too.</param>
    public static void AddOperator(this IServiceCollection services, KubeConnection connection, bool sendOtlp = false)
    {
        services.AddSingleton<IValidateOptions<OperatorOptions>, OperatorOptionsRules>();
        services.AddOptions<OperatorOptions>().ValidateOnStart();
        services.AddSingleton(s => s.GetRequiredService<IOptions<OperatorOptions>>().Value);

        services.AddSingleton(TimeProvider.System);
#pragma warning disable RS0030 // The one place where randomness comes from; Random.Shared is thread-safe.
        services.AddSingleton(Random.Shared);
#pragma warning restore RS0030
        services.AddSingleton(connection);
        services.AddSingleton(s => new ServerWarnings(s.GetRequiredService<ILogger<ServerWarnings>>()));
        services.AddSingleton(Connect);
        services.AddMetrics();
        services.AddSingleton(s => new RuntimeMetrics(
            s.GetRequiredService<IMeterFactory>().Create(RuntimeMetrics.MeterName)
        ));
        services.AddObservability(Version, sendOtlp);
        services.AddSingleton(s => s.GetRequiredService<IMeterFactory>().Create(Observability.MeterName));
        services.AddSingleton<VendorMetrics>();
        services.AddSingleton<PolicyMetrics>();
        services.AddSingleton(State);
        services.AddSingleton(new EventReporter($"{ApiResources.Group}/operator", Environment.MachineName));
        services.AddSingleton<EventRecorder>();
        services.AddSingleton<IEventRecorder>(s => s.GetRequiredService<EventRecorder>());

        services.AddSingleton(s => new ObjectCache<BucketEncryptionPolicy>(
            s.GetRequiredService<OperatorOptions>().WatchNamespaces
        ));
        services.AddSingleton(s => new ObjectCache<BucketStore>(
            s.GetRequiredService<OperatorOptions>().WatchNamespaces
        ));
        services.AddSingleton(s => new EndpointAllowList(
            s.GetRequiredService<OperatorOptions>().AllowedEndpoints,
            VendorCatalog.Endpoints
        ));
        services.AddSingleton(s => new Partitions(s.GetRequiredService<OperatorOptions>().Partitions));
        services.AddSingleton<StoreReader>();
        services.AddSingleton(s => new ObjectCache<ClusterBucketStore>());
        services.AddSingleton(s => new ObjectCache<Namespace>());
        services.AddSingleton(Stores);
        services.AddSingleton<AccessKeyCircuitBreakers>();
        services.AddSingleton(s => new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(s.GetRequiredService<KubeClient>(), name, token),
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            secret => s.GetRequiredService<Stores>().Use(new KeySource.FromSecret(secret))
        ));
        services.AddSingleton(s => new AmbientIdentities(
            IdentityOptionsOf(s.GetRequiredService<OperatorOptions>()),
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(s => new TemporaryKeys(
            s.GetRequiredService<AmbientIdentities>().FetchAsync,
            s.GetRequiredService<AccessKeyCircuitBreakers>(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<TemporaryKeys>>(),
            identity => s.GetRequiredService<Stores>().Use(new KeySource.FromIdentity(identity))
        ));
        services.AddSingleton<StoreKeys>();
        services.AddSingleton(s => new KeySourceReader(
            s.GetRequiredService<OperatorOptions>().AmbientCredentialsInNamespacedStores
        ));
        services.AddSingleton(s => new VendorHttp(
            Product,
            s.GetRequiredService<OperatorOptions>().VendorTimeout,
            s.GetRequiredService<TimeProvider>(),
            proxy: null,
            new Dialer(
                s.GetRequiredService<EndpointAllowList>().VouchingFor,
                new StaggeredConnector(s.GetRequiredService<TimeProvider>())
            )
        ));
        services.AddSingleton<ServerClocks>();
        services.AddSingleton<VendorLimits>();
        services.AddSingleton<EndpointCircuitBreakers>();
        services.AddSingleton(s =>
            new VendorServices(
                s.GetRequiredService<VendorHttp>(),
                s.GetRequiredService<ServerClocks>(),
                s.GetRequiredService<VendorLimits>()
            )
            {
                KeyBreakers = s.GetRequiredService<AccessKeyCircuitBreakers>(),
                EndpointBreakers = s.GetRequiredService<EndpointCircuitBreakers>(),
                WriteTime = s.GetRequiredService<WriteTime>(),
                Metrics = s.GetRequiredService<VendorMetrics>(),
            }.Connect(VendorCatalog.All)
        );
        services.AddSingleton(Lease);
        services.AddSingleton(Election);
        services.AddSingleton<WriteTime>(s =>
            () =>
                s.GetRequiredService<OperatorOptions>().ReadOnly
                    ? TimeSpan.Zero
                    : s.GetRequiredService<IElection>().WriteTime
        );
        services.AddSingleton<WriteGuard>(s => () => s.GetRequiredService<WriteTime>()() > TimeSpan.Zero);
        services.AddSingleton<BucketObserver>();
        services.AddSingleton<StatusWriter>();
        services.AddSingleton(s => new PassOptions(
            s.GetRequiredService<OperatorOptions>().BucketConcurrency,
            s.GetRequiredService<OperatorOptions>().ReadOnly
        )
        {
            ShouldYield = key => s.GetRequiredService<WorkQueue<NamespacedName>>().ShouldYield(key),
        });
        services.AddSingleton<PassProgress>();
        services.AddSingleton(s => new StatusReporterOptions(s.GetRequiredService<OperatorOptions>().EvidenceInterval));
        services.AddSingleton(s => new BucketOwnership(
            s.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
            policy =>
                s.GetRequiredService<Stores>()
                    .Find(policy.Spec.StoreRef, policy.Metadata.Namespace)
                    .Value?.Place.Partition
        ));
        services.AddSingleton<BucketLocks>();
        services.AddSingleton<WriteGate>();
        services.AddSingleton(s => new WriteChecks(
            s.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
            s.GetRequiredService<BucketOwnership>(),
            policy => Schedule.InputsOf(policy, s.GetRequiredService<Stores>(), s.GetRequiredService<StoreKeys>()),
            s.GetRequiredService<WriteGuard>()
        ));
        services.AddSingleton<PolicyFinalizer>();
        services.AddSingleton<OriginalHandover>();
        services.AddSingleton<WriteAheadRecorder>();
        services.AddSingleton<ReleasePlanner>();
        services.AddSingleton<PolicyMemory>();
        services.AddSingleton<PolicyResolver>();
        services.AddSingleton<BucketPlanner>();
        services.AddSingleton<BucketPass>();
        services.AddSingleton<BucketReconciler>();
        services.AddSingleton<StatusReporter>();
        services.AddSingleton<AffectedPolicies>();
        services.AddSingleton<PolicyReporter>();
        services.AddSingleton(s => new Wakeups(
            s.GetRequiredService<WorkQueue<NamespacedName>>().AddAfter,
            new Backoff(FirstWakePause, LongestBackoff, s.GetRequiredService<Random>()),
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<Action<NamespacedName>>(s => s.GetRequiredService<Wakeups>().Wake);
        services.AddSingleton<PolicyReconciler>();
        services.AddSingleton(s =>
            Queue(
                s,
                PolicyController,
                new WorkShares<NamespacedName>(s.GetRequiredService<OperatorOptions>().Workers, GroupsOf(s))
            )
        );
        services.AddSingleton(Schema);
        services.AddSingleton(Controllers);
        services.AddHostedService<OperatorService>();
    }

    private static IdentityOptions IdentityOptionsOf(OperatorOptions options) =>
        new(
            Product,
            Environment.GetEnvironmentVariable,
            UriOf(options.TokenServiceEndpoint),
            UriOf(options.MetadataEndpoint)
        );

    private static Uri? UriOf(string? endpoint) => endpoint is null ? null : new Uri(endpoint);

    private static KubeClient Connect(IServiceProvider services) =>
        new(
            services.GetRequiredService<KubeConnection>(),
            Product,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ServerWarnings>(),
            services.GetRequiredService<RuntimeMetrics>()
        );

    private static IElection Election(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        if (!options.LeaderElect)
            return new NoElection();
        var (time, random) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<Random>());
        // A pod's host name is its own; the rest tells a container that was started again from the one before.
        var identity = $"{Environment.MachineName}_{random.NextInt64():x16}";
        // The proportions of client-go's 15, 10 and 2 seconds.
        var times = new LeaderElectorOptions(identity)
        {
            LeaseDuration = options.LeaseDuration,
            RenewDeadline = options.LeaseDuration * 2 / 3,
            RetryPeriod = options.LeaseDuration * 2 / 15,
        };
        var elector = new LeaderElector(
            services.GetRequiredService<LeaseLock>(),
            times,
            random,
            time,
            services.GetRequiredService<ILogger<LeaderElector>>()
        );
        services.GetRequiredService<RuntimeMetrics>().WatchLeadership(options.LeaseName, () => elector.MayWrite);
        return elector;
    }

    private static LeaseLock Lease(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        var (time, random) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<Random>());
        // By name: a right to list and watch can be bound to one name, for requests that select it.
        var scope = new WatchScope(options.LeaseNamespace) { FieldSelector = $"metadata.name={options.LeaseName}" };
        var reflector = new Reflector<Lease>(
            services.GetRequiredService<KubeClient>(),
            KubeRuntime.LeaderElection.Lease.Resource,
            scope,
            random,
            time,
            services.GetRequiredService<ILogger<Reflector<Lease>>>()
        );
        return new LeaseLock(
            () => Connect(services),
            reflector,
            new NamespacedName(options.LeaseNamespace, options.LeaseName)
        );
    }

    private static Stores Stores(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        var secrets =
            options.ClusterResourceNamespace
            ?? services.GetRequiredService<KubeConnection>().PodNamespace
            ?? options.LeaseNamespace;
        var shared = new ClusterStores(
            services.GetRequiredService<ObjectCache<ClusterBucketStore>>(),
            services.GetRequiredService<ObjectCache<Namespace>>(),
            secrets
        );
        return new Stores(
            services.GetRequiredService<ObjectCache<BucketStore>>(),
            ServesClusterStores(options) ? shared : null,
            services.GetRequiredService<StoreReader>()
        );
    }

    /// <summary>
    /// An installation for some namespaces has no rights outside of them, unless somebody says that it has.
    /// </summary>
    private static bool ServesClusterStores(OperatorOptions options) =>
        options.ClusterStores ?? options.WatchNamespaces.Count == 0;

    private static SchemaCheck Schema(IServiceProvider services) =>
        new(
            token => services.GetRequiredService<KubeClient>().ReadAsync(ServedSchema.Path, token),
            [
                ApiResources.Policy,
                ApiResources.BucketStore,
                .. ServesClusterStores(services.GetRequiredService<OperatorOptions>())
                    ? [ApiResources.ClusterBucketStore]
                    : Array.Empty<string>(),
            ],
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<SchemaCheck>>()
        );

    /// <summary>One controller of policies, and one of each kind of stores, on the same watches.</summary>
    private static ControllerGroup Controllers(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        var (policies, stores) = (
            services.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
            services.GetRequiredService<Stores>()
        );
        var routes = new EventHandlers(
            policies,
            services.GetRequiredService<BucketOwnership>(),
            stores,
            services.GetRequiredService<StoreKeys>()
        );

        var storeInformer = InformerOf(services, ApiResources.Stores, options.WatchNamespaces, routes.OfStore);
        var queue = services.GetRequiredService<WorkQueue<NamespacedName>>();
        var endpoints = new EndpointStateSource(
            services.GetRequiredService<EndpointCircuitBreakers>(),
            policies,
            stores,
            queue.Failures
        );
        var policyInformer = InformerOf(services, ApiResources.Policies, options.WatchNamespaces, OfPolicy);
        var sources = new List<IInformer> { storeInformer, policyInformer, endpoints };
        var storeControllers = new List<Controller>
        {
            StoresOf(
                services,
                StoreController,
                storeInformer,
                new StoreKind<BucketStore>(
                    ApiResources.Stores,
                    services.GetRequiredService<ObjectCache<BucketStore>>(),
                    stores.Read,
                    _ => null
                )
            ),
        };
        if (ServesClusterStores(options))
        {
            var shared = InformerOf(services, ApiResources.ClusterStores, [], routes.OfClusterStore);
            sources.AddRange([shared, InformerOf(services, ApiResources.Namespaces, [], routes.OfNamespace)]);
            storeControllers.Add(
                StoresOf(
                    services,
                    ClusterStoreController,
                    shared,
                    new StoreKind<ClusterBucketStore>(
                        ApiResources.ClusterStores,
                        services.GetRequiredService<ObjectCache<ClusterBucketStore>>(),
                        stores.Read,
                        s =>
                            NamespaceRules.AllowsNobody(s.Spec.AllowedNamespaces)
                                ? "No namespace may use the store: spec.allowedNamespaces says none."
                                : null
                    )
                )
            );
        }
        var policyController = Controller(
            services,
            PolicyController,
            sources,
            queue,
            services.GetRequiredService<PolicyReconciler>(),
            options.Workers
        );
        return new ControllerGroup([policyController, .. storeControllers]);

        IEnumerable<NamespacedName> OfPolicy(Change<BucketEncryptionPolicy> change)
        {
            services.GetRequiredService<PolicyMetrics>().Changed(change);
            return routes.OfPolicy(change);
        }
    }

    private static Controller StoresOf<T>(IServiceProvider services, string name, Informer<T> source, StoreKind<T> kind)
        where T : class, IStore
    {
        var news = new CredentialStateSource(services.GetRequiredService<AccessKeyCircuitBreakers>());
        var reconciler = new StoreReconciler<T>(
            kind,
            services.GetRequiredService<StoreKeys>(),
            services.GetRequiredService<AccessKeyCircuitBreakers>(),
            news,
            services.GetRequiredService<KubeClient>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<Random>(),
            services.GetRequiredService<ILogger<StoreReconciler<T>>>()
        );
        var stores = source.Follow(change => Predicates.IsMoreThanStatus(change) ? [change.Key] : []);
        return Controller(services, name, [stores, news], Queue(services, name), reconciler, StoreWorkers);
    }

    private static Controller Controller(
        IServiceProvider services,
        string name,
        IReadOnlyList<IInformer> sources,
        WorkQueue<NamespacedName> queue,
        IReconciler reconciler,
        int workers
    )
    {
        var options = services.GetRequiredService<OperatorOptions>();
        return new Controller(
            sources,
            queue,
            reconciler,
            new ControllerOptions(workers, options.ReconcileTimeout, options.DrainTimeout),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<Controller>>(),
            new ControllerMetrics(services.GetRequiredService<RuntimeMetrics>(), name)
        );
    }

    private static WorkQueue<NamespacedName> Queue(
        IServiceProvider services,
        string name,
        WorkShares<NamespacedName>? shares = null
    ) =>
        new(
            new Backoff(FirstBackoff, LongestBackoff, services.GetRequiredService<Random>()),
            services.GetRequiredService<TimeProvider>(),
            new WorkQueueMetrics(services.GetRequiredService<RuntimeMetrics>(), name),
            shares
        );

    /// <summary>A policy is its namespace's, and may have to wait for its store's endpoint.</summary>
    private static Func<NamespacedName, WorkGroup> GroupsOf(IServiceProvider services)
    {
        var policies = services.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>();
        var stores = services.GetRequiredService<Stores>();
        return key => new WorkGroup(key.Namespace, policies.Find(key) is { } policy ? EndpointOf(policy) : null);

        string? EndpointOf(BucketEncryptionPolicy policy) =>
            stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Place.Endpoint.Authority;
    }

    private static StateMetrics State(IServiceProvider services) =>
        new(
            services.GetRequiredService<Meter>(),
            new StateSources(
                services.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
                services.GetRequiredService<PolicyMetrics>(),
                services.GetRequiredService<AccessKeyCircuitBreakers>(),
                services.GetRequiredService<VendorLimits>(),
                () => services.GetRequiredService<SchemaCheck>().IsOutdated,
                VendorCatalog.All
            ),
            Version,
            services.GetRequiredService<OperatorOptions>().MetricsPerBucket
        );

    /// <param name="namespaces">A watch for each; none, for one of all.</param>
    private static Informer<T> InformerOf<T>(
        IServiceProvider services,
        KubeResource<T> resource,
        IReadOnlyList<string> namespaces,
        Func<Change<T>, IEnumerable<NamespacedName>> map
    )
        where T : class, IKubernetesObject
    {
        IEnumerable<WatchScope> scopes =
            namespaces.Count == 0 ? [new WatchScope(Namespace: null)] : namespaces.Select(ns => new WatchScope(ns));
        return new Informer<T>(
            [
                .. scopes.Select(scope => new Reflector<T>(
                    services.GetRequiredService<KubeClient>(),
                    resource,
                    scope,
                    services.GetRequiredService<Random>(),
                    services.GetRequiredService<TimeProvider>(),
                    services.GetRequiredService<ILogger<Reflector<T>>>()
                )),
            ],
            services.GetRequiredService<ObjectCache<T>>(),
            map
        );
    }
}
