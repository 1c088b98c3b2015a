using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.TokenServices;

/// <summary>Asks the token services for temporary keys, whatever the identity.</summary>
internal sealed class TokenServiceClient(AmbientIdentities ambient, ServiceAccountTokens accounts, RoleAssumer roles)
{
    /// <param name="basis">The key that assumes the role; null unless the identity is an assumed role.</param>
    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public Task<TemporaryKey> FetchAsync(
        TemporaryIdentity identity,
        AccessKey? basis,
        CancellationToken cancellationToken
    ) =>
        (identity, basis) switch
        {
            (AmbientIdentity own, _) => ambient.FetchAsync(own, cancellationToken),
            (ServiceAccountIdentity account, _) => OfAccountAsync(account, cancellationToken),
            (AssumedRole role, { } key) => roles.AssumeAsync(role, key, cancellationToken),
            _ => throw new ArgumentException(identity.GetType().Name, nameof(identity)),
        };

    private async Task<TemporaryKey> OfAccountAsync(ServiceAccountIdentity account, CancellationToken cancellationToken)
    {
        var token = await accounts.TokenAsync(account, cancellationToken);
        var key = await ambient.TradeAsync(account, token, cancellationToken);
        // A service that gives longer sessions than it is asked for does not put off the next look at the account.
        return key with { Lasts = Durations.Min(key.Lasts, IdentityOptions.ShortSession) };
    }
}
