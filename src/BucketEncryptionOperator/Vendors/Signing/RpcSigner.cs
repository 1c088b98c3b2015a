using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>
/// Alibaba Cloud's signature of its RPC style APIs, version 1.0: base64 of HMAC-SHA1 over the method, the path
/// <c>/</c>, and all parameters of query and form, by name.
/// </summary>
internal static class RpcSigner
{
    /// <summary>
    /// Returns the query of a call: its own parameters, those of the signature, and the signature. What is in the form
    /// is signed, and stays there.
    /// </summary>
    /// <param name="nonce">A text that no other request has.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Query(
        IEnumerable<KeyValuePair<string, string>> query,
        IReadOnlyList<KeyValuePair<string, string>> form,
        AccessKey key,
        DateTimeOffset now,
        string nonce
    )
    {
        List<KeyValuePair<string, string>> all =
        [
            .. query,
            new("AccessKeyId", key.Id),
            new("SignatureMethod", "HMAC-SHA1"),
            new("SignatureNonce", nonce),
            new("SignatureVersion", "1.0"),
            new("Timestamp", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
        ];
        all.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        if (key.SecurityToken is { } token)
            all.Add(new("SecurityToken", token));
        all.Add(new("Signature", Sign("POST", [.. all, .. form], key.Secret)));
        return all;
    }

    /// <param name="parameters">Those of query and form, not encoded.</param>
    [SuppressMessage(
        "Security",
        "CA5350:Do not use weak cryptographic algorithms",
        Justification = "It is what the vendor specifies; HMAC does not rest on SHA-1's resistance to collisions."
    )]
    internal static string Sign(string method, IEnumerable<KeyValuePair<string, string>> parameters, string secret)
    {
        var sorted = parameters
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}");
        var text = $"{method}&%2F&{Uri.EscapeDataString(string.Join('&', sorted))}";
        return Convert.ToBase64String(
            HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret + "&"), Encoding.UTF8.GetBytes(text))
        );
    }
}
