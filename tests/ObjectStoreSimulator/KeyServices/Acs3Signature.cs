using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Alibaba Cloud's signature version 3: the canonical request of Signature V4, hashed, and signed with the secret
/// itself: no chain of keys, no scope. Source: Alibaba Cloud help, "V3 request signature", with its example.
/// </summary>
internal static class Acs3Signature
{
    public const string Algorithm = "ACS3-HMAC-SHA256";

    public static HmacClaim? ClaimOf(StoreRequest request) =>
        HmacClaim.Parse(request.Header("authorization"), Algorithm, "Credential");

    public static string CanonicalRequest(
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signedHeaders
    ) => SigV4Signature.CanonicalRequest(request, address, signedHeaders, request.Header("x-acs-content-sha256"));

    public static string Sign(string secret, string canonicalRequest)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)));
        return Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{Algorithm}\n{hash}"))
        );
    }
}
