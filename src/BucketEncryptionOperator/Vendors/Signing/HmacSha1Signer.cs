using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>What differs between the vendors that have this signature.</summary>
/// <param name="Word">Before the access key in the <c>Authorization</c> header.</param>
/// <param name="Prefix">Of the vendor's own headers, which are all signed.</param>
/// <param name="SubResources">The query parameters that are signed.</param>
internal sealed record HmacSha1Scheme(string Word, string Prefix, params IReadOnlyList<string> SubResources);

/// <summary>A request as this signature sees it.</summary>
/// <param name="Date">The line of the date, which a vendor may leave empty when its own date header is sent.</param>
/// <param name="Resource"><c>/</c>, <c>/bucket/</c> or <c>/bucket/object</c>, whatever the URL style.</param>
/// <param name="Query">Names and values, not encoded; a null or empty value is a bare name.</param>
/// <param name="Headers">All headers of the request, with any case; each name once.</param>
internal sealed record HmacSha1Input(
    string Method,
    string Date,
    string Resource,
    IReadOnlyList<KeyValuePair<string, string?>> Query,
    IReadOnlyList<KeyValuePair<string, string>> Headers
);

/// <summary>
/// The signature of the first S3, which lives on as version 1 of Alibaba Cloud OSS and as the native one of Huawei OBS:
/// base64 of HMAC-SHA1 over method, Content-MD5, Content-Type, date, the vendor's own headers and the resource.
/// </summary>
internal static class HmacSha1Signer
{
    /// <summary>As in the header <c>Date</c>.</summary>
    public static string FormatDate(DateTimeOffset time) =>
        time.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The value of the <c>Authorization</c> header.</summary>
    [SuppressMessage(
        "Security",
        "CA5350:Do not use weak cryptographic algorithms",
        Justification = "It is what the vendors specify; HMAC does not rest on SHA-1's resistance to collisions."
    )]
    public static string Authorize(HmacSha1Scheme scheme, HmacSha1Input input, AccessKey key)
    {
        var signature = HMACSHA1.HashData(
            Encoding.UTF8.GetBytes(key.Secret),
            Encoding.UTF8.GetBytes(StringToSign(scheme, input))
        );
        return $"{scheme.Word} {key.Id}:{Convert.ToBase64String(signature)}";
    }

    /// <summary>The resource of a request that is about no object.</summary>
    public static string ResourceOf(VendorAddress address) => address.BucketName is { } name ? $"/{name}/" : "/";

    internal static string StringToSign(HmacSha1Scheme scheme, HmacSha1Input input)
    {
        var headers = input
            .Headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim()))
            .OrderBy(h => h.Name, StringComparer.Ordinal)
            .ToList();
        var text = new StringBuilder();
        text.Append(input.Method)
            .Append('\n')
            .Append(Value("content-md5"))
            .Append('\n')
            .Append(Value("content-type"))
            .Append('\n')
            .Append(input.Date)
            .Append('\n');
        foreach (var (name, value) in headers.Where(h => h.Name.StartsWith(scheme.Prefix, StringComparison.Ordinal)))
            text.Append(name).Append(':').Append(value).Append('\n');
        var query = input
            .Query.Where(q => scheme.SubResources.Contains(q.Key, StringComparer.Ordinal))
            .OrderBy(q => q.Key, StringComparer.Ordinal)
            .Select(q => q.Value is { Length: > 0 } value ? $"{q.Key}={value}" : q.Key)
            .ToList();
        return text.Append(input.Resource).Append(query.Count == 0 ? "" : "?").AppendJoin('&', query).ToString();

        string? Value(string name) => headers.Find(h => h.Name == name).Value;
    }
}
