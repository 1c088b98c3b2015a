using System.Security.Cryptography;
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

    /// <summary>Returns a text that no other request has. It is no secret.</summary>
    public Func<string> Nonce { get; init; } =
        static () => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

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

    /// <inheritdoc cref="Connect"/>
    public IReadOnlyDictionary<string, IKeyServiceApi> ConnectKeyServices(IEnumerable<Vendor> vendors) =>
        vendors.ToDictionary(
            v => v.Name,
            v =>
                (IKeyServiceApi)
                    new KeyServiceApi(
                        VendorPipeline.ForKeyService(v.KeyService.Dialect, Metrics?.OfKeyService(v), this),
                        v.KeyService.Dialect
                    ),
            StringComparer.Ordinal
        );
}
