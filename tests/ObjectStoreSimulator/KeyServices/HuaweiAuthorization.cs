using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Huawei Cloud's SDK-HMAC-SHA256: the canonical request of Signature V4 with a path that always ends in a slash, and
/// <c>SDK-HMAC-SHA256 \n time \n hash</c> signed with the secret itself. The time must be signed. Source: Huawei Cloud
/// API gateway, "Signing API requests", with its example, and the vendor's SDK tests.
/// </summary>
internal sealed class HuaweiAuthorization(World world)
{
    public const string Algorithm = "SDK-HMAC-SHA256";

    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private const string DateHeader = "x-sdk-date";

    public static HmacClaim? ClaimOf(StoreRequest request) =>
        HmacClaim.Parse(request.Header("authorization"), Algorithm, "Access");

    public static string CanonicalRequest(
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signedHeaders
    ) =>
        SigV4Signature.CanonicalRequest(
            request,
            address.RawPath.EndsWith('/') ? address : address with { RawPath = address.RawPath + "/" },
            signedHeaders,
            Convert.ToHexStringLower(SHA256.HashData(request.Body.Span))
        );

    public static string Sign(string secret, string time, string canonicalRequest)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)));
        return Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{Algorithm}\n{time}\n{hash}"))
        );
    }

    public (Account? Account, StoreError? Refusal) Check(StoreCall call)
    {
        StoreRequest request = call.Request;
        string time = request.Header(DateHeader) ?? "";
        if (
            ClaimOf(request) is not { } claim
            || SigV4Signature.ParseTime(time) is not { } at
            || !claim.SignedHeaders.Contains(DateHeader, StringComparer.Ordinal)
        )
        {
            return (null, Incorrect("signature or X-Sdk-Date is missing or malformed"));
        }

        if (world.Accounts.Find(claim.AccessKeyId) is not { Enabled: true } account)
        {
            return (null, Incorrect("AK does not exist"));
        }

        string? token = request.Header("x-security-token");
        bool same = CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(
                Sign(account.Secret, time, CanonicalRequest(request, call.Address, claim.SignedHeaders))
            ),
            Encoding.UTF8.GetBytes(claim.Signature)
        );
        StoreError? refusal =
            (at - world.Clock.UtcNow).Duration() > MaxSkew ? Incorrect("the signature has expired")
            : token != account.SecurityToken || account.TokenExpiresAt <= world.Clock.UtcNow
                ? Incorrect("the security token is invalid or has expired")
            : same ? null
            : Incorrect("verify aksk signature fail");
        return refusal is null ? (account, null) : (null, refusal);
    }

    private static StoreError Incorrect(string what) =>
        new(401, "APIGW.0301", $"Incorrect IAM authentication information: {what}");
}
