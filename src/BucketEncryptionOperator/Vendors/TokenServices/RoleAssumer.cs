using System.Collections.Concurrent;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.TokenServices;

/// <summary>
/// Assumes roles (<c>AssumeRole</c>) with the key of another identity. The key has a circuit breaker here as it has at
/// a store: a key that the token service rejects costs one call, and then one a minute, whatever roles it should
/// assume.
/// </summary>
internal sealed class RoleAssumer : IDisposable
{
    public const string Step = "AssumeRole";

    /// <summary>
    /// Seconds: the most that a session may last which itself was made with a session, and what every role allows.
    /// </summary>
    public const string Session = "3600";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Both services refuse requests whose time is further from theirs (AWS's: 5 minutes).</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(4);

    /// <summary>
    /// A service whose time is further from ours is not followed: it would choose for how long signatures are valid.
    /// </summary>
    private static readonly TimeSpan LargestOffset = TimeSpan.FromHours(24);

    private const string WhoMustAct =
        "Check the role's ARN, its trust policy (who assumes it, external id), and that who assumes it may do so "
        + "(docs/credentials.md).";

    private const string KeyRejected =
        "The token service rejects the key that assumes the role: correct it, in the Secret or at the vendor.";

    private readonly IdentityHttp _http;
    private readonly IdentityOptions _options;
    private readonly AccessKeyCircuitBreakers _breakers;
    private readonly TimeProvider _time;
    private readonly Func<string> _nonce;

    /// <summary>
    /// How far each service's clock is ahead of ours, by its last answer: a wrong clock of the node does no harm, and
    /// one service's wrong clock none to another.
    /// </summary>
    private readonly ConcurrentDictionary<string, TimeSpan> _ahead = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="nonce">Returns a text that no other request has.</param>
    public RoleAssumer(
        IdentityOptions options,
        AccessKeyCircuitBreakers breakers,
        TimeProvider time,
        Func<string> nonce
    )
    {
        (_options, _breakers, _time, _nonce) = (options, breakers, time, nonce);
        _http = new IdentityHttp(options.Product, Timeout, time, isDirect: false);
    }

    /// <exception cref="KeySourceException">Why there is no key.</exception>
    public async Task<TemporaryKey> AssumeAsync(AssumedRole role, AccessKey basis, CancellationToken cancellationToken)
    {
        var service = ServiceOf(role);
        var (pass, rejection) = await _breakers.EnterAsync(
            basis,
            $"sts/{service.Endpoint.IdnHost}:{service.Endpoint.Port}",
            role.RoleArn,
            cancellationToken
        );
        if (pass is null)
            throw new KeySourceException(rejection ?? throw new InvalidOperationException("no pass and no reason"));
        using (pass)
        {
            var ahead = _ahead.GetValueOrDefault(service.Endpoint.Authority);
            using var request = service.Sign(role, basis, _time.GetUtcNow() + ahead);
            var answer = await _http.SendAsync(request, Step, cancellationToken);
            var skew = answer.Now - _time.GetUtcNow();
            if (skew.Duration() <= LargestOffset)
                _ahead[service.Endpoint.Authority] = skew;
            var fields = service.Read(answer.Body);
            if (answer.IsSuccess)
            {
                pass.Answered(failure: null);
                return fields.Key(Step, role.RoleArn, answer, service.KeyNames);
            }
            var isLate = (skew - ahead).Duration() > MaxSkew;
            throw Refused(pass, answer, fields, basis, service, isLate);
        }
    }

    public void Dispose() => _http.Dispose();

    private TokenService ServiceOf(AssumedRole role) =>
        role.Protocol switch
        {
            TokenProtocol.Query => new QueryTokenService(AwsTokenEndpoint.Of(_options, role.Region)),
            TokenProtocol.Rpc => new RpcTokenService(RrsaSource.Endpoint(_options, role.Region), _nonce),
            _ => throw new ArgumentException(role.Protocol.ToString(), nameof(role)),
        };

    /// <param name="isLate">The request had a time that is not the service's: that is not the key's fault.</param>
    private static KeySourceException Refused(
        AccessKeyCircuitBreakers.Pass pass,
        IdentityAnswer answer,
        AnswerFields fields,
        AccessKey basis,
        TokenService service,
        bool isLate
    )
    {
        var code = KeyRedaction.Repeats(fields["Code"], basis) ? null : fields["Code"];
        var isOfKey = code is not null && !isLate && service.RejectsKey(code);
        var refused = IdentityErrors.Refused(
            Step,
            answer,
            isLate ? null : code,
            fields["Message"],
            fields["RequestId"],
            basis.SecurityToken ?? "",
            isOfKey ? KeyRejected : WhoMustAct
        );
        // The breaker gives it to all that ask with the key.
        var redacted = KeyRedaction.Redact(
            refused.Failure with
            {
                IsVendorAnswer = code is not null && !isLate,
            },
            basis
        );
        pass.Answered(redacted with { ConcernsCredentials = isOfKey });
        return new KeySourceException(redacted with { IsVendorAnswer = false })
        {
            Said = KeyRedaction.Redact(refused.Said, basis) ?? "",
        };
    }
}

/// <summary>How a vendor's token service is asked to assume a role.</summary>
internal abstract class TokenService(Uri endpoint)
{
    public Uri Endpoint => endpoint;

    /// <summary>Names of the key's parts in an answer.</summary>
    public abstract (string Id, string Secret, string Token) KeyNames { get; }

    public abstract HttpRequestMessage Sign(AssumedRole role, AccessKey basis, DateTimeOffset now);

    public abstract AnswerFields Read(string body);

    /// <summary>Whether the code says that the key itself is not good, whatever role it should assume.</summary>
    public abstract bool RejectsKey(string code);
}
