using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>A request as the signature sees it.</summary>
/// <param name="Path">Not encoded.</param>
/// <param name="Query">Names and values, not encoded.</param>
/// <param name="Headers">All that are signed, with any case; the date is among them.</param>
internal sealed record SdkSignerInput(
    string Method,
    string Path,
    IReadOnlyList<KeyValuePair<string, string>> Query,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    byte[] Body
);

/// <summary>
/// The signature of Huawei Cloud's services beside OBS (API signing guide, <c>SDK-HMAC-SHA256</c>). It resembles AWS's
/// version 4 and differs from it: the path always ends in a slash, there is no scope, and the secret itself is the key.
/// </summary>
internal static class SdkSigner
{
    public const string DateHeader = "X-Sdk-Date";
    public const string TokenHeader = "X-Security-Token";
    private const string Algorithm = "SDK-HMAC-SHA256";

    /// <summary>The value of <see cref="DateHeader"/>.</summary>
    public static string FormatDate(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The value of the <c>Authorization</c> header.</summary>
    /// <param name="date">As in <see cref="DateHeader"/>.</param>
    public static string Authorize(SdkSignerInput input, AccessKey key, string date)
    {
        var toSign = $"{Algorithm}\n{date}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalRequest(input))))}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.Secret), Encoding.UTF8.GetBytes(toSign));
        var names = string.Join(';', Signed(input).Select(h => h.Name));
        return $"{Algorithm} Access={key.Id}, SignedHeaders={names}, Signature={Hex(signature)}";
    }

    internal static string CanonicalRequest(SdkSignerInput input)
    {
        var path = string.Join('/', input.Path.Split('/').Select(Uri.EscapeDataString));
        var query = input
            .Query.Select(q => (Name: Uri.EscapeDataString(q.Key), Value: Uri.EscapeDataString(q.Value)))
            .OrderBy(q => q.Name, StringComparer.Ordinal)
            .Select(q => $"{q.Name}={q.Value}");
        var headers = Signed(input);
        var text = new StringBuilder()
            .Append(input.Method)
            .Append('\n')
            .Append(path.EndsWith('/') ? path : path + "/")
            .Append('\n')
            .AppendJoin('&', query)
            .Append('\n');
        foreach (var (name, value) in headers)
            text.Append(name).Append(':').Append(value).Append('\n');
        return text.Append('\n')
            .AppendJoin(';', headers.Select(h => h.Name))
            .Append('\n')
            .Append(Hex(SHA256.HashData(input.Body)))
            .ToString();
    }

    private static List<(string Name, string Value)> Signed(SdkSignerInput input) =>
        [
            .. input
                .Headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim()))
                .OrderBy(h => h.Name, StringComparer.Ordinal),
        ];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
