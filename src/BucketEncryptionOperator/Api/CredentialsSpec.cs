using System.Collections.Immutable;

namespace BucketEncryptionOperator.Api;

/// <summary>
/// A store's <c>credentials</c> as on the wire: exactly one source, and the roles that are assumed from it.
/// </summary>
internal sealed record CredentialsSpec
{
    public SecretReference? SecretRef { get; init; }
    public RrsaSpec? Rrsa { get; init; }
    public EcsRamRoleSpec? EcsRamRole { get; init; }
    public WebIdentitySpec? WebIdentity { get; init; }
    public PodIdentitySpec? PodIdentity { get; init; }
    public ServiceAccountReference? ServiceAccountRef { get; init; }

    /// <summary>In turn, each with the key of the one before. The last is the store's identity.</summary>
    public ImmutableArray<AssumeRoleSpec> AssumeRole
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];
}

internal sealed record AssumeRoleSpec
{
    public required string RoleArn { get; init; }
    public string? ExternalId { get; init; }
    public ImmutableDictionary<string, string>? SessionTags { get; init; }
}

/// <summary>A ServiceAccount of the store's own namespace, and the role that it may take.</summary>
internal sealed record ServiceAccountReference
{
    public required string Name { get; init; }
    public required string RoleArn { get; init; }
    public string? OidcProviderArn { get; init; }
}

internal sealed record SecretReference
{
    public required string Name { get; init; }
    public string? AccessKeyIdKey { get; init; }
    public string? AccessKeySecretKey { get; init; }
    public string? SecurityTokenKey { get; init; }
}

internal sealed record RrsaSpec
{
    /// <summary>Shown in the vendor's audit log.</summary>
    public const string DefaultSession = "bucket-encryption-operator";

    public string? RoleArn { get; init; }
    public string? OidcProviderArn { get; init; }
    public string? SessionName { get; init; }
}

internal sealed record EcsRamRoleSpec
{
    public string? Name { get; init; }
}

internal sealed record WebIdentitySpec
{
    public string? RoleArn { get; init; }
}

internal sealed record PodIdentitySpec;
