using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Planning;

/// <summary>One client per vendor, by the vendor's name.</summary>
internal sealed record VendorConnections(
    IReadOnlyDictionary<string, IBucketEncryptionApi> Buckets,
    IReadOnlyDictionary<string, IAccountApi> Accounts
);

/// <summary>
/// The stores of files, and the keys that the caller pairs with them. A file may be a stranger's: its store gets no
/// request but to an endpoint that is allowed, with a key that the caller has given to this very store; and its own
/// certificates count only where the caller has listed the endpoint in full.
/// </summary>
/// <param name="keyOf">Returns the caller's key for a store, or why there is none; cluster-scoped ones have no
/// namespace.</param>
internal sealed class OfflineStores(
    Stores stores,
    EndpointAllowList allowed,
    Func<NamespacedName, Vendor, Result<AccessKey>> keyOf,
    IReadOnlyDictionary<string, Vendor> vendors
)
{
    /// <summary>Name of the store that a policy refers to; without a namespace where it is cluster-scoped.</summary>
    public static NamespacedName NameOf(BucketEncryptionPolicy policy) =>
        new(
            policy.Spec.StoreRef.Kind == ApiResources.ClusterBucketStore ? "" : policy.Metadata.Namespace,
            policy.Spec.StoreRef.Name
        );

    /// <summary>Returns the store that a policy uses, if it may.</summary>
    public Result<Store> Find(BucketEncryptionPolicy policy) =>
        Trusted(stores.Find(policy.Spec.StoreRef, policy.Metadata.Namespace));

    /// <summary>Reads a store, whichever policies may use it.</summary>
    public Result<Store> Read(BucketStore store) => Trusted(stores.Read(store));

    /// <inheritdoc cref="Read(BucketStore)"/>
    public Result<Store> Read(ClusterBucketStore store) => Trusted(stores.Read(store));

    /// <param name="name">Name of the store; without a namespace where it is cluster-scoped.</param>
    public Result<AccessKey> KeyOf(NamespacedName name, Store store) => keyOf(name, vendors[store.Vendor]);

    private Result<Store> Trusted(Result<Store> read)
    {
        if (read.Value is not { Place: { CaBundle: not null, Endpoint: var endpoint } } store)
            return read;
        return allowed.TrustOf(endpoint) == EndpointTrust.Operator
            ? read with
            {
                Value = store with { KeyService = Trusted(store.KeyService) },
            }
            : new(
                Value: null,
                new Failure(Reasons.EndpointNotAllowed, StoreReader.ReadStore)
                {
                    Message = $"spec.caBundle: the certificates of a file are not trusted for {endpoint.Authority}.",
                    Hint = "List the endpoint by its full name, without *, in --allowed-endpoints.",
                }
            );
    }

    /// <summary>
    /// The key service has a name of its own. Where the caller has not listed it, it must show a certificate that
    /// everybody trusts.
    /// </summary>
    private KeyServiceAddress? Trusted(KeyServiceAddress? service) =>
        service is null || allowed.TrustOf(service.Endpoint) == EndpointTrust.Operator
            ? service
            : service with
            {
                CaBundle = null,
            };
}
