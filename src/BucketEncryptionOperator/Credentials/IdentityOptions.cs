using System.Globalization;

namespace BucketEncryptionOperator.Credentials;

/// <summary>The settings of the operator for its own identities.</summary>
/// <param name="Product">For the User-Agent header, as <c>name/1.0</c>.</param>
/// <param name="Environment">Returns the value of an environment variable.</param>
/// <param name="TokenService">Replaces the vendors' own security token services.</param>
/// <param name="Metadata">Replaces the fixed address of the instance metadata.</param>
internal sealed record IdentityOptions(
    string Product,
    Func<string, string?> Environment,
    Uri? TokenService,
    Uri? Metadata
)
{
    /// <summary>
    /// How long the key of a tenant's service account is used at most, the least that token services issue: an account
    /// that is deleted, or takes its consent back, is found out at the next renewal.
    /// </summary>
    public static readonly TimeSpan ShortSession = TimeSpan.FromMinutes(15);

    /// <summary>In seconds, as token services are asked for it.</summary>
    public static string ShortSessionSeconds { get; } =
        ShortSession.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>Returns the variable; null if it is empty.</summary>
    public string? Variable(string name) => Environment(name) is { Length: > 0 } value ? value : null;

    public bool IsTrue(string name) => string.Equals(Variable(name), "true", StringComparison.OrdinalIgnoreCase);
}
