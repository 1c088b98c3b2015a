namespace BucketEncryptionOperator.Api;

/// <summary>A store's <c>credentials</c> as on the wire: exactly one of them.</summary>
internal sealed record CredentialsSpec
{
    public SecretReference? SecretRef { get; init; }
    public RrsaSpec? Rrsa { get; init; }
    public EcsRamRoleSpec? EcsRamRole { get; init; }
    public WebIdentitySpec? WebIdentity { get; init; }
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
