using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The vendors of policies' stores, each store read once. The caller may have no right to read stores: then the vendor
/// is not known, and everything else is.
/// </summary>
internal sealed class StoreVendors(KubeClient client)
{
    private readonly Dictionary<(bool IsShared, NamespacedName Name), string?> _known = [];

    /// <exception cref="KubeApiException">The API server cannot be asked.</exception>
    public async Task<string?> OfAsync(BucketEncryptionPolicy policy, CancellationToken cancellationToken)
    {
        var isShared = policy.Spec.StoreRef.Kind == ApiResources.ClusterBucketStore;
        var name = new NamespacedName(isShared ? "" : policy.Metadata.Namespace, policy.Spec.StoreRef.Name);
        if (!_known.TryGetValue((isShared, name), out var vendor))
            _known[(isShared, name)] = vendor = await ReadAsync(isShared, name, cancellationToken);
        return vendor;
    }

    private async Task<string?> ReadAsync(bool isShared, NamespacedName name, CancellationToken cancellationToken)
    {
        try
        {
            return isShared
                ? (await client.GetAsync(ApiResources.ClusterStores, name, cancellationToken)).Spec.Vendor
                : (await client.GetAsync(ApiResources.Stores, name, cancellationToken)).Spec.Vendor;
        }
        catch (KubeApiException e) when (e.Failure is KubeFailureKind.NotFound or KubeFailureKind.Denied)
        {
            return null;
        }
    }
}
