using System.Collections.Immutable;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Policies;

/// <summary><c>ObjectStore</c> as on the wire (crds/objectstores.yaml).</summary>
internal sealed record ObjectStore : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }
    public required ObjectStoreSpec Spec { get; init; }
}

internal sealed record ObjectStoreSpec
{
    public required string Vendor { get; init; }
    public required string Region { get; init; }
    public string? Endpoint { get; init; }
    public string? Addressing { get; init; }
    public required CredentialsSpec Credentials { get; init; }
}

internal sealed record CredentialsSpec
{
    public required SecretReference SecretRef { get; init; }
}

internal sealed record SecretReference
{
    public required string Name { get; init; }
}

/// <summary>A <c>Secret</c> of the core group, as far as it is read. Never mirrored, never printed.</summary>
internal sealed record Secret : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }

    /// <summary>Values in base64.</summary>
    public ImmutableDictionary<string, string>? Data { get; init; }

    public override string ToString() => $"Secret {Metadata.Key}";
}
