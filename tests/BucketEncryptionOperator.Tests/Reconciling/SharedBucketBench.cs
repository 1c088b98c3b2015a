using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;
using KubeRuntime.Api;
using KubeRuntime.Conditions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>A workbench with policies of two teams that name the same bucket, and with a second installation at other endpoints.</summary>
public abstract class SharedBucketBench : IAsyncDisposable
{
    private protected const string Bucket = "shared-bucket";
    private protected const string OtherTeam = "team-b";

    private protected SharedBucketBench()
    {
        Hooked = new HookedVendor((address, _) => IsHangzhou(address.Endpoint.Host) ? Vendor : Elsewhere);
        Bench = new Workbench(
            real: ("AlibabaOSS", Hooked), partitions: new Partitions(["installation-b=oss-cn-shanghai.aliyuncs.com"]));

        static bool IsHangzhou(string host) =>
            host.EndsWith("aliyuncs.com", StringComparison.Ordinal) && !host.Contains("shanghai", StringComparison.Ordinal);
    }

    private protected static BucketEncryption None { get; } = new BucketEncryption.None();

    private protected static BucketEncryption Key1 { get; } = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private protected static EncryptionSpec WantKey1 { get; } =
        new() { Algorithm = "KMS", KmsKey = new KmsKeySpec { Id = "k-1" } };

    private protected static EncryptionSpec WantAes { get; } = new() { Algorithm = "AES256" };

    private protected InMemoryVendor Vendor { get; } = new();

    private protected InMemoryVendor Elsewhere { get; } = new();

    private protected HookedVendor Hooked { get; }

    private protected Workbench Bench { get; }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Bench.DisposeAsync();
    }

    private protected void Team(string ns)
    {
        Bench.Kubernetes.PutSecret(new NamespacedName(ns, "oss-keys"), ("accessKeyId", "OTHER"), ("accessKeySecret", "hush-other"));
        var store = Given.Store();
        Bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns } });
        Bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns + "-keyless", Name = "keyless" }, Spec = store.Spec with { Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "nowhere" } } } });
    }

    private protected static BucketEncryptionPolicy In(string ns, BucketEncryptionPolicy policy) => policy with { Metadata = policy.Metadata with { Namespace = ns } };

    private protected static BucketEncryptionPolicy Restoring(BucketEncryptionPolicy policy) =>
        policy with { Spec = policy.Spec with { DeletionPolicy = "Restore", AllowDowngrade = true } };

    private protected static BucketEncryptionPolicy Weaker(BucketEncryptionPolicy policy) => policy with { Spec = policy.Spec with { AllowDowngrade = true } };

    private protected BucketRow Row(string policy, string ns = Given.Namespace) => Bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Buckets.Single(b => b.Name == Bucket);

    private protected (string Status, string Reason) Ready(string policy, string ns = Given.Namespace) =>
        Bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Conditions.Find("Ready") is { } ready ? (ready.Status, ready.Reason) : ("", "");

    private protected static NamespacedName Key(string name) => new(Given.Namespace, name);

    private protected static BucketEncryptionPolicy Policy(string name, EncryptionSpec encryption, int age, params string[] buckets)
    {
        var policy = Given.Policy(buckets.Length == 0 ? [Bucket] : buckets).With(encryption);
        return policy with { Metadata = policy.Metadata with { Name = name, Uid = name, CreationTimestamp = DateTimeOffset.UnixEpoch.AddDays(age) } };
    }
}
