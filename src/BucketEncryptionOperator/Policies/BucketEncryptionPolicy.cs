using System.Collections.Immutable;
using KubeRuntime.Api;
using KubeRuntime.Conditions;

namespace BucketEncryptionOperator.Policies;

/// <summary>
/// <c>BucketEncryptionPolicy</c> as on the wire (crds/bucketencryptionpolicies.yaml). Null means absent; only
/// <see cref="PolicyReader"/> gives absence a meaning.
/// </summary>
internal sealed record BucketEncryptionPolicy : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }
    public required PolicySpec Spec { get; init; }
    public PolicyStatus? Status { get; init; }
}

internal sealed record PolicySpec
{
    public required StoreReference StoreRef { get; init; }
    public required ImmutableArray<BucketReference> Buckets { get; init; }
    public required EncryptionSpec Encryption { get; init; }
    public bool? AllowDowngrade { get; init; }
    public string? ResyncInterval { get; init; }
}

internal sealed record StoreReference
{
    public string? Kind { get; init; }
    public required string Name { get; init; }
}

internal sealed record BucketReference
{
    public required string Name { get; init; }
}

internal sealed record EncryptionSpec
{
    public required string Algorithm { get; init; }
    public KmsKeySpec? KmsKey { get; init; }
    public string? KmsDataEncryption { get; init; }
    public string? KmsProjectId { get; init; }
    public bool? BucketKeyEnabled { get; init; }
}

internal sealed record KmsKeySpec
{
    public string? Id { get; init; }
    public bool? VendorDefault { get; init; }
}

/// <summary>Lists are never default: a generated reader leaves an absent one so, and every other use would have to ask.</summary>
internal sealed record PolicyStatus
{
    public long? ObservedGeneration { get; init; }
    public ImmutableArray<Condition> Conditions { get; init => field = value.IsDefault ? [] : value; } = [];
    public BucketSummary? Summary { get; init; }
    public ImmutableArray<BucketRow> Buckets { get; init => field = value.IsDefault ? [] : value; } = [];
}

internal sealed record BucketSummary
{
    public int Total { get; init; }
    public int InSync { get; init; }
    public int Drifted { get; init; }
    public int Failed { get; init; }
    public int Unknown { get; init; }
    public string Text { get; init; } = "";
}

/// <summary>What the status says of one bucket.</summary>
internal sealed record BucketRow
{
    public const string InSync = "InSync";
    public const string Drifted = "Drifted";
    public const string Failed = "Failed";
    public const string Unknown = "Unknown";

    public required string Name { get; init; }
    public required string State { get; init; }
    public ObservedRow? Observed { get; init; }
    public WritesRow? Writes { get; init; }
    public ErrorRow? Error { get; init; }
    public DateTimeOffset? LastAppliedTime { get; init; }
}

internal sealed record ObservedRow
{
    public required string Algorithm { get; init; }
    public string? KmsKeyId { get; init; }
    public string? KmsDataEncryption { get; init; }
    public string? KmsProjectId { get; init; }
    public bool? BucketKeyEnabled { get; init; }
}

internal sealed record WritesRow
{
    public required string Hash { get; init; }
    public required int Count { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
}

internal sealed record ErrorRow
{
    public required string Operation { get; init; }
    public required string Code { get; init; }
    public int? HttpStatus { get; init; }
    public string? Ec { get; init; }
    public string? Message { get; init; }
    public string? Hint { get; init; }
    public string? RequestId { get; init; }
}
