using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A workbench with policies of two teams that name the same bucket, and with a second installation at other endpoints.
/// </summary>
public abstract class SharedBucketBench : IAsyncDisposable
{
    private protected const string Bucket = "shared-bucket";
    private protected const string OtherTeam = "team-b";

    private protected SharedBucketBench()
    {
        Hooked = new HookedVendor((address, _) => IsHangzhou(address.Endpoint.Host) ? Vendor : Elsewhere);
        Bench = new Workbench(
            real: ("AlibabaOSS", Hooked),
            partitions: new Partitions(["installation-b=oss-cn-shanghai.aliyuncs.com"])
        );

        static bool IsHangzhou(string host) =>
            host.EndsWith("aliyuncs.com", StringComparison.Ordinal)
            && !host.Contains("shanghai", StringComparison.Ordinal);
    }

    private protected static BucketEncryption None { get; } = new BucketEncryption.None();

    private protected static BucketEncryption Key1 { get; } = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private protected static EncryptionSpec WantKey1 { get; } =
        new()
        {
            Algorithm = "KMS",
            KmsKey = new KmsKeySpec { Id = "k-1" },
        };

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
        Bench.Kubernetes.PutSecret(
            new NamespacedName(ns, "oss-keys"),
            ("accessKeyId", "OTHER"),
            ("accessKeySecret", "hush-other")
        );
        var store = Given.Store();
        Bench.Put(store with { Metadata = store.Metadata with { Namespace = ns, Uid = ns } });
        var nowhere = new CredentialsSpec { SecretRef = new SecretReference { Name = "nowhere" } };
        Bench.Put(
            store with
            {
                Metadata = store.Metadata with { Namespace = ns, Uid = ns + "-keyless", Name = "keyless" },
                Spec = store.Spec with { Credentials = nowhere },
            }
        );
    }

    /// <summary>Writes a status of the policy.</summary>
    private protected Task StoreAsync(BucketEncryptionPolicy policy, PolicyStatus status) =>
        new StatusWriter(Bench.Kubernetes.Client, Bench.Policies).WriteAsync(policy, status, CancellationToken.None);

    private protected static BucketEncryptionPolicy In(string ns, BucketEncryptionPolicy policy) =>
        policy with
        {
            Metadata = policy.Metadata with { Namespace = ns },
        };

    /// <summary>Returns the policy with another spec, in its next generation.</summary>
    private protected static BucketEncryptionPolicy Edited(
        BucketEncryptionPolicy policy,
        Func<PolicySpec, PolicySpec> edit
    ) => (policy with { Spec = edit(policy.Spec) }).NextGeneration();

    private protected static BucketEncryptionPolicy Restoring(BucketEncryptionPolicy policy) =>
        policy with
        {
            Spec = policy.Spec with { DeletionPolicy = "Restore", AllowDowngrade = true },
        };

    private protected static BucketEncryptionPolicy Weaker(BucketEncryptionPolicy policy) =>
        policy with
        {
            Spec = policy.Spec with { AllowDowngrade = true },
        };

    /// <summary>Gives the reply to each request of this verb and path. An empty text stands for any.</summary>
    private protected static Func<int, string, Reply?> FaultOn(string verb, string path, Reply reply) =>
        (_, line) =>
            line.StartsWith(verb, StringComparison.Ordinal) && line.Contains(path, StringComparison.Ordinal)
                ? reply
                : null;

    /// <summary>Denies an operation to every key.</summary>
    private protected static Func<int, VendorCall, VendorFault?> DenialOf(string operation) =>
        (_, call) =>
            call.Operation == operation
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, operation))
                : null;

    /// <summary>Fails each call that is made with the key of team-a.</summary>
    private protected static Func<string, BucketAddress, AccessKey, Task> FailureForTeamA(
        FailureKind kind,
        string code,
        int status
    ) =>
        (_, _, key) =>
            key.Id == "LTAI" ? throw new VendorException(InMemoryVendor.Fail(kind, code, status)) : Task.CompletedTask;

    private protected BucketStatus Row(string policy, string ns = Given.Namespace) =>
        Bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Buckets.Single(b => b.Name == Bucket);

    private protected (string Status, string Reason) Ready(string policy, string ns = Given.Namespace) =>
        Bench.Kubernetes.Read(new NamespacedName(ns, policy)).Status!.Conditions.Find("Ready") is { } ready
            ? (ready.Status, ready.Reason)
            : ("", "");

    private protected static NamespacedName Key(string name) => new(Given.Namespace, name);

    private protected static BucketEncryptionPolicy Policy(
        string name,
        EncryptionSpec encryption,
        int age,
        params string[] buckets
    )
    {
        var policy = Given.Policy(buckets.Length == 0 ? [Bucket] : buckets).With(encryption);
        var created = DateTimeOffset.UnixEpoch.AddDays(age);
        return policy with { Metadata = policy.Metadata with { Name = name, Uid = name, CreationTimestamp = created } };
    }
}
