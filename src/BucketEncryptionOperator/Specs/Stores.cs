using System.Globalization;
using System.Runtime.CompilerServices;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Specs;

/// <summary>The cluster-scoped stores, if the installation serves them.</summary>
/// <param name="Namespaces">The namespaces, whose labels decide which stores they may use.</param>
/// <param name="SecretNamespace">
/// Namespace of the stores' Secrets: a cluster-scoped object has no namespace of its own.
/// </param>
internal sealed record ClusterStores(
    ObjectCache<ClusterBucketStore> Stores,
    ObjectCache<Namespace> Namespaces,
    string SecretNamespace
);

/// <summary>
/// Decides which store a policy uses, and whether it may. A policy reaches the stores of its own namespace, and the
/// cluster-scoped stores that allow its namespace. Of any other store it learns nothing, not even whether it exists.
/// </summary>
/// <param name="shared">Null if the installation serves none.</param>
internal sealed class Stores(ObjectCache<BucketStore> stores, ClusterStores? shared, StoreReader reader)
{
    /// <summary>
    /// Stores that were read, by object: every policy asks at each reconcile, and certificates take long to read. A
    /// store that has changed is another object.
    /// </summary>
    private readonly ConditionalWeakTable<IStore, StrongBox<Result<Store>>> _read = [];

    /// <param name="ns">Namespace of the policy.</param>
    public Result<Store> Find(StoreReference reference, string ns) =>
        reference.Kind switch
        {
            null or ApiResources.BucketStore => Own(new NamespacedName(ns, reference.Name)),
            ApiResources.ClusterBucketStore when shared is null => Missing(
                Reasons.ClusterStoresNotServed,
                $"spec.storeRef.kind: this installation of the operator serves no {ApiResources.ClusterBucketStore}.",
                "Use a BucketStore of this namespace, or ask the operator's administrator for --cluster-stores."
            ),
            ApiResources.ClusterBucketStore => Shared(shared, reference.Name, ns),
            _ => Missing(
                Reasons.InvalidSpec,
                $"spec.storeRef.kind: \"{reference.Kind}\" is not known; allowed are {ApiResources.BucketStore} and "
                    + $"{ApiResources.ClusterBucketStore}.",
                hint: null
            ),
        };

    /// <summary>Returns the source of a store's keys.</summary>
    public static KeySource? KeysOf(BucketStore? store) => store?.Spec.KeySource(ScopeOf(store));

    /// <summary>Returns the source of the keys of a cluster-scoped store.</summary>
    public KeySource? KeysOf(ClusterBucketStore? store) =>
        shared is null ? null : store?.Spec.KeySource(ScopeOf(store, shared.SecretNamespace));

    /// <summary>Returns whether any store uses the source, or has roles assumed from it.</summary>
    public bool Use(KeySource keys) =>
        stores.Snapshot().Any(s => Uses(KeysOf(s), keys))
        || (shared is not null && shared.Stores.Snapshot().Any(s => Uses(KeysOf(s), keys)));

    /// <summary>Reads a store, whichever policies may use it.</summary>
    public Result<Store> Read(BucketStore store) =>
        Once(
            store,
            () => reader.Read($"{ApiResources.BucketStore} \"{store.Metadata.Name}\"", store.Spec, ScopeOf(store))
        );

    /// <inheritdoc cref="Read(BucketStore)"/>
    public Result<Store> Read(ClusterBucketStore store) =>
        Once(
            store,
            () =>
                reader.Read(
                    $"{ApiResources.ClusterBucketStore} \"{store.Metadata.Name}\"",
                    store.Spec,
                    ScopeOf(store, shared?.SecretNamespace ?? "")
                )
        );

    private static bool Uses(KeySource? source, KeySource part) => source?.Parts.Contains(part) == true;

    private static StoreScope ScopeOf(BucketStore store) =>
        new(store.Metadata.Namespace, IsNamespaced: true, store.Metadata.Name);

    private static StoreScope ScopeOf(ClusterBucketStore store, string secretNamespace) =>
        new(secretNamespace, IsNamespaced: false, store.Metadata.Name);

    private Result<Store> Own(NamespacedName name) =>
        stores.Find(name) is { } store
            ? Read(store)
            : Missing(
                Reasons.StoreNotFound,
                $"spec.storeRef: there is no {ApiResources.BucketStore} \"{name.Name}\" in this namespace.",
                "Create it, or point a new policy at one that exists."
            );

    /// <summary>
    /// Returns the same failure for a store that does not exist and for one that does not allow the namespace.
    /// </summary>
    private Result<Store> Shared(ClusterStores cluster, string name, string ns) =>
        cluster.Stores.Find(new NamespacedName("", name)) is { } store
        && NamespaceRules.Allows(
            store.Spec.AllowedNamespaces,
            ns,
            cluster.Namespaces.Find(new NamespacedName("", ns))?.Metadata.Labels
        )
            ? Read(store)
            : Missing(
                Reasons.StoreNotAllowed,
                $"spec.storeRef: {ApiResources.ClusterBucketStore} \"{name}\" does not exist, or does not allow this "
                    + "namespace.",
                "Ask the store's owner to allow the namespace (spec.allowedNamespaces), or point a new policy at "
                    + "another store."
            );

    /// <summary>
    /// Reads a store, or returns the result for the same object. A store is needed at each read of a bucket, and does
    /// not change until the cache has another object.
    /// </summary>
    private Result<Store> Once(IStore store, Func<Result<Store>> read) =>
        _read.GetValue(store, _ => new StrongBox<Result<Store>>(Versioned(store.Metadata, read()))).Value;

    private static Result<Store> Versioned(ObjectMeta meta, Result<Store> read) =>
        read.Value is { } store
            ? read with
            {
                Value = store with
                {
                    Version = string.Create(CultureInfo.InvariantCulture, $"{meta.Uid}/{meta.Generation}"),
                },
            }
            : read;

    private static Result<Store> Missing(FailureReason reason, string message, string? hint) =>
        new(Value: null, new Failure(reason, StoreReader.ReadStore) { Message = message, Hint = hint });
}
