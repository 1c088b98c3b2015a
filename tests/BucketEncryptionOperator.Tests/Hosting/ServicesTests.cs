using BucketEncryptionOperator.Hosting;
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

        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

        Assert.All(services.Where(s => !s.ServiceType.IsGenericTypeDefinition), s => Assert.NotEmpty(provider.GetServices(s.ServiceType)));
        Assert.Contains(provider.GetServices<IHostedService>(), s => s is OperatorService);
        Assert.False(provider.GetRequiredService<Controller>().IsReady);
        Assert.True(provider.GetRequiredService<Controller>().IsAlive);
    }
}
