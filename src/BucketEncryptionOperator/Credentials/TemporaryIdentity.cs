using KubeRuntime.Client;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// Whom a vendor's token service issues temporary keys for. Equal identities have equal keys, whichever stores use
/// them.
/// </summary>
internal abstract record TemporaryIdentity
{
    private protected TemporaryIdentity() { }
}

/// <summary>How a token service is spoken to.</summary>
internal enum TokenProtocol
{
    /// <summary>AWS's query protocol: a form, and XML.</summary>
    Query,

    /// <summary>Alibaba Cloud's RPC protocol: a query and a form, and JSON.</summary>
    Rpc,
}

/// <summary>
/// A role that a service account of the store's own namespace may take. The operator asks the API server for a token of
/// the account, and has no power of its own in it.
/// </summary>
/// <param name="Store">Name of the store; the account must name it (<see cref="ServiceAccountTokens"/>).</param>
/// <param name="OidcProviderArn">Only in the RPC protocol.</param>
/// <param name="Region">The token service's, unless the environment names another.</param>
internal sealed record ServiceAccountIdentity(
    NamespacedName Account,
    string Store,
    TokenProtocol Protocol,
    string RoleArn,
    string? OidcProviderArn,
    string SessionName,
    string Region
) : TemporaryIdentity
{
    public override string ToString() => $"ServiceAccount {Account} as {RoleArn}";
}

/// <summary>
/// A role that another identity, or the key of a Secret, assumes. The last of a chain is the store's.
/// </summary>
/// <param name="Base">Who assumes it.</param>
/// <param name="SessionName">Shown in the vendor's audit log.</param>
/// <param name="Region">The token service's, unless the environment names another.</param>
internal sealed record AssumedRole(
    KeySource Base,
    TokenProtocol Protocol,
    string RoleArn,
    string SessionName,
    string Region
) : TemporaryIdentity
{
    /// <summary>What the role's owner has agreed on with who assumes it; null: nothing.</summary>
    public string? ExternalId { get; init; }

    public SessionTags Tags { get; init; } = SessionTags.None;

    /// <summary>For logs: whom the vendor sees, without the external id and the tags.</summary>
    public override string ToString() => $"{RoleArn} by {Base}";
}
