using System.Diagnostics.Metrics;
using System.Reflection;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Discovery;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Client;
using KubeRuntime.Events;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Options;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Wires the operator; what belongs together has a file of its own (<c>…Wiring.cs</c>). Types get plain values: only
/// these files know the options.
/// </summary>
internal static class Services
{
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
        services.AddSingleton<IValidateOptions<OperatorOptions>, TokenAudienceRules>();
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
        services.AddSingleton(s => new AccountMetrics(
            s.GetRequiredService<Meter>(),
            s.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
            policy => StoreOf(s, policy)?.Vendor
        ));
        services.AddSingleton(new EventReporter($"{ApiResources.Group}/operator", Environment.MachineName));
        services.AddSingleton<EventRecorder>();
        services.AddSingleton<IEventRecorder>(s => s.GetRequiredService<EventRecorder>());

        services.AddSingleton(s => new ObjectCache<BucketEncryptionPolicy>(
            s.GetRequiredService<OperatorOptions>().WatchNamespaces
        ));
        services.AddSingleton(s => new ObjectCache<BucketStore>(
            s.GetRequiredService<OperatorOptions>().WatchNamespaces
        ));
        services.AddVendors();
        services.AddSingleton(s => new StoreReader(
            s.GetRequiredService<EndpointAllowList>(),
            s.GetRequiredService<Partitions>(),
            s.GetRequiredService<KeySourceReader>()
        )
        {
            KeyChecks = s.GetRequiredService<OperatorOptions>().KeyChecks,
        });
        services.AddSingleton(s => new ObjectCache<ClusterBucketStore>());
        services.AddSingleton(s => new ObjectCache<Namespace>());
        services.AddSingleton(Stores);
        services.AddCredentials();
        services.AddElection();
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
            policy => StoreOf(s, policy)
        ));
        services.AddSingleton<AccountInventories>();
        services.AddSingleton<BucketDiscovery>();
        services.AddSingleton<KeyChecks>();
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
        services.AddSingleton<PolicyReconciler>();
        services.AddSingleton(Schema);
        services.AddControllers();
        services.AddSingleton<OperatorParts>();
        services.AddHostedService(p => PeriodicFullCollection.OfRuntime(p.GetRequiredService<TimeProvider>()));
        services.AddHostedService<OperatorService>();
    }

    /// <summary>Returns a client of the API server with connections of its own.</summary>
    internal static KubeClient Connect(IServiceProvider services) =>
        new(
            services.GetRequiredService<KubeConnection>(),
            Product,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ServerWarnings>(),
            services.GetRequiredService<RuntimeMetrics>()
        );

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
            options.ServesClusterStores ? shared : null,
            services.GetRequiredService<StoreReader>()
        );
    }

    private static Store? StoreOf(IServiceProvider services, BucketEncryptionPolicy policy) =>
        services.GetRequiredService<Stores>().Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value;

    private static SchemaCheck Schema(IServiceProvider services) =>
        new(
            token => services.GetRequiredService<KubeClient>().ReadAsync(ServedSchema.Path, token),
            [
                ApiResources.Policy,
                ApiResources.BucketStore,
                .. services.GetRequiredService<OperatorOptions>().ServesClusterStores
                    ? [ApiResources.ClusterBucketStore]
                    : Array.Empty<string>(),
            ],
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<SchemaCheck>>()
        );

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
}
