using BucketEncryptionOperator.Credentials;
using KubeRuntime.Api;

namespace BucketEncryptionOperator.Policies;

/// <summary>A store's <c>credentials</c> as on the wire: exactly one of them.</summary>
internal sealed record CredentialsSpec
{
    public SecretReference? SecretRef { get; init; }
    public RrsaSpec? Rrsa { get; init; }
    public EcsRamRoleSpec? EcsRamRole { get; init; }
    public WebIdentitySpec? WebIdentity { get; init; }

    /// <summary>The vendor that a field is for, of those fields that are for one; the CRD refuses others, too.</summary>
    public static IReadOnlyDictionary<string, string> OnlyFor { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["rrsa"] = "AlibabaOSS",
            ["ecsRamRole"] = "AlibabaOSS",
            ["webIdentity"] = "S3",
        };

    /// <summary>What is given, by the names of the fields.</summary>
    public IReadOnlyList<string> Fields() =>
        [
            .. new[]
            {
                (SecretRef is null, "secretRef"),
                (Rrsa is null, "rrsa"),
                (EcsRamRole is null, "ecsRamRole"),
                (WebIdentity is null, "webIdentity"),
            }
                .Where(f => !f.Item1)
                .Select(f => f.Item2),
        ];

    /// <param name="ns">Where the Secret is.</param>
    /// <param name="region">The store's.</param>
    /// <returns>The first that is given; null when none is.</returns>
    public KeySource? Source(string ns, string region) =>
        SecretRef is { } secret ? new KeySource.FromSecret(secret.In(ns))
        : Rrsa is { } rrsa
            ? new KeySource.FromIdentity(
                new AmbientIdentity.Rrsa(
                    rrsa.RoleArn,
                    rrsa.OidcProviderArn,
                    rrsa.SessionName ?? RrsaSpec.DefaultSession,
                    region
                )
            )
        : EcsRamRole is { } role ? new KeySource.FromIdentity(new AmbientIdentity.EcsRamRole(role.Name))
        : WebIdentity is { } web ? new KeySource.FromIdentity(new AmbientIdentity.WebIdentity(web.RoleArn, region))
        : null;
}

internal sealed record SecretReference
{
    public required string Name { get; init; }
    public string? AccessKeyIdKey { get; init; }
    public string? AccessKeySecretKey { get; init; }
    public string? SecurityTokenKey { get; init; }

    public SecretSource In(string ns)
    {
        var names = new SecretSource(new NamespacedName(ns, Name));
        return names with
        {
            IdKey = AccessKeyIdKey ?? names.IdKey,
            SecretKey = AccessKeySecretKey ?? names.SecretKey,
            TokenKey = SecurityTokenKey ?? names.TokenKey,
        };
    }
}

internal sealed record RrsaSpec
{
    /// <summary>It shows in the vendor's audit log.</summary>
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
