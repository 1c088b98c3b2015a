using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>AssumeRole: who signed it, by the signature of each vendor, and whether the role lets them in.</summary>
internal static class RoleRequests
{
    private const int LeastDuration = 900;

    /// <summary>The most that a session may last which was made with a session.</summary>
    private const int MostOfChain = 3600;

    private static readonly string[] MustBeSigned = ["host", "x-amz-date"];

    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    /// <summary>Signature version 4 of the service sts. Codes as AWS's STS gives them.</summary>
    public static (string? Principal, StoreError? Refusal) CheckSigV4(StoreCall call, World world)
    {
        StoreRequest request = call.Request;
        if (
            SigV4Claim.Parse(request.Header("authorization")) is not { } claim
            || claim.Scope.Service != "sts"
            || SigV4Signature.ParseTime(request.Header("x-amz-date") ?? "") is not { } time
        )
        {
            return (null, new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
        }

        if (world.Accounts.Find(claim.AccessKeyId) is not { Enabled: true } account)
        {
            return (null, new(403, "InvalidClientTokenId", "The security token included in the request is invalid."));
        }

        string canonical = SigV4Signature.CanonicalRequest(
            request,
            call.Address,
            claim.SignedHeaders,
            Convert.ToHexStringLower(SHA256.HashData(request.Body.Span))
        );
        string right = SigV4Signature.Sign(
            account.Secret,
            claim.Scope,
            SigV4Signature.StringToSign(request.Header("x-amz-date") ?? "", claim.Scope, canonical)
        );
        bool late = (world.Clock.UtcNow - time).Duration() > MaxSkew;
        bool unsigned = MustBeSigned.Except(claim.SignedHeaders, StringComparer.Ordinal).Any();
        return right != claim.Signature || unsigned || late
                ? (null, new(403, "SignatureDoesNotMatch", late ? "Signature expired" : "It does not match."))
            : TokenOf(account, request.Header("x-amz-security-token"), world) is { } wrong
                ? (null, new(403, wrong ? "InvalidClientTokenId" : "ExpiredToken", "The security token is no good."))
            : (PrincipalOf(claim.AccessKeyId, world), null);
    }

    /// <summary>The signature of Alibaba Cloud's RPC APIs over query and form together.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "It is HMAC-SHA1.")]
    public static (string? Principal, StoreError? Refusal) CheckRpc(StoreCall call, World world)
    {
        Dictionary<string, string> all = IdentityAnswers
            .Query(call.Request)
            .Concat(IdentityAnswers.Form(call.Request))
            .ToDictionary(p => p.Key, p => p.Single(), StringComparer.Ordinal);
        string id = all.GetValueOrDefault("AccessKeyId", "");
        if (world.Accounts.Find(id) is not { Enabled: true } account)
        {
            return (null, new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."));
        }

        string signed = string.Join(
            '&',
            all.Where(p => p.Key != "Signature")
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}")
        );
        string text = $"{call.Request.Method}&%2F&{Uri.EscapeDataString(signed)}";
        string right = Convert.ToBase64String(
            HMACSHA1.HashData(Encoding.UTF8.GetBytes(account.Secret + "&"), Encoding.UTF8.GetBytes(text))
        );
        return all.GetValueOrDefault("Signature") != right
            || all.GetValueOrDefault("SignatureMethod") != "HMAC-SHA1"
            || all.GetValueOrDefault("SignatureVersion") != "1.0"
            || string.IsNullOrEmpty(all.GetValueOrDefault("SignatureNonce"))
                ? (null, new(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."))
            : TokenOf(account, all.GetValueOrDefault("SecurityToken"), world) is { } wrong
                ? (
                    null,
                    new(
                        wrong ? 403 : 400,
                        wrong ? "InvalidSecurityToken.MismatchWithAccessKey" : "InvalidSecurityToken.Expired",
                        "Specified SecurityToken is no good."
                    )
                )
            : (PrincipalOf(id, world), null);
    }

    /// <returns>Why the principal does not get the role; null: it does.</returns>
    /// <param name="denied">The service's refusal.</param>
    public static StoreError? Check(
        World world,
        string principal,
        ILookup<string, string> form,
        bool hasTags,
        StoreError denied
    )
    {
        string arn = form["RoleArn"].SingleOrDefault() ?? "";
        string duration = form["DurationSeconds"].SingleOrDefault() ?? "3600";
        int seconds = int.TryParse(duration, NumberStyles.None, CultureInfo.InvariantCulture, out int given)
            ? given
            : 0;
        bool isChain = principal.Contains(":role/", StringComparison.Ordinal);
        return seconds < LeastDuration || (isChain && seconds > MostOfChain)
                ? new(400, "ValidationError", "The requested DurationSeconds exceeds the session duration.")
            : world.Identities.Values.Roles.FirstOrDefault(r => r.Arn == arn) is { } role
            && role.By.Contains(principal, StringComparer.Ordinal)
            && (role.ExternalId is null || role.ExternalId == form["ExternalId"].SingleOrDefault())
            && (role.TagSession || !hasTags)
                ? null
            : denied;
    }

    /// <returns>Null: good. True: wrong. False: over.</returns>
    private static bool? TokenOf(Account account, string? token, World world) =>
        token != account.SecurityToken ? true
        : account.TokenExpiresAt <= world.Clock.UtcNow ? false
        : null;

    private static string PrincipalOf(string id, World world) =>
        world.Identities.Issued.LastOrDefault(k => k.AccessKeyId == id)?.Role ?? id;
}
