using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Specs;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Planning;

/// <summary>Makes the caches of the operator from files, so that its own code finds stores and decides who may use
/// them.</summary>
internal static class OfflineObjects
{
    /// <summary>The label that every namespace of a cluster has.</summary>
    private const string NameLabel = "kubernetes.io/metadata.name";

    /// <param name="secrets">Namespace of the Secrets of cluster-scoped stores; empty where none is read.</param>
    public static Stores StoresOf(ManifestSet set, StoreReader reader, string secrets = "") =>
        new(
            Cache(set.Stores.Select(s => s.Object)),
            new ClusterStores(
                Cache(set.ClusterStores.Select(s => s.Object)),
                Cache(set.Namespaces.Select(n => n.Object).Select(Named)),
                secrets
            ),
            reader
        );

    private static ObjectCache<T> Cache<T>(IEnumerable<T> objects)
        where T : class, IKubernetesObject
    {
        var cache = new ObjectCache<T>();
        foreach (var item in objects)
            cache.Apply(new WatchEvent<T>.Applied(item));
        return cache;
    }

    private static Namespace Named(Namespace ns)
    {
        var labels = ns.Metadata.Labels.RemoveAll(l => l.Key == NameLabel);
        var name = new KeyValuePair<string, string>(NameLabel, ns.Metadata.Name);
        return ns with { Metadata = ns.Metadata with { Labels = labels.Add(name) } };
    }
}
