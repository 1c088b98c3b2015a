namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The sources of temporary keys that need a token or an address, but no key; with the connections that they use.
/// </summary>
internal sealed class AmbientIdentities : IDisposable
{
    private static readonly TimeSpan TokenServiceTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A link away, or not there at all.</summary>
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(2);

    private readonly IdentityHttp _tokenService;
    private readonly IdentityHttp _metadata;
    private readonly RrsaSource _rrsa;
    private readonly WebIdentitySource _webIdentity;
    private readonly EcsRamRoleSource _ecsRamRole;
    private readonly PodIdentitySource _podIdentity;

    public AmbientIdentities(IdentityOptions options, TimeProvider time)
    {
        _tokenService = new IdentityHttp(options.Product, TokenServiceTimeout, time, isDirect: false);
        _metadata = new IdentityHttp(options.Product, MetadataTimeout, time, isDirect: true);
        (_rrsa, _webIdentity, _ecsRamRole, _podIdentity) = (
            new RrsaSource(_tokenService, options, time),
            new WebIdentitySource(_tokenService, options),
            new EcsRamRoleSource(_metadata, options),
            new PodIdentitySource(_metadata, _tokenService, options)
        );
    }

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public Task<TemporaryKey> FetchAsync(AmbientIdentity identity, CancellationToken cancellationToken) =>
        identity switch
        {
            AmbientIdentity.Rrsa rrsa => _rrsa.FetchAsync(rrsa, cancellationToken),
            AmbientIdentity.WebIdentity web => _webIdentity.FetchAsync(web, cancellationToken),
            AmbientIdentity.EcsRamRole ecs => _ecsRamRole.FetchAsync(ecs, cancellationToken),
            AmbientIdentity.PodIdentity => _podIdentity.FetchAsync(cancellationToken),
            _ => throw new ArgumentException(identity.GetType().Name, nameof(identity)),
        };

    /// <summary>Trades a token of a service account for a key of the role.</summary>
    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public Task<TemporaryKey> TradeAsync(
        ServiceAccountIdentity identity,
        string token,
        CancellationToken cancellationToken
    ) =>
        identity.Protocol switch
        {
            TokenProtocol.Query => _webIdentity.TradeAsync(identity, token, cancellationToken),
            TokenProtocol.Rpc => _rrsa.TradeAsync(identity, token, cancellationToken),
            _ => throw new ArgumentException(identity.Protocol.ToString(), nameof(identity)),
        };

    public void Dispose()
    {
        _tokenService.Dispose();
        _metadata.Dispose();
    }
}
