using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.SigV4;

/// <summary>
/// Decides who sent a request, and whether it may be believed, as S3 does: every <c>x-amz-*</c> header and <c>host</c>
/// must be signed, and the payload hash must be the body's. The order of the checks is this simulator's own.
/// </summary>
internal static class SigV4Authorization
{
    /// <summary>Source: AWS error responses, RequestTimeTooSkewed.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    /// <returns>The account, or the refusal.</returns>
    /// <param name="call">The request, read.</param>
    /// <param name="region">The region that the scope must name: the endpoint's, else the bucket's. Null: any.</param>
    /// <param name="world">Accounts and clock.</param>
    public static (Account? Account, StoreError? Refusal) Check(StoreCall call, string? region, World world)
    {
        StoreRequest request = call.Request;
        if (string.IsNullOrEmpty(request.Header("authorization")))
        {
            return (null, SigV4Errors.Denied);
        }

        if (SigV4Claim.Parse(request.Header("authorization")) is not { } claim || claim.Scope.Service != "s3")
        {
            return (
                null,
                SigV4Errors.MalformedAuthorization(
                    "The authorization header that you provided is not valid.",
                    region: null
                )
            );
        }

        if (TimeOf(request) is not { } time)
        {
            return (null, SigV4Errors.BadDate);
        }

        if (world.Accounts.Find(claim.AccessKeyId) is not { Enabled: true } account)
        {
            return (null, SigV4Errors.InvalidAccessKeyId(claim.AccessKeyId));
        }

        StoreError? refusal =
            CheckScope(claim.Scope, time, region)
            ?? CheckTime(time, world)
            ?? CheckToken(request.Header("x-amz-security-token"), claim, account, world)
            ?? CheckSignedHeaders(request, claim.SignedHeaders)
            ?? CheckSignature(call, claim, time, account)
            ?? CheckPayload(request);
        return refusal is null ? (account, null) : (null, refusal);
    }

    private static DateTimeOffset? TimeOf(StoreRequest request)
    {
        if (request.Header("x-amz-date") is { } own)
        {
            return SigV4Signature.ParseTime(own);
        }

        return DateTimeOffset.TryParseExact(
            request.Header("date"),
            "r",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out DateTimeOffset date
        )
            ? date
            : null;
    }

    private static StoreError? CheckScope(SigV4Scope scope, DateTimeOffset time, string? region)
    {
        if (scope.Date != time.UtcDateTime.ToString("yyyyMMdd"))
        {
            return SigV4Errors.MalformedAuthorization(
                "The authorization header is malformed; Invalid credential date.",
                region: null
            );
        }

        return region is null || scope.Region == region
            ? null
            : SigV4Errors.MalformedAuthorization(
                $"The authorization header is malformed; the region '{scope.Region}' is wrong; expecting '{region}'",
                region
            );
    }

    private static StoreError? CheckTime(DateTimeOffset time, World world)
    {
        DateTimeOffset now = world.Clock.UtcNow;
        return (now - time).Duration() > MaxSkew ? SigV4Errors.TimeTooSkewed(time, now, MaxSkew) : null;
    }

    private static StoreError? CheckToken(string? token, SigV4Claim claim, Account account, World world) =>
        (token, account.SecurityToken) switch
        {
            (null, null) => null,
            (null, _) => SigV4Errors.InvalidAccessKeyId(claim.AccessKeyId),
            var (sent, right) when sent != right => SigV4Errors.InvalidToken,
            _ => account.TokenExpiresAt <= world.Clock.UtcNow ? SigV4Errors.ExpiredToken : null,
        };

    private static StoreError? CheckSignedHeaders(StoreRequest request, ImmutableArray<string> signed)
    {
        string[] missing =
        [
            .. request
                .Headers.Keys.Where(name => name == "host" || name.StartsWith("x-amz-", StringComparison.Ordinal))
                .Where(name => !signed.Contains(name, StringComparer.Ordinal)),
        ];
        return missing.Length == 0 ? null : SigV4Errors.HeadersNotSigned(missing);
    }

    private static StoreError? CheckSignature(StoreCall call, SigV4Claim claim, DateTimeOffset time, Account account)
    {
        string canonicalRequest = SigV4Signature.CanonicalRequest(call.Request, call.Address, claim.SignedHeaders);
        string stringToSign = SigV4Signature.StringToSign(
            time.UtcDateTime.ToString(SigV4Signature.TimeFormat),
            claim.Scope,
            canonicalRequest
        );
        string right = SigV4Signature.Sign(account.Secret, claim.Scope, stringToSign);
        bool same = CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(right),
            Encoding.UTF8.GetBytes(claim.Signature)
        );
        return same ? null : SigV4Errors.SignatureDoesNotMatch(claim, stringToSign, canonicalRequest);
    }

    /// <summary>
    /// After the signature, which covers the hash that the header tells; whether that hash is the body's is another
    /// question.
    /// </summary>
    private static StoreError? CheckPayload(StoreRequest request) =>
        request.Header("x-amz-content-sha256") switch
        {
            null => SigV4Errors.NoPayloadHash,
            SigV4Signature.UnsignedPayload => null,
            { } streaming when streaming.StartsWith("STREAMING-", StringComparison.Ordinal) =>
                SigV4Errors.NotImplemented,
            { } hash => hash == Convert.ToHexStringLower(SHA256.HashData(request.Body.Span))
                ? null
                : SigV4Errors.PayloadHashMismatch,
        };
}
