using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// OSS V4, from the server's side: rebuilds what a client must have signed out of the request that came.
/// <code>
/// canonical request = method \n /bucket/key percent-encoded \n query sorted by encoded name \n headers \n additional
/// names \n payload headers           = content-type, content-md5, every x-oss-*, the additional ones: "name:value\n"
/// each, sorted (so a blank line follows) string to sign    = OSS4-HMAC-SHA256 \n time \n
/// date/region/product/aliyun_v4_request \n hex sha256(canonical request) key               = HMAC chain from
/// "aliyun_v4" + secret over date, region, product, "aliyun_v4_request"
/// </code>
/// The bucket is in the path even when the request has it in the host; host is signed only as an additional header.
/// Source: OSS help page "Include a V4 signature in the Authorization header", vectors of the Go v2 and C# SDKs.
/// </summary>
internal static class OssSignatureV4
{
    public const string Algorithm = "OSS4-HMAC-SHA256";
    public const string Terminator = "aliyun_v4_request";
    public const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";

    public static string CanonicalRequest(
        string method,
        StoreAddress address,
        ImmutableSortedDictionary<string, string> headers,
        IEnumerable<string> additionalNames
    )
    {
        string[] additional =
        [
            .. additionalNames
                .Select(name => name.ToLowerInvariant())
                .Where(name => !IsSignedAnyway(name) && headers.ContainsKey(name))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
        StringBuilder text = new();
        text.Append(method).Append('\n');
        text.Append(EncodedPath(address)).Append('\n');
        text.AppendJoin(
                '&',
                address
                    .Query.Select(pair => (Name: Encode(pair.Key), Value: Encode(pair.Value ?? "")))
                    .OrderBy(pair => pair.Name, StringComparer.Ordinal)
                    .ThenBy(pair => pair.Value, StringComparer.Ordinal)
                    .Select(pair => pair.Value.Length == 0 ? pair.Name : $"{pair.Name}={pair.Value}")
            )
            .Append('\n');
        foreach (
            string name in headers
                .Keys.Where(name => IsSignedAnyway(name) || additional.Contains(name))
                .Order(StringComparer.Ordinal)
        )
        {
            text.Append(name).Append(':').Append(headers[name].Trim()).Append('\n');
        }

        text.Append('\n').AppendJoin(';', additional).Append('\n');
        text.Append(headers.GetValueOrDefault("x-oss-content-sha256", UnsignedPayload));
        return text.ToString();
    }

    public static string StringToSign(string time, OssScope scope, string canonicalRequest) =>
        $"{Algorithm}\n{time}\n{scope}\n"
        + $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)))}";

    public static string Sign(string secret, OssScope scope, string stringToSign)
    {
        byte[] key = Encoding.UTF8.GetBytes("aliyun_v4" + secret);
        foreach (string step in (ReadOnlySpan<string>)[scope.Date, scope.Region, scope.Product, Terminator])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(stringToSign)));
    }

    public static DateTimeOffset? ParseTime(string text) =>
        DateTimeOffset.TryParseExact(
            text,
            TimeFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out DateTimeOffset time
        )
            ? time
            : null;

    private static bool IsSignedAnyway(string name) =>
        name is "content-type" or "content-md5" || name.StartsWith("x-oss-", StringComparison.Ordinal);

    private static string EncodedPath(StoreAddress address) =>
        address.Bucket is null
            ? "/"
            : $"/{Encode(address.Bucket)}/{Encode(address.Key).Replace("%2F", "/", StringComparison.Ordinal)}";

    /// <summary>Keeps <c>A-Z a-z 0-9 - . _ ~</c>, as RFC 3986 has it; so does this method of .NET.</summary>
    private static string Encode(string text) => Uri.EscapeDataString(text);
}

/// <summary>
/// <c>{yyyyMMdd}/{region}/{product}/aliyun_v4_request</c>; on a CloudBox the product is oss-cloudbox and the region is
/// the CloudBox's id.
/// </summary>
internal sealed record OssScope(string Date, string Region, string Product)
{
    public override string ToString() => $"{Date}/{Region}/{Product}/{OssSignatureV4.Terminator}";
}
