using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Identity;

/// <summary>
/// Tokens of a cluster's service accounts, as a token service checks them: signed by the cluster, for the service, in
/// time, and of the account that the role trusts.
/// </summary>
internal static class WebTokens
{
    /// <returns>Why the token is refused; null: it may be traded for the role.</returns>
    /// <param name="refused">The service's refusal of a token.</param>
    /// <param name="denied">Its refusal of a good token for this role.</param>
    public static StoreError? Check(
        World world,
        string token,
        string role,
        string audience,
        StoreError refused,
        StoreError denied
    )
    {
        IdentityValues known = world.Identities.Values;
        if (token == known.OidcToken)
        {
            return role == known.RoleArn ? null : denied;
        }

        if (known.TokenKey is not { } key || Claims(token, key) is not { } claims)
        {
            return refused;
        }

        string[] audiences = claims["aud"] is JsonArray all
            ? [.. all.Select(a => (string)a!)]
            : [(string?)claims["aud"] ?? ""];
        bool inTime = (long?)claims["exp"] > world.Clock.UtcNow.ToUnixTimeSeconds();
        return !inTime || !audiences.Contains(audience, StringComparer.Ordinal) ? refused
            : known.Roles.Any(r => r.Arn == role && r.Subject is not null && r.Subject == (string?)claims["sub"]) ? null
            : denied;
    }

    private static JsonNode? Claims(string token, string key)
    {
        string[] parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }

        using ECDsa signer = ECDsa.Create();
        signer.ImportFromPem(key);
        bool good = signer.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
            Base64Url.DecodeFromChars(parts[2]),
            HashAlgorithmName.SHA256
        );
        return good ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[1])) : null;
    }
}
