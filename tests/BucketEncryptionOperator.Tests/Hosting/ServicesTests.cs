using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BucketEncryptionOperator.Tests.Hosting;

[Collection(Telemetry.ObservabilityTests.Meters)]
public sealed class ServicesTests
{
    public static KubeConnection Connection { get; } = new(new Uri("http://127.0.0.1:1"));

    [Fact]
    public async Task Everything_can_be_made_and_starts_nothing_by_itself()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOperator(Connection);
        services.AddSingleton<IHostApplicationLifetime, Lifetime>();

        await using var provider = services.BuildServiceProvider(
            new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true }
        );

        Assert.All(
            services.Where(s => !s.ServiceType.IsGenericTypeDefinition),
            s => Assert.NotEmpty(provider.GetServices(s.ServiceType))
        );
        Assert.Contains(provider.GetServices<IHostedService>(), s => s is OperatorService);
        Assert.False(provider.GetRequiredService<ControllerGroup>().IsReady);
        Assert.Null(provider.GetRequiredService<ControllerGroup>().UnhealthyReason);
    }

    [Theory]
    [InlineData("all namespaces", null, null, true)]
    [InlineData("some namespaces", "team-a", null, false)]
    [InlineData("some namespaces, and rights in the whole cluster", "team-a", true, true)]
    [InlineData("all namespaces, and nobody is to have a store of the cluster", null, false, false)]
    public async Task Stores_of_the_cluster_are_served_where_there_are_rights_for_them(
        string sentence,
        string? namespaces,
        bool? flag,
        bool served
    )
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOperator(Connection);
        services.Configure<OperatorOptions>(o =>
            (o.WatchNamespaces, o.ClusterStores) = (namespaces is null ? [] : [namespaces], flag)
        );
        await using var provider = services.BuildServiceProvider();

        var failure = provider.GetRequiredService<Stores>().Find(Given.ClusterStoreReference, "team-a").Failure;

        Assert.True(failure?.Code == (served ? "StoreNotAllowed" : "ClusterStoresNotServed"), sentence);
    }

    [Theory]
    [InlineData("as the flag says", "flagged", "flagged")]
    [InlineData("where the pod is", null, "of-the-pod")]
    public async Task Secrets_of_stores_of_the_cluster_are_where_the_operator_is(
        string sentence,
        string? flag,
        string expected
    )
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOperator(Connection with { PodNamespace = "of-the-pod" });
        services.Configure<OperatorOptions>(o => o.ClusterResourceNamespace = flag);
        await using var provider = services.BuildServiceProvider();

        var keys = provider.GetRequiredService<Stores>().KeysOf(Given.ClusterStore());

        Assert.True(keys is KeySource.FromSecret { Secret.Name.Namespace: var ns } && ns == expected, sentence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Only_with_an_election_must_a_write_wait_for_a_lease(bool leaderElect)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddOperator(Connection);
        services.Configure<OperatorOptions>(o => o.LeaderElect = leaderElect);
        await using var provider = services.BuildServiceProvider();

        Assert.Equal(!leaderElect, provider.GetRequiredService<WriteGuard>()());
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() { }
    }
}
