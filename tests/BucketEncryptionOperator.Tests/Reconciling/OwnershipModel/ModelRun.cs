using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Vendors.Protocol;
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

    /// <summary>The last of <see cref="ModelLists.Clock"/> when it began.</summary>
    public int BeganAt { get; set; }

    /// <summary>The stores that its policy's reference has led to since it began; null for none.</summary>
    public HashSet<ModelStore?> Stores { get; } = [store];

    /// <summary>Keys with which it has asked about its account.</summary>
    public HashSet<Asker> Askers { get; } = [];

    /// <summary>Complete lists that it has asked for itself.</summary>
    public Dictionary<Asker, ImmutableDictionary<string, BucketPlace>> OwnLists { get; } = [];

    /// <summary>It has asked for a list, and got none.</summary>
    public HashSet<Asker> ListFailed { get; } = [];

    /// <summary>Buckets whose region or tags it has asked for in vain.</summary>
    public HashSet<string> FactsFailed { get; } = new(StringComparer.Ordinal);

    /// <summary>Buckets of which the vendor has said to a key that there are none.</summary>
    public HashSet<(string Key, string Bucket)> Gone { get; } = [];

    /// <summary>Buckets whose writes the vendor has got. Each key has a pass of its own.</summary>
    public HashSet<(Asker Asker, string Bucket)> Wrote { get; } = [];

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

    /// <summary>Patterns of the buckets that policies may select through a store of the cluster.</summary>
    public ImmutableArray<string> Selectable { get; init; } = ["*"];

    public string Version => $"{Uid}/{Generation}";
}

/// <summary>An endpoint.</summary>
/// <param name="Installation">Whose buckets are there: two endpoints may lead to the same.</param>
internal sealed record ModelPlace(string Installation, string Vendor, string? Endpoint, string Region, string Partition)
{
    /// <summary>Only a store of the cluster says that this endpoint leads there.</summary>
    public bool IsNamedByClusterStore { get; init; }
}
