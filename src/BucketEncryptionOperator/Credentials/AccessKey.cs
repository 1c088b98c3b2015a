namespace BucketEncryptionOperator.Credentials;

/// <summary>The keys that sign vendor requests. Its text form is redacted.</summary>
/// <param name="SecurityToken">Only with temporary keys.</param>
internal sealed record AccessKey(string Id, string Secret, string? SecurityToken)
{
    /// <summary>
    /// The principal whose requests the vendor counts. Temporary keys change; their principal does not.
    /// </summary>
    public string Principal { get; init; } = Id;

    /// <summary>Null for a key without an end.</summary>
    public KeyLifetime? Lifetime { get; init; }

    public override string ToString() => "AccessKey (redacted)";
}
