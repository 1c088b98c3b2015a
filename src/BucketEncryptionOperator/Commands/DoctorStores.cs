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
    /// <summary>Reads a store of the cluster, its policies, and its key as the operator does: from the Secret.</summary>
    /// <param name="name">Without a namespace: a ClusterBucketStore.</param>
    /// <param name="secrets">Namespace of the Secrets of cluster-scoped stores.</param>
    /// <exception cref="KubeApiException">The store or the policies cannot be read.</exception>
    public static async Task<DoctorStores> ReadAsync(
        KubeClient client,
        NamespacedName name,
        string secrets,
        TimeProvider time,
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
        var credentials = isShared
            ? set.ClusterStores[0].Object.Spec.Credentials
            : set.Stores[0].Object.Spec.Credentials;
        var key = await ReadKeyAsync(client, credentials, isShared ? secrets : name.Namespace, time, cancellationToken);
        return new DoctorStores(
            set with
            {
                Policies = [.. policies.Where(p => Planning.OfflineStores.NameOf(p.Object) == name)],
            },
            (_, _) => key
        );
    }

    private static async Task<Result<AccessKey>> ReadKeyAsync(
        KubeClient client,
        CredentialsSpec credentials,
        string ns,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (credentials.SecretRef is not { } reference)
            return new(
                Value: null,
                new Failure(FailureKind.Denied, "FindKeys", StoreKeyPairs.KeysNotGiven)
                {
                    Message = "The store's keys are of the operator's own identity, which this process does not have.",
                    Hint = $"Give the store a key of yours with {StoreKeyPairs.Option}.",
                }
            );
        using var keys = new SecretKeys(
            (secret, token) => SecretKeys.FetchAsync(client, secret, token),
            new AccessKeyCircuitBreakers(time),
            time,
            _ => true
        );
        return await keys.GetAsync(Specs.StoreSpecMapping.In(reference, ns), cancellationToken);
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
