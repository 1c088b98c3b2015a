using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// The signature of Alibaba Cloud's RPC calls (help page "Request signature (V2)"): base64 of HMAC-SHA1 over the
/// method and all parameters, those of the query and those of the form together. The key is the secret and an
/// ampersand.
/// </summary>
internal static class RpcSigner
{
    /// <returns>The value of the parameter <c>Signature</c>.</returns>
    /// <param name="parameters">All others, not encoded; each name once.</param>
    [SuppressMessage(
        "Security",
        "CA5350:Do not use weak cryptographic algorithms",
        Justification = "It is what the vendor specifies; HMAC does not rest on SHA-1's resistance to collisions."
    )]
    public static string Sign(HttpMethod method, IEnumerable<KeyValuePair<string, string>> parameters, AccessKey key) =>
        Convert.ToBase64String(
            HMACSHA1.HashData(
                Encoding.UTF8.GetBytes(key.Secret + "&"),
                Encoding.UTF8.GetBytes(StringToSign(method, parameters))
            )
        );

    internal static string StringToSign(HttpMethod method, IEnumerable<KeyValuePair<string, string>> parameters) =>
        $"{method.Method}&{Encode("/")}&{Encode(Form(parameters.OrderBy(p => p.Key, StringComparer.Ordinal)))}";

    /// <summary>Returns the pairs as a query or a form, encoded after RFC 3986.</summary>
    public static string Form(IEnumerable<KeyValuePair<string, string>> pairs) =>
        string.Join('&', pairs.Select(p => $"{Encode(p.Key)}={Encode(p.Value)}"));

    private static string Encode(string text) => Uri.EscapeDataString(text);
}
