using System.Collections.Immutable;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Api;

/// <summary>
/// <c>ClusterBucketStore</c> as on the wire (crds/clusterbucketstores.yaml): a store of the whole cluster, and who may
/// use it.
/// </summary>
internal sealed record ClusterBucketStore : IStore
{
    public required ObjectMeta Metadata { get; init; }
    public required ClusterBucketStoreSpec Spec { get; init; }
    public StoreStatus? Status { get; init; }
}

internal sealed record ClusterBucketStoreSpec : BucketStoreSpec
{
    /// <summary>Only here, because a tenant must not decide which buckets are the same.</summary>
    public string? Partition { get; init; }
    public AllowedNamespacesSpec? AllowedNamespaces { get; init; }
}

/// <summary>
/// A namespace is allowed when one of the two says so; <c>NamespaceRules</c> gives them their meaning.
/// </summary>
internal sealed record AllowedNamespacesSpec
{
    public ImmutableArray<string> Names
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
    public LabelSelectorSpec? Selector { get; init; }

    /// <summary>
    /// Globs of the buckets that policies may select through the store; null: none. <c>{namespace}</c> stands for the
    /// policy's namespace.
    /// </summary>
    public ImmutableArray<string>? SelectableBuckets { get; init; }
}

/// <summary>As <c>metav1.LabelSelector</c>.</summary>
internal sealed record LabelSelectorSpec
{
    public ImmutableDictionary<string, string>? MatchLabels { get; init; }
    public ImmutableArray<LabelRequirementSpec> MatchExpressions
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
}

internal sealed record LabelRequirementSpec
{
    public required string Key { get; init; }
    public required string Operator { get; init; }
    public ImmutableArray<string> Values
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
}

/// <summary>
/// A namespace, as far as stores care: its labels. Read whole and kept small: <see cref="ObjectMeta"/> drops the rest.
/// (Metadata alone could be asked for, and would spare next to nothing: a namespace has hardly anything else.)
/// </summary>
internal sealed record Namespace : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }
}
