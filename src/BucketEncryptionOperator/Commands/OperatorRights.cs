using System.Collections.Immutable;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Commands;

/// <summary>A right of the operator's, as RBAC has it.</summary>
internal sealed record OperatorRight(string Group, string Resource, string Verb)
{
    public override string ToString() => Group.Length == 0 ? $"{Verb} {Resource}" : $"{Verb} {Resource}.{Group}";
}

/// <summary>
/// The rights that the operator needs in the whole cluster. A test holds them against deploy/rbac.yaml, which has those
/// in its own namespace too.
/// </summary>
internal static class OperatorRights
{
    public static ImmutableArray<OperatorRight> All { get; } =
    [
        new(ApiResources.Group, "bucketencryptionpolicies", "list"),
        new(ApiResources.Group, "bucketencryptionpolicies", "watch"),
        new(ApiResources.Group, "bucketencryptionpolicies", "patch"),
        new(ApiResources.Group, "bucketencryptionpolicies/status", "patch"),
        new(ApiResources.Group, "bucketstores", "list"),
        new(ApiResources.Group, "bucketstores", "watch"),
        new(ApiResources.Group, "bucketstores/status", "patch"),
        new(ApiResources.Group, "clusterbucketstores", "list"),
        new(ApiResources.Group, "clusterbucketstores", "watch"),
        new(ApiResources.Group, "clusterbucketstores/status", "patch"),
        new("", "namespaces", "list"),
        new("", "namespaces", "watch"),
        new("", "secrets", "get"),
        new("events.k8s.io", "events", "create"),
        new("events.k8s.io", "events", "patch"),
    ];
}
