using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.TokenServices;
using KubeRuntime.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// The access keys of a cluster's stores for a command, from the operator's own sources: Secrets and ServiceAccounts as
/// the caller may use them, and the identities that this process has.
/// </summary>
internal sealed class OperatorKeys : IDisposable
{
    private readonly SecretKeys _secrets;
    private readonly AmbientIdentities _ambient;
    private readonly RoleAssumer _roles;
    private readonly TemporaryKeys _temporary;

    public OperatorKeys(KubeClient client, KubeConnection connection, OperatorOptions options, TimeProvider time)
    {
        var breakers = new AccessKeyCircuitBreakers(time);
        var identity = CredentialWiring.IdentityOptionsOf(options);
        _secrets = new SecretKeys(
            (name, token) => SecretKeys.FetchAsync(client, name, token),
            breakers,
            time,
            _ => true
        );
        _ambient = new AmbientIdentities(identity, time);
        _roles = new RoleAssumer(identity, breakers, time, () => Guid.NewGuid().ToString());
        var accounts = new ServiceAccountTokens(ServiceAccountApi.Of(client), options.TokenAudienceNames(connection));
        _temporary = new TemporaryKeys(
            new TokenServiceClient(_ambient, accounts, _roles).FetchAsync,
            breakers,
            time,
            NullLogger<TemporaryKeys>.Instance
        );
        Stores = new StoreKeys(_secrets, _temporary);
    }

    public StoreKeys Stores { get; }

    public void Dispose()
    {
        _temporary.Dispose();
        _roles.Dispose();
        _ambient.Dispose();
        _secrets.Dispose();
    }
}
