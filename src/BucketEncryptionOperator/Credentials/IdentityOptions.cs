namespace BucketEncryptionOperator.Credentials;

/// <summary>What the operator was started with, as far as it concerns its own identities.</summary>
/// <param name="Product">For the User-Agent header, as <c>name/1.0</c>.</param>
/// <param name="Environment">From a variable's name to its value.</param>
/// <param name="TokenService">In place of the vendors' own security token services.</param>
/// <param name="Metadata">In place of the instance metadata's fixed address.</param>
internal sealed record IdentityOptions(
    string Product,
    Func<string, string?> Environment,
    Uri? TokenService,
    Uri? Metadata
)
{
    /// <summary>An empty variable is as good as none.</summary>
    public string? Variable(string name) => Environment(name) is { Length: > 0 } value ? value : null;

    public bool IsTrue(string name) => string.Equals(Variable(name), "true", StringComparison.OrdinalIgnoreCase);
}
