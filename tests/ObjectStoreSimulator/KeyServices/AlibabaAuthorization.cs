using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.KeyServices;

/// <summary>
/// Decides who sent a request to an RPC service of Alibaba Cloud's. A nonce is good once, and a time for 15 minutes.
/// Codes: Alibaba Cloud help, common errors of KMS and of the API gateway; the order of the checks is this simulator's
/// own, and <c>IllegalTimestamp</c> for a clock that is off is UNCONFIRMED.
/// </summary>
internal sealed class AlibabaAuthorization(World world)
{
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private static readonly string[] MustBeSigned =
    [
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
    ];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _nonces = new(StringComparer.Ordinal);

    public (Account? Account, StoreError? Refusal) Check(StoreCall call, AlibabaParameters parameters)
    {
        if (string.IsNullOrEmpty(call.AccessKeyId))
        {
            return (null, new(400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action."));
        }

        if (world.Accounts.Find(call.AccessKeyId) is not { } account)
        {
            return (null, new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."));
        }

        StoreError? refusal = !account.Enabled
            ? new(400, "InvalidAccessKeyId.Inactive", "The specified access key is disabled.")
            : CheckToken(
                parameters.IsAcs3 ? call.Request.Header("x-acs-security-token") : parameters["SecurityToken"],
                account
            )
                ?? CheckTime(parameters.IsAcs3 ? call.Request.Header("x-acs-date") : parameters["Timestamp"])
                ?? (parameters.IsAcs3 ? CheckAcs3(call, account) : CheckRpc(call, parameters, account))
                ?? CheckNonce(
                    parameters.IsAcs3 ? call.Request.Header("x-acs-signature-nonce") : parameters["SignatureNonce"]
                );
        return refusal is null ? (account, null) : (null, refusal);
    }

    private StoreError? CheckToken(string? token, Account account) =>
        (token, account.SecurityToken) switch
        {
            (null or "", null) => null,
            (null or "", _) => new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."),
            var (sent, right) when sent != right => new(
                400,
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken mismatch with the AccessKey."
            ),
            _ => account.TokenExpiresAt <= world.Clock.UtcNow
                ? new(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
                : null,
        };

    private StoreError? CheckTime(string? text) =>
        DateTimeOffset.TryParseExact(
            text,
            TimeFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out DateTimeOffset time
        )
        && (world.Clock.UtcNow - time).Duration() <= MaxSkew
            ? null
            : new(400, "IllegalTimestamp", "The input parameter \"Timestamp\" is illegal or expired.");

    private static StoreError? CheckRpc(StoreCall call, AlibabaParameters parameters, Account account)
    {
        if (parameters["SignatureMethod"] != "HMAC-SHA1" || parameters["SignatureVersion"] != "1.0")
        {
            return new(400, "InvalidParameter.SignatureMethod", "This service knows HMAC-SHA1, version 1.0.");
        }

        if (!"JSON".Equals(parameters["Format"], StringComparison.OrdinalIgnoreCase))
        {
            return new(400, "InvalidParameter.Format", "This room speaks JSON.");
        }

        string toSign = RpcSignature.StringToSign(call.Request.Method, parameters.All);
        return Same(RpcSignature.Sign(account.Secret, toSign), parameters["Signature"]) ? null : Mismatch(toSign);
    }

    private static StoreError? CheckAcs3(StoreCall call, Account account)
    {
        if (Acs3Signature.ClaimOf(call.Request) is not { } claim)
        {
            return new(400, "IncompleteSignature", "The request signature does not conform to the standard.");
        }

        ImmutableArray<string> unsigned =
        [
            .. MustBeSigned.Where(name => !claim.SignedHeaders.Contains(name, StringComparer.Ordinal)),
        ];
        string bodyHash = Convert.ToHexStringLower(SHA256.HashData(call.Request.Body.Span));
        if (unsigned.Length > 0 || call.Request.Header("x-acs-content-sha256") != bodyHash)
        {
            return new(
                400,
                "IncompleteSignature",
                $"Not signed: {string.Join(' ', unsigned)}; or the hash is not the body's."
            );
        }

        string canonical = Acs3Signature.CanonicalRequest(call.Request, call.Address, claim.SignedHeaders);
        return Same(Acs3Signature.Sign(account.Secret, canonical), claim.Signature) ? null : Mismatch(canonical);
    }

    private StoreError? CheckNonce(string? nonce)
    {
        lock (_lock)
        {
            DateTimeOffset now = world.Clock.UtcNow;
            foreach (string old in _nonces.Where(pair => now - pair.Value > 2 * MaxSkew).Select(p => p.Key).ToList())
            {
                _nonces.Remove(old);
            }

            return string.IsNullOrEmpty(nonce)
                    ? new(400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action.")
                : _nonces.TryAdd(nonce, now) ? null
                : new(400, "SignatureNonceUsed", "Specified signature nonce was used already.");
        }
    }

    private static bool Same(string right, string? sent) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(right), Encoding.UTF8.GetBytes(sent ?? ""));

    private static StoreError Mismatch(string toSign) =>
        new(
            400,
            "SignatureDoesNotMatch",
            $"Specified signature is not matched with our calculation. server string to sign is:{toSign}"
        );
}

/// <summary>
/// The signature of Alibaba Cloud's RPC services: base64 of HMAC-SHA1, with the secret and <c>&amp;</c> as the key,
/// over <c>METHOD&amp;%2F&amp;</c> and the encoded list of all parameters but the signature, encoded and sorted.
/// Source: Alibaba Cloud help, "RPC signature", with its example.
/// </summary>
internal static class RpcSignature
{
    public static string StringToSign(string method, ILookup<string, string> parameters) =>
        $"{method}&%2F&"
        + Encode(
            string.Join(
                '&',
                parameters
                    .Where(group => group.Key != "Signature")
                    .OrderBy(group => group.Key, StringComparer.Ordinal)
                    .SelectMany(group => group.Select(value => $"{Encode(group.Key)}={Encode(value)}"))
            )
        );

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "It is HMAC-SHA1.")]
    public static string Sign(string secret, string stringToSign) =>
        Convert.ToBase64String(
            HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret + "&"), Encoding.UTF8.GetBytes(stringToSign))
        );

    private static string Encode(string text) => Uri.EscapeDataString(text);
}
