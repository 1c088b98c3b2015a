using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>One reconcile, as the model follows it.</summary>
/// <param name="policy">As the operator's mirror had it when the reconcile began.</param>
/// <param name="store">The store that the policy's reference led to then; null where it led to none.</param>
internal sealed class ModelRun(BucketEncryptionPolicy policy, ModelStore? store, DateTimeOffset began)
{
    private static readonly AsyncLocal<ModelRun?> Flow = new();

    /// <summary>The reconcile whose flow this is.</summary>
    public static ModelRun? Current
    {
        get => Flow.Value;
        set => Flow.Value = value;
    }

    public BucketEncryptionPolicy Policy => policy;

    public NamespacedName Key => policy.Metadata.Key;

    public ModelStore? Store => store;

    public string? StoreVersion { get; } = store?.Version;

    public DateTimeOffset Began => began;

    public CancellationTokenSource Stop { get; } = new();

    /// <summary>By bucket: the last read of it that the vendor answered.</summary>
    public Dictionary<string, Evidence> Reads { get; } = new(StringComparer.Ordinal);

    /// <summary>What looks have found about claims and the operator may not have taken in yet.</summary>
    public List<(ClaimKey Key, Claim Found)> Pending { get; } = [];

    /// <summary>Policies for which a release had to wait when this began, by bucket.</summary>
    public Dictionary<string, List<NamespacedName>> Awaited { get; } = new(StringComparer.Ordinal);

    /// <summary>Buckets that the vendor was asked for.</summary>
    public HashSet<string> Looked { get; } = new(StringComparer.Ordinal);

    /// <summary>Buckets that were written, and not read since.</summary>
    public HashSet<string> ReadsBack { get; } = new(StringComparer.Ordinal);

    /// <summary>The vendor has taken a write of it; by bucket.</summary>
    public HashSet<ClaimKey> Accepted { get; } = [];

    /// <summary>The API server has refused a request of it, or lost the answer.</summary>
    public bool HadKubernetesFault { get; set; }

    public override string ToString() => $"{Key}@{policy.Metadata.Generation}";
}

/// <summary>A read that the vendor has answered.</summary>
/// <param name="Turn">The write that it was made for; null for a look.</param>
internal sealed record Evidence(BucketEncryption Shown, DateTimeOffset At, object? Turn);

/// <summary>A policy's claim on a bucket is about this.</summary>
internal readonly record struct ClaimKey(string Uid, BucketId Bucket);

/// <summary>A store as the world has it: the model knows where it leads without asking the operator.</summary>
internal sealed record ModelStore(string Namespace, string Name, string Vendor, ModelPlace Place, NamespacedName Secret)
{
    public bool IsClusterStore => Namespace.Length == 0;

    public int Generation { get; init; } = 1;

    public string Uid { get; init; } = "";

    /// <summary>
    /// What a tenant writes into <c>spec.partition</c> of a namespaced store, where it has no meaning.
    /// </summary>
    public string? Pretends { get; init; }

    public string Version => $"{Uid}/{Generation}";
}

/// <summary>An endpoint.</summary>
/// <param name="Installation">Whose buckets are there: two endpoints may lead to the same.</param>
internal sealed record ModelPlace(string Installation, string Vendor, string? Endpoint, string Region, string Partition)
{
    /// <summary>Only a store of the cluster says that this endpoint leads there.</summary>
    public bool IsNamedByClusterStore { get; init; }
}
