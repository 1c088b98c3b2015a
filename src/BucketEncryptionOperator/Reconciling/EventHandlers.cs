using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Maps a change of an object to the policies that must reconcile because of it.</summary>
internal sealed class EventHandlers(
    ObjectCache<BucketEncryptionPolicy> policies,
    BucketOwnership ownership,
    Stores stores,
    StoreKeys keys
)
{
    /// <summary>
    /// Returns a new, changed or deleted policy, and those that name a bucket of it; nothing where only the status
    /// changed: the operator did that. It may have been another process of it, which leads now.
    /// </summary>
    public IEnumerable<NamespacedName> OfPolicy(Change<BucketEncryptionPolicy> change)
    {
        if (Predicates.IsMoreThanStatus(change))
            return [change.Key, .. ownership.Track(change)];
        if (policies.Find(change.Key) is { } policy)
            ownership.TrackSelected(policy);
        return [];
    }

    /// <summary>Returns every policy of the store. Keys that no store uses any more are forgotten.</summary>
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
    /// Returns every policy that names the store, also in namespaces that it does not allow: it may have allowed them
    /// before.
    /// </summary>
    public IEnumerable<NamespacedName> OfClusterStore(Change<ClusterBucketStore> change)
    {
        ForgetUnused(stores.KeysOf(change.Old), stores.KeysOf(change.New));
        return Predicates.IsMoreThanStatus(change)
            ? Of(p => NamesClusterStore(p) && p.Spec.StoreRef.Name == change.Key.Name)
            : [];
    }

    /// <summary>
    /// Returns the policies of a namespace whose labels changed: it may gain or lose a store of the cluster.
    /// </summary>
    public IEnumerable<NamespacedName> OfNamespace(Change<Namespace> change) =>
        change is { Old.Metadata.Labels: var before, New.Metadata.Labels: var after }
        && before.AsSpan().SequenceEqual(after.AsSpan())
            ? []
            : Of(p => NamesClusterStore(p) && p.Metadata.Namespace == change.Key.Name);

    private void ForgetUnused(KeySource? before, KeySource? now)
    {
        if (before is null || now == before)
            return;
        foreach (var part in before.Parts.Where(p => !stores.Use(p)))
            keys.Forget(part);
    }

    private static bool NamesClusterStore(BucketEncryptionPolicy policy) =>
        policy.Spec.StoreRef.Kind == ApiResources.ClusterBucketStore;

    private IEnumerable<NamespacedName> Of(Func<BucketEncryptionPolicy, bool> concerned) =>
        policies.Snapshot().Where(concerned).Select(p => p.Metadata.Key);
}
