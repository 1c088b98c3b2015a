using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.KmsKeys;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.WorkQueues;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Wires the controllers, their queues and their watches: <c>Controllers</c> says what wakes which.</summary>
internal static class ControllerWiring
{
    public static void AddControllers(this IServiceCollection services)
    {
        services.AddSingleton(s =>
            Queue(
                s,
                PolicyController,
                new WorkShares<NamespacedName>(s.GetRequiredService<OperatorOptions>().Workers, GroupsOf(s))
            )
        );
        services.AddSingleton(s => new Wakeups(
            s.GetRequiredService<WorkQueue<NamespacedName>>().AddAfter,
            new Backoff(FirstWakePause, LongestBackoff, s.GetRequiredService<Random>()),
            s.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(KeyHealthQueueOf);
        services.AddSingleton(s => s.GetRequiredService<KeyHealthQueue>().Healths);
        services.AddSingleton<KeyHealthReconciler>();
        services.AddSingleton<Action<NamespacedName>>(s => s.GetRequiredService<Wakeups>().Wake);
        services.AddSingleton(Controllers);
    }

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(5);

    /// <summary>First pause between wakes of one policy by others, once they are frequent.</summary>
    private static readonly TimeSpan FirstWakePause = TimeSpan.FromSeconds(1);

    /// <summary>In metrics; controller-runtime takes the kind.</summary>
    private const string PolicyController = "bucketencryptionpolicy";
    private const string StoreController = "bucketstore";
    private const string ClusterStoreController = "clusterbucketstore";

    private const string KmsKeyController = "kmskey";

    /// <summary>A key service that is slow has half of them at most, while others are asked too.</summary>
    private const int KmsKeyWorkers = 4;

    /// <summary>A reconcile of a store is short, and rare.</summary>
    private const int StoreWorkers = 1;

    /// <summary>
    /// One controller of policies, and one of each kind of stores, on the same watches; and one that asks for KMS keys,
    /// which policies feed.
    /// </summary>
    private static ControllerGroup Controllers(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        var (policies, stores) = (
            services.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>(),
            services.GetRequiredService<Stores>()
        );
        var handlers = new EventHandlers(
            policies,
            services.GetRequiredService<BucketOwnership>(),
            stores,
            services.GetRequiredService<StoreKeys>()
        );

        var storeInformer = InformerOf(services, ApiResources.Stores, options.WatchNamespaces, handlers.OfStore);
        var queue = services.GetRequiredService<WorkQueue<NamespacedName>>();
        var recoveries = new RecoverySource(
            services.GetRequiredService<EndpointCircuitBreakers>(),
            services.GetRequiredService<TemporaryKeys>(),
            policies,
            stores,
            queue.Failures
        );
        var policyInformer = InformerOf(services, ApiResources.Policies, options.WatchNamespaces, OfPolicy);
        var sources = new List<IInformer>
        {
            storeInformer,
            policyInformer,
            recoveries,
            services.GetRequiredService<KeyHealths>(),
        };
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
        if (options.ServesClusterStores)
        {
            var shared = InformerOf(services, ApiResources.ClusterStores, [], handlers.OfClusterStore);
            sources.AddRange([shared, InformerOf(services, ApiResources.Namespaces, [], handlers.OfNamespace)]);
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
            new ControllerParts(PolicyController, sources, queue, options.Workers),
            services.GetRequiredService<PolicyReconciler>()
        );
        var keyController = Controller(
            services,
            new ControllerParts(
                KmsKeyController,
                [],
                services.GetRequiredService<KeyHealthQueue>().Queue,
                KmsKeyWorkers
            ),
            services.GetRequiredService<KeyHealthReconciler>()
        );
        return new ControllerGroup([policyController, .. storeControllers, keyController]);

        IEnumerable<NamespacedName> OfPolicy(Change<BucketEncryptionPolicy> change)
        {
            services.GetRequiredService<PolicyMetrics>().Changed(change);
            return handlers.OfPolicy(change);
        }
    }

    private static Controller StoresOf<T>(IServiceProvider services, string name, Informer<T> source, StoreKind<T> kind)
        where T : class, IStore
    {
        var keyStates = new CredentialStateSource(services.GetRequiredService<AccessKeyCircuitBreakers>());
        var reconciler = new StoreReconciler<T>(
            kind,
            services.GetRequiredService<StoreKeys>(),
            services.GetRequiredService<AccessKeyCircuitBreakers>(),
            keyStates,
            services.GetRequiredService<KubeClient>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<Random>(),
            services.GetRequiredService<ILogger<StoreReconciler<T>>>()
        );
        var stores = source.Follow(change => Predicates.IsMoreThanStatus(change) ? [change.Key] : []);
        var parts = new ControllerParts(name, [stores, keyStates], Queue(services, name), StoreWorkers);
        return Controller(services, parts, reconciler);
    }

    private static Controller Controller(IServiceProvider services, ControllerParts parts, IReconciler reconciler)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        return new Controller(
            parts.Sources,
            parts.Queue,
            reconciler,
            new ControllerOptions(parts.Workers, options.ReconcileTimeout, options.DrainTimeout),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<Controller>>(),
            new ControllerMetrics(services.GetRequiredService<RuntimeMetrics>(), parts.Name)
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

    /// <summary>Groups policies by namespace, and by the endpoint of their store, which may be down.</summary>
    private static Func<NamespacedName, WorkGroup> GroupsOf(IServiceProvider services)
    {
        var policies = services.GetRequiredService<ObjectCache<BucketEncryptionPolicy>>();
        var stores = services.GetRequiredService<Stores>();
        return key => new WorkGroup(key.Namespace, policies.Find(key) is { } policy ? EndpointOf(policy) : null);

        string? EndpointOf(BucketEncryptionPolicy policy) =>
            stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace).Value?.Place.Endpoint.Authority;
    }

    /// <summary>
    /// Each needs the other. Nothing is asked of the provider later: a queue's timer may fire while that is disposed.
    /// </summary>
    private static KeyHealthQueue KeyHealthQueueOf(IServiceProvider services)
    {
        KeyHealths? healths = null;
        var queue = Queue(
            services,
            KmsKeyController,
            new WorkShares<NamespacedName>(KmsKeyWorkers, name => healths!.GroupOf(name))
        );
        healths = new KeyHealths(queue.AddAfter, services.GetRequiredService<TimeProvider>());
        return new KeyHealthQueue(queue, healths);
    }

    /// <param name="namespaces">One watch per namespace; empty: one watch of all namespaces.</param>
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

    /// <summary>The names of the questions that <see cref="KeyHealths"/> has.</summary>
    private sealed record KeyHealthQueue(WorkQueue<NamespacedName> Queue, KeyHealths Healths) : IDisposable
    {
        public void Dispose() => Queue.Dispose();
    }

    /// <summary>What differs between controllers besides their reconciler.</summary>
    /// <param name="Name">In metrics.</param>
    private sealed record ControllerParts(
        string Name,
        IReadOnlyList<IInformer> Sources,
        WorkQueue<NamespacedName> Queue,
        int Workers
    );
}
