using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// Decides who sent a request, and whether it may be believed. The order of the checks is this simulator's own; OSS
/// documents none.
/// </summary>
internal static class OssAuthorization
{
    /// <summary>Source: EC page 0002-00000504 and the OSS error reference.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    /// <summary>
    /// The key that the request claims, for fault and deny rules; null when it has none or it cannot be read.
    /// </summary>
    public static string? ClaimedKeyId(StoreRequest request) =>
        Parse(request.Header("authorization")).Claim?.AccessKeyId;

    /// <returns>The account, or the refusal.</returns>
    /// <param name="call">The request, read.</param>
    /// <param name="bucket">Null when there is no such bucket: the region then comes from the host, or is free.</param>
    /// <param name="world">Accounts and clock.</param>
    public static (Account? Account, StoreError? Refusal) Check(StoreCall call, BucketSettings? bucket, World world)
    {
        (OssClaim? claim, StoreError? malformed) = Parse(call.Request.Header("authorization"));
        if (claim is null)
        {
            return (null, malformed);
        }

        if (TimeOf(call.Request, claim) is not { } time)
        {
            return (null, OssErrors.BadDate);
        }

        if (world.Accounts.Find(claim.AccessKeyId) is not { } account)
        {
            return (null, OssErrors.InvalidAccessKeyId(claim.AccessKeyId));
        }

        StoreError? refusal =
            CheckAccount(claim, account)
            ?? CheckTime(time, world)
            ?? (claim is OssClaim.V4 v4 ? CheckScope(v4, time, call, bucket) : null)
            ?? CheckToken(call.Request.Header("x-oss-security-token"), claim, account, world)
            ?? CheckSignature(call, claim, time, account);
        return refusal is null ? (account, null) : (null, refusal);
    }

    /// <summary>
    /// <c>OSS4-HMAC-SHA256 Credential={id}/{scope}[,AdditionalHeaders=a;b],Signature={hex}</c> (spaces after commas are
    /// taken) or <c>OSS {id}:{base64}</c>.
    /// </summary>
    private static (OssClaim? Claim, StoreError? Malformed) Parse(string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return (null, OssErrors.Anonymous);
        }

        if (header.StartsWith(OssSignatureV4.Algorithm + " ", StringComparison.Ordinal))
        {
            return ParseV4(header[OssSignatureV4.Algorithm.Length..]);
        }

        string[] parts = header.StartsWith("OSS ", StringComparison.Ordinal) ? header[4..].Trim().Split(':') : [];
        return parts is [{ Length: > 0 } id, { Length: > 0 } signature]
            ? (new OssClaim.V1(id, signature), null)
            : (null, OssErrors.MalformedAuthorizationV1);
    }

    private static (OssClaim? Claim, StoreError? Malformed) ParseV4(string parameters)
    {
        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string part in parameters.Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !values.TryAdd(part[..equals], part[(equals + 1)..]))
            {
                return (null, OssErrors.MalformedAuthorizationV4);
            }
        }

        if (
            !values.TryGetValue("Credential", out string? credential)
            || !values.TryGetValue("Signature", out string? signature)
        )
        {
            return (null, OssErrors.MalformedAuthorizationV4);
        }

        string[] additional = values
            .GetValueOrDefault("AdditionalHeaders", "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries);
        return
            credential.Split('/')
                is [
                    { Length: > 0 } id,
                    { Length: 8 } date,
                    { Length: > 0 } region,
                    "oss"
                    or "oss-cloudbox",
                    OssSignatureV4.Terminator,
                ] scope
            ? (new OssClaim.V4(id, signature, new OssScope(date, region, scope[3]), additional), null)
            : (null, OssErrors.InvalidCredential);
    }

    /// <summary>
    /// <c>x-oss-date</c> takes the place of <c>Date</c>. V4 times are ISO 8601 basic; Date alone, in RFC 1123, is taken
    /// as well (EC page 0002-00000213 shows such a request).
    /// </summary>
    private static DateTimeOffset? TimeOf(StoreRequest request, OssClaim claim)
    {
        if (claim is OssClaim.V4 && request.Header("x-oss-date") is { } own)
        {
            return OssSignatureV4.ParseTime(own);
        }

        return OssSignatureV1.Date(request.Headers) is { } date ? OssSignatureV1.ParseTime(date) : null;
    }

    private static StoreError? CheckAccount(OssClaim claim, Account account) =>
        account.Enabled
            ? null
            : OssErrors.InvalidAccessKeyId(claim.AccessKeyId, "The OSS Access Key Id you provided is disabled.");

    private static StoreError? CheckTime(DateTimeOffset time, World world)
    {
        DateTimeOffset now = world.Clock.UtcNow;
        return (now - time).Duration() > MaxSkew ? OssErrors.TimeTooSkewed(time, now, MaxSkew) : null;
    }

    /// <summary>
    /// The scope's region is the endpoint's where the host names one, else the bucket's; on a CloudBox it is the
    /// CloudBox's id.
    /// </summary>
    private static StoreError? CheckScope(
        OssClaim.V4 claim,
        DateTimeOffset time,
        StoreCall call,
        BucketSettings? bucket
    )
    {
        if (
            claim.Scope.Date != time.UtcDateTime.ToString("yyyyMMdd")
            || (call.Request.Header("x-oss-content-sha256") ?? "") != OssSignatureV4.UnsignedPayload
        )
        {
            return claim.Scope.Date != time.UtcDateTime.ToString("yyyyMMdd")
                ? OssErrors.InvalidCredential
                : OssErrors.InvalidPayloadHash;
        }

        string? cloudBox = call.Address.CloudBoxId ?? bucket?.CloudBoxId;
        string? region = cloudBox ?? call.Address.Region ?? bucket?.Region;
        if (region is not null && claim.Scope.Region != region)
        {
            return OssErrors.InvalidSigningRegion;
        }

        return claim.Scope.Product == (cloudBox is null ? "oss" : "oss-cloudbox") ? null : OssErrors.InvalidCredential;
    }

    private static StoreError? CheckToken(string? token, OssClaim claim, Account account, World world) =>
        (token, account.SecurityToken) switch
        {
            (null, null) => null,
            (null, _) => OssErrors.InvalidAccessKeyId(claim.AccessKeyId),
            (_, null) => OssErrors.InvalidAccessKeyId(claim.AccessKeyId, ec: "0002-00000002"),
            var (sent, right) when sent != right => OssErrors.InvalidSecurityToken,
            _ => account.TokenExpiresAt <= world.Clock.UtcNow ? OssErrors.SecurityTokenExpired : null,
        };

    private static StoreError? CheckSignature(StoreCall call, OssClaim claim, DateTimeOffset time, Account account)
    {
        string? canonicalRequest = null;
        string stringToSign;
        string right;
        if (claim is OssClaim.V4 v4)
        {
            canonicalRequest = OssSignatureV4.CanonicalRequest(
                call.Request.Method,
                call.Address,
                call.Request.Headers,
                v4.AdditionalHeaders
            );
            stringToSign = OssSignatureV4.StringToSign(
                time.UtcDateTime.ToString(OssSignatureV4.TimeFormat),
                v4.Scope,
                canonicalRequest
            );
            right = OssSignatureV4.Sign(account.Secret, v4.Scope, stringToSign);
        }
        else
        {
            stringToSign = OssSignatureV1.StringToSign(call.Request.Method, call.Address, call.Request.Headers);
            right = OssSignatureV1.Sign(account.Secret, stringToSign);
        }

        bool same = CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(right),
            Encoding.UTF8.GetBytes(claim.Signature)
        );
        return same
            ? null
            : OssErrors.SignatureDoesNotMatch(claim.AccessKeyId, claim.Signature, stringToSign, canonicalRequest);
    }
}

/// <summary>What an Authorization header says, unverified.</summary>
internal abstract record OssClaim
{
    private OssClaim(string accessKeyId, string signature)
    {
        AccessKeyId = accessKeyId;
        Signature = signature;
    }

    public string AccessKeyId { get; }

    public string Signature { get; }

    public sealed override string ToString() => $"OssClaim {{ AccessKeyId = {AccessKeyId} }}";

    internal sealed record V1(string KeyId, string Base64) : OssClaim(KeyId, Base64);

    internal sealed record V4(string KeyId, string Hex, OssScope Scope, IReadOnlyList<string> AdditionalHeaders)
        : OssClaim(KeyId, Hex);
}
