using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using KubeRuntime.Instrumentation;
using KubeRuntime.LeaderElection;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Wires the lease, and what asks whether this replica may write.</summary>
internal static class ElectionWiring
{
    public static void AddElection(this IServiceCollection services)
    {
        services.AddSingleton(Lease);
        services.AddSingleton(Election);
        services.AddSingleton<WriteTime>(s =>
            () =>
                s.GetRequiredService<OperatorOptions>().ReadOnly
                    ? TimeSpan.Zero
                    : s.GetRequiredService<IElection>().WriteTime
        );
        services.AddSingleton<WriteGuard>(s => () => s.GetRequiredService<WriteTime>()() > TimeSpan.Zero);
    }

    private static IElection Election(IServiceProvider services)
    {
        var options = services.GetRequiredService<OperatorOptions>();
        if (!options.LeaderElect)
            return new NoElection();
        var (time, random) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<Random>());
        // A pod's host name is unique; the rest distinguishes a restarted container from the one before.
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
            () => Services.Connect(services),
            reflector,
            new NamespacedName(options.LeaseNamespace, options.LeaseName)
        );
    }
}
