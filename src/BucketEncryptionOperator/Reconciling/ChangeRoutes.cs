using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Policies;
using KubeRuntime.Api;
using KubeRuntime.Control;
using KubeRuntime.Watching;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Which policies a change concerns.</summary>
internal sealed class ChangeRoutes(Mirror<BucketEncryptionPolicy> policies, Mirror<ObjectStore> stores, SecretKeys keys)
{
    /// <summary>A new, changed or deleted policy; not one whose status alone changed: that was us.</summary>
    public static IEnumerable<NamespacedName> OfPolicy(Change<BucketEncryptionPolicy> change) => Changes.IsMoreThanStatus(change) ? [change.Key] : [];

    /// <summary>Every policy of the store. A Secret that no store names any more is forgotten.</summary>
    public IEnumerable<NamespacedName> OfStore(Change<ObjectStore> change)
    {
        var was = SecretOf(change.Old);
        if (was is { } secret && SecretOf(change.New) != was && stores.Snapshot().All(s => SecretOf(s) != was))
            keys.Forget(secret);
        return policies.Snapshot()
            .Where(p => p.Metadata.Namespace == change.Key.Namespace && p.Spec.StoreRef.Name == change.Key.Name)
            .Select(p => p.Metadata.Key);
    }

    private static SecretSource? SecretOf(ObjectStore? store) =>
        store?.Spec.Credentials.SecretRef.In(store.Metadata.Namespace);
}
