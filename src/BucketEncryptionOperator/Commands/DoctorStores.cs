using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Vendors.Description;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>Stores that <c>doctor</c> looks at, the policies that use them, and where their keys come from.</summary>
/// <param name="KeyOf">Returns the key for a store, or why there is none.</param>
internal sealed record DoctorStores(ManifestSet Objects, Func<NamespacedName, Vendor, Result<AccessKey>> KeyOf)
{
    /// <summary>Reads a store of the cluster, its policies, and its key as the operator does.</summary>
    /// <param name="name">Without a namespace: a ClusterBucketStore.</param>
    /// <param name="secrets">Namespace of the Secrets of cluster-scoped stores.</param>
    /// <exception cref="KubeApiException">The store or the policies cannot be read.</exception>
    public static async Task<DoctorStores> ReadAsync(
        KubeClient client,
        NamespacedName name,
        string secrets,
        StoreKeySource source,
        CancellationToken cancellationToken
    )
    {
        var isShared = name.Namespace.Length == 0;
        var set = isShared
            ? new ManifestSet
            {
                ClusterStores = [OfCluster(await client.GetAsync(ApiResources.ClusterStores, name, cancellationToken))],
                Namespaces = await ReadAllAsync(client, ApiResources.Namespaces, ns: null, cancellationToken),
            }
            : new ManifestSet
            {
                Stores = [OfCluster(await client.GetAsync(ApiResources.Stores, name, cancellationToken))],
            };
        var policies = await ReadAllAsync(
            client,
            ApiResources.Policies,
            isShared ? null : name.Namespace,
            cancellationToken
        );
        var stores = Planning.OfflineObjects.StoresOf(set, source.Reader, secrets);
        var (store, problem) = isShared ? stores.Read(set.ClusterStores[0].Object) : stores.Read(set.Stores[0].Object);
        // A store that is not accepted may name an identity that it must not have: no key is asked for
        var key = store is null
            ? new Result<AccessKey>(Value: null, problem)
            : await source.Keys.GetAsync(store.Keys, cancellationToken);
        return new DoctorStores(
            set with
            {
                Policies = [.. policies.Where(p => Planning.OfflineStores.NameOf(p.Object) == name)],
            },
            (_, _) => key
        );
    }

    private static async Task<ImmutableArray<Manifest<T>>> ReadAllAsync<T>(
        KubeClient client,
        KubeResource<T> resource,
        string? ns,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject =>
        [.. (await ClusterTarget.ListAsync(client, resource, new WatchScope(ns), cancellationToken)).Select(OfCluster)];

    /// <summary>An object of a cluster stands in no file.</summary>
    private static Manifest<T> OfCluster<T>(T item)
        where T : IKubernetesObject => new(item, new ManifestNode.Map(new SourcePosition("cluster", 0, 0), []));
}

/// <summary>How stores of a cluster are read, and where their keys come from.</summary>
internal sealed record StoreKeySource(Specs.StoreReader Reader, StoreKeys Keys);
