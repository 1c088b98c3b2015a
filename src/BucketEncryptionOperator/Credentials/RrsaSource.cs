using System.Globalization;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// RAM roles for service accounts: the pod's token against temporary keys, by <c>AssumeRoleWithOIDC</c> (version
/// 2015-04-01). The request has no signature: the token is the proof. It goes in the body, for addresses are logged on
/// the way. The variables are those that ACK's ack-pod-identity-webhook sets, the last three from its 0.4.0 on.
/// </summary>
internal sealed class RrsaSource(IdentityHttp http, IdentityOptions options, TimeProvider time)
{
    public const string Step = "AssumeRoleWithOIDC";
    private const string TokenFileVariable = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
    private const string RoleVariable = "ALIBABA_CLOUD_ROLE_ARN";
    private const string ProviderVariable = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
    private const string EndpointVariable = "ALIBABA_CLOUD_STS_ENDPOINT";
    private const string RegionVariable = "ALIBABA_CLOUD_STS_REGION";
    private const string VpcVariable = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";

    private const string WhoMustAct =
        "Check the role's trust policy (issuer, audience, service account) and the OIDC provider's ARN "
        + "(docs/credentials.md).";

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public async Task<TemporaryKey> FetchAsync(AmbientIdentity.Rrsa identity, CancellationToken cancellationToken)
    {
        var role = identity.RoleArn ?? options.Variable(RoleVariable) ?? throw NotGiven("roleArn", RoleVariable);
        var provider =
            identity.OidcProviderArn
            ?? options.Variable(ProviderVariable)
            ?? throw NotGiven("oidcProviderArn", ProviderVariable);
        var token = await TokenFile.ReadAsync(
            options.Variable(TokenFileVariable),
            TokenFileVariable,
            cancellationToken
        );
        return await SendAsync(
            new Request(role, provider, identity.SessionName, "3600", identity.Region),
            token,
            cancellationToken
        );
    }

    /// <summary>Trades the token of a tenant's service account.</summary>
    /// <exception cref="KeySourceException">Why there is no key.</exception>
    public Task<TemporaryKey> TradeAsync(
        ServiceAccountIdentity identity,
        string token,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            new Request(
                identity.RoleArn,
                identity.OidcProviderArn ?? throw NotGiven("oidcProviderArn", ProviderVariable),
                identity.SessionName,
                IdentityOptions.ShortSessionSeconds,
                identity.Region
            ),
            token,
            cancellationToken
        );

    private async Task<TemporaryKey> SendAsync(Request asked, string token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(
                Endpoint(options, asked.Region),
                $"/?Action={Step}&Format=JSON&Timestamp={Uri.EscapeDataString(now)}&Version=2015-04-01"
            )
        )
        {
            Content = new FormUrlEncodedContent(
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["RoleArn"] = asked.Role,
                    ["OIDCProviderArn"] = asked.Provider,
                    ["OIDCToken"] = token,
                    ["RoleSessionName"] = asked.SessionName,
                    ["DurationSeconds"] = asked.Seconds,
                }
            ),
        };
        var answer = await http.SendAsync(request, Step, cancellationToken);
        var fields = AnswerFields.OfJson(answer.Body);
        if (!answer.IsSuccess)
            throw IdentityErrors.Refused(
                Step,
                answer,
                fields["Code"],
                fields["Message"],
                fields["RequestId"],
                token,
                WhoMustAct
            );
        return fields.Key(Step, asked.Role, answer, ("AccessKeyId", "AccessKeySecret", "SecurityToken"));
    }

    internal static Uri Endpoint(IdentityOptions options, string storeRegion)
    {
        if (options.TokenService is { } given)
            return given;
        var service = options.IsTrue(VpcVariable) ? "sts-vpc" : "sts";
        var host =
            options.Variable(EndpointVariable)
            ?? $"{service}.{options.Variable(RegionVariable) ?? storeRegion}.aliyuncs.com";
        return Uri.CheckHostName(host) == UriHostNameType.Dns
            ? new Uri("https://" + host)
            : throw IdentityErrors.NotSetUp(
                Step,
                Reasons.TokenServiceInvalid,
                $"{EndpointVariable} and {RegionVariable} must be the name of a host, and of a region.",
                "Correct the operator's environment."
            );
    }

    private static KeySourceException NotGiven(string field, string variable) =>
        IdentityErrors.NotSetUp(
            Step,
            Reasons.RoleNotGiven,
            $"the store has no rrsa.{field}, and the operator's environment no {variable}.",
            "Set it in the store, or let ACK's webhook set the variable (docs/credentials.md)."
        );

    /// <param name="Seconds">How long the key is to last.</param>
    private sealed record Request(string Role, string Provider, string SessionName, string Seconds, string Region);
}
