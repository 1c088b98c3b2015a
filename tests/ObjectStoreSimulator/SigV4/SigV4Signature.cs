using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.SigV4;

/// <summary>
/// AWS Signature V4 as S3 takes it, from the server's side.
/// <code>
/// canonical request = method \n path, each segment percent-encoded once \n query sorted by encoded name, always
/// "name=value" \n                     signed headers ("name:value\n", sorted) \n their names joined by ";" \n payload
/// hash as x-amz-content-sha256 says it string to sign    = AWS4-HMAC-SHA256 \n time \n date/region/s3/aws4_request \n
/// hex sha256(canonical request) key               = HMAC chain from "AWS4" + secret over date, region, "s3",
/// "aws4_request"
/// </code>
/// Other services have no header with the payload's hash.
/// Source: AWS S3 API reference "Signature calculations for the Authorization header", and its four examples.
/// </summary>
internal static partial class SigV4Signature
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string Terminator = "aws4_request";
    public const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";

    public static string CanonicalRequest(
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signedHeaders
    ) => CanonicalRequest(request, address, signedHeaders, request.Header("x-amz-content-sha256"));

    public static string CanonicalRequest(
        StoreRequest request,
        StoreAddress address,
        ImmutableArray<string> signedHeaders,
        string? payloadHash
    )
    {
        StringBuilder text = new();
        text.Append(request.Method).Append('\n');
        text.AppendJoin('/', address.RawPath.Split('/').Select(segment => Encode(Uri.UnescapeDataString(segment))))
            .Append('\n');
        text.AppendJoin(
                '&',
                address
                    .Query.Select(pair => (Name: Encode(pair.Key), Value: Encode(pair.Value ?? "")))
                    .OrderBy(pair => pair.Name, StringComparer.Ordinal)
                    .ThenBy(pair => pair.Value, StringComparer.Ordinal)
                    .Select(pair => $"{pair.Name}={pair.Value}")
            )
            .Append('\n');
        foreach (string name in signedHeaders)
        {
            text.Append(name)
                .Append(':')
                .Append(Spaces().Replace((request.Header(name) ?? "").Trim(), " "))
                .Append('\n');
        }

        text.Append('\n').AppendJoin(';', signedHeaders).Append('\n');
        text.Append(payloadHash);
        return text.ToString();
    }

    public static string StringToSign(string time, SigV4Scope scope, string canonicalRequest) =>
        $"{Algorithm}\n{time}\n{scope}\n"
        + $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)))}";

    public static string Sign(string secret, SigV4Scope scope, string stringToSign)
    {
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (string step in (ReadOnlySpan<string>)[scope.Date, scope.Region, scope.Service, Terminator])
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

    /// <summary>Keeps <c>A-Z a-z 0-9 - . _ ~</c>, as RFC 3986 has it; so does this method of .NET.</summary>
    private static string Encode(string text) => Uri.EscapeDataString(text);

    [GeneratedRegex(" {2,}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Spaces();
}

/// <summary><c>{yyyyMMdd}/{region}/{service}/aws4_request</c></summary>
internal sealed record SigV4Scope(string Date, string Region, string Service)
{
    public override string ToString() => $"{Date}/{Region}/{Service}/{SigV4Signature.Terminator}";
}

/// <summary>What an Authorization header says, unverified.</summary>
internal sealed record SigV4Claim(
    string AccessKeyId,
    SigV4Scope Scope,
    ImmutableArray<string> SignedHeaders,
    string Signature
)
{
    /// <summary>
    /// <c>AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders=a;b, Signature={hex}</c>; null when it is not that.
    /// </summary>
    public static SigV4Claim? Parse(string? header)
    {
        if (header is null || !header.StartsWith(SigV4Signature.Algorithm + " ", StringComparison.Ordinal))
        {
            return null;
        }

        Dictionary<string, string> values = new(StringComparer.Ordinal);
        foreach (string part in header[SigV4Signature.Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !values.TryAdd(part[..equals], part[(equals + 1)..]))
            {
                return null;
            }
        }

        return
            values.TryGetValue("Signature", out string? signature)
            && values.TryGetValue("SignedHeaders", out string? names)
            && values.GetValueOrDefault("Credential", "").Split('/')
                is [
                    { Length: > 0 } id,
                    { Length: 8 } date,
                    { Length: > 0 } region,
                    { Length: > 0 } service,
                    SigV4Signature.Terminator,
                ]
            ? new SigV4Claim(id, new SigV4Scope(date, region, service), [.. names.Split(';')], signature)
            : null;
    }

    public override string ToString() => $"SigV4Claim {{ AccessKeyId = {AccessKeyId} }}";
}
