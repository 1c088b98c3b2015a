using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// IAM roles for service accounts: the pod's token against temporary keys, by <c>AssumeRoleWithWebIdentity</c> (version
/// 2011-06-15). The request has no signature: the token is the proof. The variables are those that EKS's pod identity
/// webhook sets.
/// </summary>
internal sealed class WebIdentitySource(IdentityHttp http, IdentityOptions options)
{
    public const string Step = "AssumeRoleWithWebIdentity";
    private const string TokenFileVariable = "AWS_WEB_IDENTITY_TOKEN_FILE";
    private const string RoleVariable = "AWS_ROLE_ARN";
    private const string SessionVariable = "AWS_ROLE_SESSION_NAME";
    private const string RegionVariable = "AWS_REGION";
    private const string EndpointsVariable = "AWS_STS_REGIONAL_ENDPOINTS";
    private const string DefaultSession = "bucket-encryption-operator";

    private const string WhoMustAct =
        "Check the role's trust policy (issuer, audience, service account), and that the account knows the cluster's "
        + "issuer (docs/credentials.md).";

    /// <exception cref="KeySourceException">Which step failed, and why.</exception>
    public async Task<TemporaryKey> FetchAsync(
        AmbientIdentity.WebIdentity identity,
        CancellationToken cancellationToken
    )
    {
        var role =
            identity.RoleArn
            ?? options.Variable(RoleVariable)
            ?? throw IdentityErrors.NotSetUp(
                Step,
                Reasons.RoleNotGiven,
                $"the store has no webIdentity.roleArn, and the operator's environment no {RoleVariable}.",
                "Set it in the store, or let EKS's webhook set the variable (docs/credentials.md)."
            );
        var token = await TokenFile.ReadAsync(
            options.Variable(TokenFileVariable),
            TokenFileVariable,
            cancellationToken
        );
        return await SendAsync(
            new Request(role, options.Variable(SessionVariable) ?? DefaultSession, Seconds: null),
            Endpoint(options, identity.Region),
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
            new Request(identity.RoleArn, identity.SessionName, IdentityOptions.ShortSessionSeconds),
            AwsTokenEndpoint.Of(options, identity.Region).Address,
            token,
            cancellationToken
        );

    private async Task<TemporaryKey> SendAsync(
        Request asked,
        Uri endpoint,
        string token,
        CancellationToken cancellationToken
    )
    {
        List<KeyValuePair<string, string>> form =
        [
            new("Action", Step),
            new("Version", "2011-06-15"),
            new("RoleArn", asked.Role),
            new("RoleSessionName", asked.SessionName),
            new("WebIdentityToken", token),
        ];
        if (asked.Seconds is { } seconds)
            form.Add(new("DurationSeconds", seconds));
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = new FormUrlEncodedContent(form),
        };
        var answer = await http.SendAsync(request, Step, cancellationToken);
        var fields = AnswerFields.OfXml(answer.Body);
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
        return fields.Key(Step, asked.Role, answer, ("AccessKeyId", "SecretAccessKey", "SessionToken"));
    }

    /// <summary>
    /// The region's own, as today's SDKs do; <c>legacy</c> asks for the one global endpoint, which only the commercial
    /// partition has.
    /// </summary>
    internal static Uri Endpoint(IdentityOptions options, string storeRegion)
    {
        if (options.TokenService is { } given)
            return given;
        var region = options.Variable(RegionVariable) ?? storeRegion;
        var partition = AwsPartition.OfRegion(region);
        var isLegacy = partition.HasGlobalEndpoints && options.Variable(EndpointsVariable) == "legacy";
        var host = isLegacy ? $"sts.{partition.Domain}" : $"sts.{region}.{partition.Domain}";
        return Uri.CheckHostName(host) == UriHostNameType.Dns
            ? new Uri("https://" + host)
            : throw IdentityErrors.NotSetUp(
                Step,
                Reasons.TokenServiceInvalid,
                $"{RegionVariable} must be the name of a region.",
                "Correct the operator's environment."
            );
    }

    /// <param name="Seconds">How long the key is to last; null: as the service has it.</param>
    private sealed record Request(string Role, string SessionName, string? Seconds);
}
