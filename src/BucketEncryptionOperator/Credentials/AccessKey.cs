namespace BucketEncryptionOperator.Credentials;

/// <summary>The keys that sign vendor requests. Never printed: the record's own form is replaced.</summary>
/// <param name="SecurityToken">Goes with temporary keys.</param>
internal sealed record AccessKey(string Id, string Secret, string? SecurityToken)
{
    /// <summary>Whom the vendor counts requests for. Temporary keys come and go; whose they are stays.</summary>
    public string Principal { get; init; } = Id;

    /// <summary>Null: until the vendor or the Secret says otherwise.</summary>
    public KeyLifetime? Lifetime { get; init; }

    public override string ToString() => "AccessKey (redacted)";
}
