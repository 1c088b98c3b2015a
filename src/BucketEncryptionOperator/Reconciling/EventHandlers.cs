using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Which policies a change concerns.</summary>
internal sealed class EventHandlers(
    ObjectCache<BucketEncryptionPolicy> policies,
    BucketOwnership ownership,
    Stores stores,
    StoreKeys keys
)
{
    /// <summary>
    /// A new, changed or deleted policy, and those that name a bucket of it; not one whose status alone changed: that
    /// was us.
    /// </summary>
    public IEnumerable<NamespacedName> OfPolicy(Change<BucketEncryptionPolicy> change) =>
        Predicates.IsMoreThanStatus(change) ? [change.Key, .. ownership.Track(change)] : [];

    /// <summary>Every policy of the store. Where no store has its keys from any more is forgotten.</summary>
    public IEnumerable<NamespacedName> OfStore(Change<BucketStore> change)
    {
        ForgetUnused(Stores.KeysOf(change.Old), Stores.KeysOf(change.New));
        return Predicates.IsMoreThanStatus(change)
            ? Of(p =>
                p.Metadata.Namespace == change.Key.Namespace
                && !NamesClusterStore(p)
                && p.Spec.StoreRef.Name == change.Key.Name
            )
            : [];
    }

    /// <summary>
    /// Every policy that names the store, in namespaces that it does not allow too: it may have allowed them before.
    /// </summary>
    public IEnumerable<NamespacedName> OfClusterStore(Change<ClusterBucketStore> change)
    {
        ForgetUnused(stores.KeysOf(change.Old), stores.KeysOf(change.New));
        return Predicates.IsMoreThanStatus(change)
            ? Of(p => NamesClusterStore(p) && p.Spec.StoreRef.Name == change.Key.Name)
            : [];
    }

    /// <summary>With its labels a namespace may win or lose a store of the cluster.</summary>
    public IEnumerable<NamespacedName> OfNamespace(Change<Namespace> change) =>
        change is { Old.Metadata.Labels: var before, New.Metadata.Labels: var after }
        && before.AsSpan().SequenceEqual(after.AsSpan())
            ? []
            : Of(p => NamesClusterStore(p) && p.Metadata.Namespace == change.Key.Name);

    private void ForgetUnused(KeySource? before, KeySource? now)
    {
        if (before is not null && now != before && !stores.Use(before))
            keys.Forget(before);
    }

    private static bool NamesClusterStore(BucketEncryptionPolicy policy) =>
        policy.Spec.StoreRef.Kind == ApiResources.ClusterBucketStore;

    private IEnumerable<NamespacedName> Of(Func<BucketEncryptionPolicy, bool> concerned) =>
        policies.Snapshot().Where(concerned).Select(p => p.Metadata.Key);
}
