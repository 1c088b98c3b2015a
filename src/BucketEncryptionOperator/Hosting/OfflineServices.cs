using System.Net;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Planning;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Wires the vendors' clients for a command that works without a cluster: the same limits, circuit breakers and rules
/// for addresses as in the operator.
/// </summary>
internal sealed class OfflineServices : IDisposable
{
    private readonly VendorLimits _limits;
    private readonly EndpointCircuitBreakers _endpoints;

    public OfflineServices(EndpointAllowList allowed, TimeSpan timeout, IWebProxy proxy, TimeProvider time)
    {
        var route = new VendorRoute
        {
            Proxy = proxy,
            Dialer = new Dialer(allowed.TrustOf, new StaggeredConnector(time)),
        };
        Http = new VendorHttp(Services.Product, timeout, time, route);
        _limits = new VendorLimits(time);
        _endpoints = new EndpointCircuitBreakers(time);
        var services = new VendorServices(Http, new ServerClocks(time), _limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(time),
            EndpointBreakers = _endpoints,
        };
        Vendors = new VendorConnections(
            services.Connect(VendorCatalog.All),
            services.ConnectAccounts(VendorCatalog.All)
        );
        KeyServices = services.ConnectKeyServices(VendorCatalog.All);
    }

    /// <summary>For requests that are not signed.</summary>
    public VendorHttp Http { get; }

    public VendorConnections Vendors { get; }

    /// <summary>One client per vendor, by the vendor's name.</summary>
    public IReadOnlyDictionary<string, IKeyServiceApi> KeyServices { get; }

    public void Dispose()
    {
        _endpoints.Dispose();
        _limits.Dispose();
        Http.Dispose();
    }
}
