using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text.Json;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// The audience that a token service wants in a token: one each, so that a token that one service has seen is good at
/// no other. None of them may be the API server's: such a token would be the account's login to the cluster, in the
/// hands of a token service.
/// </summary>
/// <param name="ownToken">
/// The token with which the operator is known to the API server: whom it is for, the API server is. Null, or no token
/// with claims: the usual names alone are known.
/// </param>
internal sealed class TokenAudiences(IReadOnlyDictionary<TokenProtocol, string> audiences, Func<string?> ownToken)
{
    /// <summary>What API servers are called, in clusters that are set up in the usual ways.</summary>
    private static readonly ImmutableArray<string> UsualOfApiServers =
    [
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local",
        "https://kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.svc.default",
        "kubernetes",
        "k3s",
        "api",
    ];

    /// <exception cref="KeyNotFoundException">There is none for the protocol.</exception>
    public string For(TokenProtocol protocol) => audiences[protocol];

    /// <summary>Whether the API server takes tokens that are for the audience.</summary>
    public bool IsOfApiServer(string audience) => IsOfApiServer(audience, ownToken());

    /// <inheritdoc cref="IsOfApiServer(string)"/>
    public static bool IsOfApiServer(string audience, string? ownToken)
    {
        var known = UsualOfApiServers.Concat(ownToken is null ? [] : Claim(ownToken, "aud").Concat(Issuer(ownToken)));
        return known.Any(k => string.Equals(k.TrimEnd('/'), audience.TrimEnd('/'), StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether the audience is the name of the token's issuer.</summary>
    public static bool IsForIssuer(string token, string audience) =>
        Issuer(token).Contains(audience, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether the token says that it is for the audience, and for nobody else. One that says nothing may be good
    /// anywhere.
    /// </summary>
    public static bool IsOnlyFor(string token, string audience) =>
        Claim(token, "aud") is [var only] && only == audience;

    private static ImmutableArray<string> Issuer(string token) => Claim(token, "iss");

    /// <summary>The texts of a claim, which is one or a list; none where the token has no claims to be read.</summary>
    private static ImmutableArray<string> Claim(string token, string name)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
            return [];
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            if (claims.RootElement.ValueKind != JsonValueKind.Object)
                return [];
            return claims.RootElement.TryGetProperty(name, out var value) ? Texts(value) : [];
        }
        // An InvalidOperationException is half of a surrogate pair
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    private static ImmutableArray<string> Texts(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString() ?? ""],
            JsonValueKind.Array =>
            [
                .. value
                    .EnumerateArray()
                    .Where(v => v.ValueKind == JsonValueKind.String)
                    .Select(v => v.GetString() ?? ""),
            ],
            _ => [],
        };
}
