using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Decides who sent a request to an AWS service other than S3: Signature V4 over the body itself, and five minutes of
/// skew. Source: AWS General Reference, "Troubleshooting Signature Version 4 signing"; AWS KMS, common errors.
/// </summary>
internal sealed class AwsKmsAuthorization(World world)
{
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    private const string Service = "kms";

    private static readonly StoreError UnknownKey = new(
        400,
        "UnrecognizedClientException",
        "The security token included in the request is invalid."
    );

    public (Account? Account, SigV4Scope? Scope, StoreError? Refusal) Check(StoreCall call)
    {
        StoreRequest request = call.Request;
        if (string.IsNullOrEmpty(request.Header("authorization")))
        {
            return (null, null, new(400, "MissingAuthenticationTokenException", "Missing Authentication Token"));
        }

        if (
            SigV4Claim.Parse(request.Header("authorization")) is not { } claim
            || SigV4Signature.ParseTime(request.Header("x-amz-date") ?? "") is not { } time
        )
        {
            return (
                null,
                null,
                new(400, "IncompleteSignatureException", "Authorization header requires 'Credential' and 'X-Amz-Date'.")
            );
        }

        if (world.Accounts.Find(claim.AccessKeyId) is not { Enabled: true } account)
        {
            return (null, null, UnknownKey);
        }

        StoreError? refusal =
            CheckScope(claim.Scope, time, call.Address.Region)
            ?? CheckTime(time)
            ?? CheckToken(request.Header("x-amz-security-token"), account)
            ?? CheckSignature(call, claim, time, account);
        return refusal is null ? (account, claim.Scope, null) : (null, null, refusal);
    }

    private static StoreError? CheckScope(SigV4Scope scope, DateTimeOffset time, string? region) =>
        scope.Service == Service
        && scope.Date == time.UtcDateTime.ToString("yyyyMMdd")
        && (region is null || region == scope.Region)
            ? null
            : new(
                400,
                "InvalidSignatureException",
                $"Credential should be scoped to a valid region and to service '{Service}'."
            );

    private StoreError? CheckTime(DateTimeOffset time)
    {
        DateTimeOffset now = world.Clock.UtcNow;
        string said = time.UtcDateTime.ToString(SigV4Signature.TimeFormat);
        string here = now.UtcDateTime.ToString(SigV4Signature.TimeFormat);
        return now - time > MaxSkew
                ? new(
                    400,
                    "InvalidSignatureException",
                    $"Signature expired: {said} is now earlier than {here} - 5 min."
                )
            : time - now > MaxSkew
                ? new(
                    400,
                    "InvalidSignatureException",
                    $"Signature not yet current: {said} is still later than {here} + 5 min."
                )
            : null;
    }

    private StoreError? CheckToken(string? token, Account account) =>
        token != account.SecurityToken ? UnknownKey
        : account.TokenExpiresAt <= world.Clock.UtcNow
            ? new(400, "ExpiredTokenException", "The security token included in the request is expired")
        : null;

    private static StoreError? CheckSignature(StoreCall call, SigV4Claim claim, DateTimeOffset time, Account account)
    {
        string[] unsigned =
        [
            .. call
                .Request.Headers.Keys.Where(name =>
                    name == "host" || name.StartsWith("x-amz-", StringComparison.Ordinal)
                )
                .Where(name => !claim.SignedHeaders.Contains(name, StringComparer.Ordinal)),
        ];
        string canonical = SigV4Signature.CanonicalRequest(
            call.Request,
            call.Address,
            claim.SignedHeaders,
            Convert.ToHexStringLower(SHA256.HashData(call.Request.Body.Span))
        );
        string toSign = SigV4Signature.StringToSign(
            time.UtcDateTime.ToString(SigV4Signature.TimeFormat),
            claim.Scope,
            canonical
        );
        bool same = CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(SigV4Signature.Sign(account.Secret, claim.Scope, toSign)),
            Encoding.UTF8.GetBytes(claim.Signature)
        );
        return unsigned.Length > 0 ? new(400, "InvalidSignatureException", $"'{unsigned[0]}' must be a 'SignedHeader'.")
            : same ? null
            : new(
                400,
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details.\n\n"
                    + $"The Canonical String for this request should have been\n'{canonical}'\n\n"
                    + $"The String-to-Sign should have been\n'{toSign}'\n"
            );
    }
}
