using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Wires the clients of vendors, and where they may connect to.</summary>
internal static class VendorWiring
{
    public static void AddVendors(this IServiceCollection services)
    {
        services.AddSingleton(s => new EndpointAllowList(
            s.GetRequiredService<OperatorOptions>().AllowedEndpoints,
            VendorCatalog.Endpoints
        ));
        services.AddSingleton(s => new Partitions(s.GetRequiredService<OperatorOptions>().Partitions));
        services.AddSingleton(s => new VendorHttp(
            Services.Product,
            s.GetRequiredService<OperatorOptions>().VendorTimeout,
            s.GetRequiredService<TimeProvider>(),
            new VendorRoute
            {
                Dialer = new Dialer(
                    s.GetRequiredService<EndpointAllowList>().TrustOf,
                    new StaggeredConnector(s.GetRequiredService<TimeProvider>())
                ),
            }
        ));
        services.AddSingleton<ServerClocks>();
        services.AddSingleton<VendorLimits>();
        services.AddSingleton<EndpointCircuitBreakers>();
        services.AddSingleton(s => new VendorServices(
            s.GetRequiredService<VendorHttp>(),
            s.GetRequiredService<ServerClocks>(),
            s.GetRequiredService<VendorLimits>()
        )
        {
            KeyBreakers = s.GetRequiredService<AccessKeyCircuitBreakers>(),
            EndpointBreakers = s.GetRequiredService<EndpointCircuitBreakers>(),
            WriteTime = s.GetRequiredService<WriteTime>(),
            Metrics = s.GetRequiredService<VendorMetrics>(),
        });
        services.AddSingleton(s => s.GetRequiredService<VendorServices>().Connect(VendorCatalog.All));
        services.AddSingleton(s => s.GetRequiredService<VendorServices>().ConnectAccounts(VendorCatalog.All));
        services.AddSingleton(s => s.GetRequiredService<VendorServices>().ConnectKeyServices(VendorCatalog.All));
    }
}
