using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// JD Cloud's JDCLOUD2-HMAC-SHA256: Signature V4 in other words, with a nonce. A service without regions has a word in
/// their place in the scope, whatever the host: <c>jdcloud-api</c> from the SDK for Go, <c>jdcloud</c> from the one for
/// Node.js. Source: these SDKs, and the test of the one for C++. The words of refusals, and the skew, are UNCONFIRMED.
/// </summary>
internal sealed class JDCloudAuthorization(World world)
{
    public const string Algorithm = "JDCLOUD2-HMAC-SHA256";

    private static readonly string[] NoRegion = ["jdcloud-api", "jdcloud"];

    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private const string Service = "kms";
    private const string Terminator = "jdcloud2_request";
    private const string DateHeader = "x-jdcloud-date";
    private const string NonceHeader = "x-jdcloud-nonce";

    private static readonly StoreError Unauthenticated = new(401, "UNAUTHENTICATED", "The signature is not valid");

    private readonly Lock _lock = new();
    private readonly HashSet<string> _nonces = new(StringComparer.Ordinal);

    public static JDCloudClaim? ClaimOf(StoreRequest request) =>
        HmacClaim.Parse(request.Header("authorization"), Algorithm, "Credential") is { } claim
        && claim.AccessKeyId.Split('/')
            is [{ Length: > 0 } id, { Length: 8 } date, { Length: > 0 } region, { Length: > 0 } service, Terminator]
            ? new JDCloudClaim(id, new SigV4Scope(date, region, service), claim.SignedHeaders, claim.Signature)
            : null;

    public static string CanonicalRequest(
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signedHeaders
    ) =>
        SigV4Signature.CanonicalRequest(
            request,
            address,
            signedHeaders,
            Convert.ToHexStringLower(SHA256.HashData(request.Body.Span))
        );

    public static string Sign(string secret, string time, SigV4Scope scope, string canonicalRequest)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)));
        string place = $"{scope.Date}/{scope.Region}/{scope.Service}/{Terminator}";
        byte[] key = Encoding.UTF8.GetBytes("JDCLOUD2" + secret);
        foreach (string step in (ReadOnlySpan<string>)[scope.Date, scope.Region, scope.Service, Terminator])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return Convert.ToHexStringLower(
            HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Algorithm}\n{time}\n{place}\n{hash}"))
        );
    }

    public (Account? Account, StoreError? Refusal) Check(StoreCall call)
    {
        StoreRequest request = call.Request;
        string time = request.Header(DateHeader) ?? "";
        string nonce = request.Header(NonceHeader) ?? "";
        if (
            ClaimOf(request) is not { } claim
            || SigV4Signature.ParseTime(time) is not { } at
            || nonce.Length == 0
            || !claim.SignedHeaders.Contains(DateHeader, StringComparer.Ordinal)
            || !claim.SignedHeaders.Contains(NonceHeader, StringComparer.Ordinal)
            || world.Accounts.Find(claim.AccessKeyId) is not { Enabled: true, SecurityToken: null } account
        )
        {
            return (null, Unauthenticated);
        }

        string right = Sign(
            account.Secret,
            time,
            claim.Scope,
            CanonicalRequest(request, call.Address, claim.SignedHeaders)
        );
        bool good =
            claim.Scope.Service == Service
            && NoRegion.Contains(claim.Scope.Region, StringComparer.Ordinal)
            && claim.Scope.Date == at.UtcDateTime.ToString("yyyyMMdd")
            && (at - world.Clock.UtcNow).Duration() <= MaxSkew
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(right),
                Encoding.UTF8.GetBytes(claim.Signature)
            );
        return good && IsNew(nonce) ? (account, null) : (null, Unauthenticated);
    }

    private bool IsNew(string nonce)
    {
        lock (_lock)
        {
            return _nonces.Add(nonce);
        }
    }
}

/// <summary>What an Authorization header says, unverified.</summary>
internal sealed record JDCloudClaim(
    string AccessKeyId,
    SigV4Scope Scope,
    ImmutableArray<string> SignedHeaders,
    string Signature
)
{
    public override string ToString() => $"JDCloudClaim {{ AccessKeyId = {AccessKeyId} }}";
}
