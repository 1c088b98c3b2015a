using System.Collections.Immutable;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Api;

/// <summary>A store of either kind, with its status.</summary>
internal interface IStore : IKubernetesObject
{
    StoreStatus? Status { get; }
}

/// <summary>
/// The status as on the wire. The list is never default: a generated reader leaves an absent one default, and every use
/// would have to check.
/// </summary>
internal sealed record StoreStatus
{
    public long? ObservedGeneration { get; init; }
    public ImmutableArray<Condition> Conditions
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Compares by value; a record compares its lists by reference.</summary>
    public bool IsSame(StoreStatus other) =>
        ObservedGeneration == other.ObservedGeneration && Conditions.AsSpan().SequenceEqual(other.Conditions.AsSpan());
}

/// <summary>The status patch: a merge patch bound to the version that it was made from.</summary>
internal sealed record StoreStatusPatch
{
    public required PatchMeta Metadata { get; init; }
    public required StoreStatus Status { get; init; }
}
