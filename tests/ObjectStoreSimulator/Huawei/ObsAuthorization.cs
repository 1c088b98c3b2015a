using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// Decides who sent a request, and whether it may be believed. The order of the checks is this simulator's own; OBS
/// documents none.
/// </summary>
internal static class ObsAuthorization
{
    /// <summary>Source: OBS API reference, RequestTimeTooSkewed.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    public static string? ClaimedKeyId(StoreRequest request) => Parse(request)?.AccessKeyId;

    public static (Account? Account, StoreError? Refusal) Check(StoreCall call, World world)
    {
        StoreRequest request = call.Request;
        if (string.IsNullOrEmpty(request.Header("authorization")))
        {
            return (null, ObsErrors.Denied);
        }

        if (Parse(request) is not var (accessKeyId, signature))
        {
            return (null, ObsErrors.UnsupportedAuthorization);
        }

        ObsWords words = ObsWords.Of(request);
        if (
            !DateTimeOffset.TryParseExact(
                request.Header(words.Date) ?? request.Header("date"),
                "r",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out DateTimeOffset time
            )
        )
        {
            return (null, ObsErrors.BadDate);
        }

        if (world.Accounts.Find(accessKeyId) is not { Enabled: true } account)
        {
            return (null, ObsErrors.InvalidAccessKeyId(accessKeyId));
        }

        StoreError? refusal =
            CheckTime(time, world)
            ?? CheckToken(request.Header(words.HeaderPrefix + "security-token"), accessKeyId, account, world)
            ?? CheckSignature(call, words, accessKeyId, signature, account);
        return refusal is null ? (account, null) : (null, refusal);
    }

    /// <summary><c>OBS {id}:{base64}</c> or <c>AWS {id}:{base64}</c>.</summary>
    private static (string AccessKeyId, string Signature)? Parse(StoreRequest request) =>
        request.Header("authorization")?.Split(' ') is ["OBS" or "AWS", var claim]
        && claim.Split(':') is [{ Length: > 0 } id, { Length: > 0 } signature]
            ? (id, signature)
            : null;

    private static StoreError? CheckTime(DateTimeOffset time, World world)
    {
        DateTimeOffset now = world.Clock.UtcNow;
        return (now - time).Duration() > MaxSkew ? ObsErrors.TimeTooSkewed : null;
    }

    private static StoreError? CheckToken(string? token, string accessKeyId, Account account, World world) =>
        (token, account.SecurityToken) switch
        {
            (null, null) => null,
            (null, _) => ObsErrors.InvalidAccessKeyId(accessKeyId),
            var (sent, right) when sent != right => ObsErrors.InvalidSecurityToken,
            _ => account.TokenExpiresAt <= world.Clock.UtcNow ? ObsErrors.ExpiredToken : null,
        };

    private static StoreError? CheckSignature(
        StoreCall call,
        ObsWords words,
        string accessKeyId,
        string signature,
        Account account
    )
    {
        string stringToSign = ObsSignature.StringToSign(words, call.Request.Method, call.Address, call.Request.Headers);
        string right = ObsSignature.Sign(account.Secret, stringToSign);
        bool same = CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(right),
            Encoding.UTF8.GetBytes(signature)
        );
        return same ? null : ObsErrors.SignatureDoesNotMatch(accessKeyId, signature, stringToSign);
    }
}
