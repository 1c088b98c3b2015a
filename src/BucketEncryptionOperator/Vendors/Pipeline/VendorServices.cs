using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>What the calls of all vendors share.</summary>
internal sealed record VendorServices(VendorHttp Http, ServerClocks Clocks, VendorLimits Limits)
{
    /// <summary>Null: a rejected key is sent with every call.</summary>
    public AccessKeyCircuitBreakers? KeyBreakers { get; init; }

    /// <summary>Null: every request is sent, whatever became of those before it.</summary>
    public EndpointCircuitBreakers? EndpointBreakers { get; init; }

    /// <summary>Null: a write may take as long as any request.</summary>
    public WriteTime? WriteTime { get; init; }

    /// <summary>Null: nothing is counted.</summary>
    public VendorMetrics? Metrics { get; init; }

    /// <summary>Returns one client per vendor, by the vendor's name.</summary>
    public IReadOnlyDictionary<string, IBucketEncryptionApi> Connect(IEnumerable<Vendor> vendors) =>
        vendors.ToDictionary(
            v => v.Name,
            v =>
                (IBucketEncryptionApi)
                    new BucketEncryptionApi(
                        VendorPipeline.For(v.Dialect, v.Realm, Metrics?.Of(v), this),
                        v.Dialect.Document
                    ),
            StringComparer.Ordinal
        );

    /// <inheritdoc cref="Connect"/>
    public IReadOnlyDictionary<string, IAccountApi> ConnectAccounts(IEnumerable<Vendor> vendors) =>
        vendors.ToDictionary(
            v => v.Name,
            v =>
                (IAccountApi)
                    new AccountApi(VendorPipeline.For(v.Dialect, v.Realm, Metrics?.Of(v), this), v.Dialect.Account),
            StringComparer.Ordinal
        );
}
