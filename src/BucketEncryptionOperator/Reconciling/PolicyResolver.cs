using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// The first step of a reconcile: from a key to the policy, its store, what it asks for, and the access key. It asks
/// the API server for a Secret at most, and no vendor.
/// </summary>
internal sealed class PolicyResolver(
    ObjectCache<BucketEncryptionPolicy> policies,
    Stores stores,
    StoreKeys keys,
    IReadOnlyDictionary<string, IBucketEncryptionApi> vendors,
    IReadOnlyDictionary<string, IAccountApi> accounts,
    PolicyMemory memory
)
{
    /// <returns>Null where there is no such policy any more.</returns>
    public StoredPolicy? Find(NamespacedName key) =>
        policies.Find(key) is { } policy
            ? new StoredPolicy(policy)
            {
                SelectableBuckets = stores.Find(policy.Spec.StoreRef, key.Namespace).Value?.SelectableBuckets,
            }
            : null;

    /// <returns>Empty where the store is not known.</returns>
    public string VendorOf(StoredPolicy policy) =>
        stores.Find(policy.Spec.StoreRef, policy.Key.Namespace).Value?.Vendor ?? "";

    /// <returns>
    /// The context, or why the buckets cannot be read. A missing access key is part of a context: there may still be
    /// buckets that a successor takes over.
    /// </returns>
    public async Task<Result<ReconcileContext>> ResolveAsync(StoredPolicy policy, CancellationToken cancellationToken)
    {
        var (context, problem) = await ReadAsync(policy, cancellationToken);
        var isFirst = memory.MarkReconciled(policy.Now);
        return new(context is null ? null : context with { IsFirst = isFirst }, problem);
    }

    /// <summary>Connects with the access key that the store has now.</summary>
    public async Task<Result<VendorSession>> ConnectAsync(Store store, CancellationToken cancellationToken)
    {
        var (key, problem) = await keys.GetAsync(store.Keys, cancellationToken);
        return key is null
            ? new(Value: null, problem)
            : new(
                new VendorSession(
                    vendors[store.Vendor],
                    accounts[store.Vendor],
                    key,
                    Schedule.Inputs(store.Version, keys.VersionOf(store.Keys))
                ),
                Failure: null
            );
    }

    private async Task<Result<ReconcileContext>> ReadAsync(StoredPolicy policy, CancellationToken cancellationToken)
    {
        var (store, problem) = stores.Find(policy.Spec.StoreRef, policy.Key.Namespace);
        if (store is null)
            return new(Value: null, problem);
        (var desired, problem) = PolicyReader.Read(policy.Now, policy.Terms, store);
        return desired is null
            ? new(Value: null, problem)
            : new(
                new ReconcileContext(policy, store, desired, await ConnectAsync(store, cancellationToken)),
                Failure: null
            );
    }
}
