using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Specs;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>Objects that tests start from: valid, small, and varied with <c>with</c>.</summary>
internal static class Given
{
    public const string Namespace = "team-a";

    public static NamespacedName PolicyKey { get; } = new(Namespace, "archive");

    public static NamespacedName StoreKey { get; } = new(Namespace, "hangzhou");

    public static NamespacedName SecretKey { get; } = new(Namespace, "oss-keys");

    public static BucketEncryptionPolicy Policy(params string[] buckets) =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = PolicyKey.Name,
                Namespace = Namespace,
                Uid = "policy-uid",
                ResourceVersion = "1",
                Generation = 1,
            },
            Spec = new PolicySpec
            {
                StoreRef = new StoreReference { Kind = "BucketStore", Name = StoreKey.Name },
                Buckets =
                [
                    .. (buckets.Length == 0 ? ["finance-archive"] : buckets).Select(b => new BucketReference
                    {
                        Name = b,
                    }),
                ],
                Encryption = new EncryptionSpec { Algorithm = "AES256" },
            },
        };

    public static BucketStore Store() =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = StoreKey.Name,
                Namespace = Namespace,
                Uid = "store-uid",
                ResourceVersion = "1",
                Generation = 1,
            },
            Spec = new BucketStoreSpec
            {
                Vendor = "AlibabaOSS",
                Region = "cn-hangzhou",
                Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = SecretKey.Name } },
            },
        };

    /// <summary>A store of another vendor, at the vendor's own endpoint of the region.</summary>
    public static BucketStore Store(string vendor, string region) =>
        Store() with
        {
            Spec = Store().Spec with { Vendor = vendor, Region = region },
        };

    /// <summary>The same store for the whole cluster.</summary>
    public static ClusterBucketStore ClusterStore(AllowedNamespacesSpec? allowed = null) =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = StoreKey.Name,
                Uid = "cluster-store-uid",
                ResourceVersion = "1",
                Generation = 1,
            },
            Spec = new ClusterBucketStoreSpec
            {
                Vendor = Store().Spec.Vendor,
                Region = Store().Spec.Region,
                Credentials = Store().Spec.Credentials,
                AllowedNamespaces = allowed,
            },
        };

    public static StoreReference ClusterStoreReference { get; } =
        new() { Kind = "ClusterBucketStore", Name = StoreKey.Name };

    public static Namespace NamespaceWith(params (string Name, string Value)[] labels) =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = Namespace,
                ResourceVersion = "1",
                Labels = [.. labels.Select(l => KeyValuePair.Create(l.Name, l.Value))],
            },
        };

    /// <summary>What a reconcile reads of a policy whose store this is; null where it is not there.</summary>
    public static Result<DesiredState> ReadWith(
        this StoreReader reader,
        BucketEncryptionPolicy policy,
        BucketStore? store
    )
    {
        var mirror = new ObjectCache<BucketStore>();
        if (store is not null)
            mirror.Apply(new WatchEvent<BucketStore>.Applied(store));
        var (found, problem) = new Stores(mirror, shared: null, reader).Find(
            policy.Spec.StoreRef,
            policy.Metadata.Namespace
        );
        return found is null ? new(Value: null, problem) : PolicyReader.Read(policy, found);
    }

    /// <summary>The buckets of a policy that names them.</summary>
    public static ImmutableArray<BucketAddress> Addresses(this DesiredState desired) =>
        Assert.IsType<DesiredBuckets.Named>(desired.Buckets).Addresses;

    public static AppliedChange Write(DateTimeOffset at) =>
        new(new BucketEncryption.None(), new BucketEncryption.Aes256(), at);

    public static BucketEncryptionPolicy With(this BucketEncryptionPolicy policy, EncryptionSpec encryption) =>
        policy with
        {
            Spec = policy.Spec with { Encryption = encryption },
        };

    public static BucketEncryptionPolicy NextGeneration(this BucketEncryptionPolicy policy) =>
        policy with
        {
            Metadata = policy.Metadata with { Generation = policy.Metadata.Generation + 1 },
        };

    public static BucketStore At(this BucketStore store, string? endpoint, string? addressing = null) =>
        store with
        {
            Metadata = store.Metadata with { ResourceVersion = "2" },
            Spec = store.Spec with { Endpoint = endpoint, Addressing = addressing },
        };
}
