using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>Objects that tests start from: valid, small, and varied with <c>with</c>.</summary>
internal static class Given
{
    public const string Namespace = "team-a";

    public static NamespacedName PolicyKey { get; } = new(Namespace, "archive");

    public static NamespacedName StoreKey { get; } = new(Namespace, "hangzhou");

    public static NamespacedName SecretKey { get; } = new(Namespace, "oss-keys");

    public static BucketEncryptionPolicy Policy(params string[] buckets) => new()
    {
        Metadata = new ObjectMeta { Name = PolicyKey.Name, Namespace = Namespace, Uid = "policy-uid", ResourceVersion = "1", Generation = 1 },
        Spec = new PolicySpec
        {
            StoreRef = new StoreReference { Kind = "ObjectStore", Name = StoreKey.Name },
            Buckets = [.. (buckets.Length == 0 ? ["finance-archive"] : buckets).Select(b => new BucketReference { Name = b })],
            Encryption = new EncryptionSpec { Algorithm = "AES256" },
        },
    };

    public static ObjectStore Store() => new()
    {
        Metadata = new ObjectMeta { Name = StoreKey.Name, Namespace = Namespace, Uid = "store-uid", ResourceVersion = "1", Generation = 1 },
        Spec = new ObjectStoreSpec
        {
            Vendor = "AlibabaOSS",
            Region = "cn-hangzhou",
            Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = SecretKey.Name } },
        },
    };

    /// <summary>A store of another vendor, at the vendor's own endpoint of the region.</summary>
    public static ObjectStore Store(string vendor, string region) => Store() with { Spec = Store().Spec with { Vendor = vendor, Region = region } };

    public static AppliedChange Write(DateTimeOffset at) => new(new BucketEncryption.None(), new BucketEncryption.Aes256(), at);

    public static BucketEncryptionPolicy With(this BucketEncryptionPolicy policy, EncryptionSpec encryption) =>
        policy with { Spec = policy.Spec with { Encryption = encryption } };

    public static BucketEncryptionPolicy NextGeneration(this BucketEncryptionPolicy policy) =>
        policy with { Metadata = policy.Metadata with { Generation = policy.Metadata.Generation + 1 } };

    public static ObjectStore At(this ObjectStore store, string? endpoint, string? addressing = null) =>
        store with { Spec = store.Spec with { Endpoint = endpoint, Addressing = addressing } };
}
