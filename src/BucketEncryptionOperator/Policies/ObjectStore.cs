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
