using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>A request as the signature sees it.</summary>
/// <param name="Bucket">Null for a request on the account.</param>
/// <param name="ObjectKey">Empty for a request on the bucket itself.</param>
/// <param name="Query">Names and values, not encoded; a null value is a bare name.</param>
/// <param name="Headers">All headers that the request will carry, with any case; each name once.</param>
/// <param name="AdditionalHeaders">Headers to sign beyond those that always are.</param>
internal sealed record OssCanonicalInput(
    string Method,
    string? Bucket,
    string ObjectKey,
    IReadOnlyList<KeyValuePair<string, string?>> Query,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    IReadOnlyList<string> AdditionalHeaders
);

/// <summary>
/// Signature version 4 of OSS (help page "Include a V4 signature in the header"). It resembles AWS's and differs from
/// it: the resource holds the bucket whatever the URL style, the host is not signed unless listed as additional, the
/// payload is always UNSIGNED-PAYLOAD, the list of additional names takes the place of the list of signed names, and
/// the key chain starts from <c>aliyun_v4</c>.
/// </summary>
internal static class OssV4Signer
{
    public const string PayloadHeader = "x-oss-content-sha256";
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    private const string Algorithm = "OSS4-HMAC-SHA256";
    private const string KeyPrefix = "aliyun_v4";
    private const string Terminator = "aliyun_v4_request";

    /// <summary>The value of the header <c>x-oss-date</c>.</summary>
    public static string FormatDate(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The value of the <c>Authorization</c> header.</summary>
    /// <param name="date">As in the header <c>x-oss-date</c>, which <paramref name="input"/> must hold.</param>
    /// <param name="region">Without the prefix <c>oss-</c>.</param>
    /// <param name="product"><c>oss</c>; CloudBox has its own.</param>
    public static string Authorize(OssCanonicalInput input, AccessKey key, string date, string region, string product)
    {
        var scope = new SigningScope(KeyPrefix, date[..8], region, product, Terminator);
        var hash = Hex(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalRequest(input))));
        var toSign = $"{Algorithm}\n{date}\n{scope.Text}\n{hash}";
        var additional = AdditionalNames(input);
        return $"{Algorithm} Credential={key.Id}/{scope.Text}"
            + (additional.Count == 0 ? "" : $",AdditionalHeaders={string.Join(';', additional)}")
            + $",Signature={Hex(SigningKeyChain.Sign(key, scope, toSign))}";
    }

    internal static string CanonicalRequest(OssCanonicalInput input)
    {
        var bucket = input.Bucket is null ? "/" : $"/{Encode(input.Bucket)}/";
        var resource = bucket + string.Join('/', input.ObjectKey.Split('/').Select(Encode));
        var query = input
            .Query.Select(q => (Name: Encode(q.Key), Value: q.Value is { Length: > 0 } v ? "=" + Encode(v) : ""))
            .OrderBy(q => q.Name, StringComparer.Ordinal)
            .Select(q => q.Name + q.Value);
        var additional = AdditionalNames(input);
        var headers = input
            .Headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim()))
            .Where(h => IsAlwaysSigned(h.Name) || additional.Contains(h.Name, StringComparer.Ordinal))
            .OrderBy(h => h.Name, StringComparer.Ordinal);
        var request = new StringBuilder();
        request.Append(input.Method).Append('\n').Append(resource).Append('\n').AppendJoin('&', query).Append('\n');
        foreach (var (name, value) in headers)
            request.Append(name).Append(':').Append(value).Append('\n');
        return request.Append('\n').AppendJoin(';', additional).Append('\n').Append(UnsignedPayload).ToString();
    }

    /// <summary>
    /// Lower case, sorted; names that are signed anyway or not sent are dropped, as the vendor's SDKs do.
    /// </summary>
    private static IReadOnlyList<string> AdditionalNames(OssCanonicalInput input) =>
        input.AdditionalHeaders.Count == 0
            ? []
            :
            [
                .. input
                    .AdditionalHeaders.Select(n => n.ToLowerInvariant())
                    .Where(n =>
                        !IsAlwaysSigned(n)
                        && input.Headers.Any(h => h.Key.Equals(n, StringComparison.OrdinalIgnoreCase))
                    )
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal),
            ];

    private static bool IsAlwaysSigned(string lowerName) =>
        lowerName is "content-type" or "content-md5" || lowerName.StartsWith("x-oss-", StringComparison.Ordinal);

    /// <summary>RFC 3986: everything but <c>A-Z a-z 0-9 - . _ ~</c> is encoded, as upper-case hex of UTF-8.</summary>
    private static string Encode(string text) => Uri.EscapeDataString(text);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
