using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;
using KubeRuntime.Control;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace BucketEncryptionOperator.Tests.Hosting;

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

        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

        Assert.All(services.Where(s => !s.ServiceType.IsGenericTypeDefinition), s => Assert.NotEmpty(provider.GetServices(s.ServiceType)));
        Assert.Contains(provider.GetServices<IHostedService>(), s => s is OperatorService);
        Assert.False(provider.GetRequiredService<Controller>().IsReady);
        Assert.Null(provider.GetRequiredService<Controller>().Ailment);
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

        public void StopApplication()
        {
        }
    }
}
