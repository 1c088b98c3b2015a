using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// OSS V1, from the server's side.
/// <code>
/// string to sign = VERB \n Content-MD5 \n Content-Type \n date \n x-oss-* headers ("name:value\n", sorted)
/// /bucket/key[?sub-resources sorted] signature      = base64(HMAC-SHA1(secret, string to sign))
/// </code>
/// Nothing in the resource is escaped, and a sub-resource without a value has no "=". Where x-oss-date is sent it takes
/// the date's line, too. Source: OSS help page "Include signatures in the Authorization header", vectors of the Go v2
/// and C# SDKs and of that page.
/// </summary>
internal static class OssSignatureV1
{
    /// <summary>
    /// The newest SDKs' list, and the sub-resources that they declare per operation and that this simulator or the
    /// vectors use.
    /// </summary>
    private static readonly FrozenSet<string> SignedNames = FrozenSet.ToFrozenSet(
        [
            "acl",
            "append",
            "bucketInfo",
            "callback",
            "callback-var",
            "cloudboxes",
            "continuation-token",
            "delete",
            "location",
            "objectMeta",
            "partNumber",
            "position",
            "regionList",
            "response-cache-control",
            "response-content-disposition",
            "response-content-encoding",
            "response-content-language",
            "response-content-type",
            "response-expires",
            "restore",
            "security-token",
            "sequential",
            "stat",
            "symlink",
            "tagging",
            "uploadId",
            "uploads",
            "versionId",
            "versioning",
            "versions",
            "encryption",
            "resourceGroup",
        ],
        StringComparer.Ordinal
    );

    public static string StringToSign(
        string method,
        StoreAddress address,
        ImmutableSortedDictionary<string, string> headers
    )
    {
        StringBuilder text = new();
        text.Append(method).Append('\n');
        text.Append(headers.GetValueOrDefault("content-md5")).Append('\n');
        text.Append(headers.GetValueOrDefault("content-type")).Append('\n');
        text.Append(Date(headers)).Append('\n');
        foreach (
            (string name, string value) in headers
                .Where(header => header.Key.StartsWith("x-oss-", StringComparison.Ordinal))
                .OrderBy(header => header.Key, StringComparer.Ordinal)
        )
        {
            text.Append(name).Append(':').Append(value.Trim()).Append('\n');
        }

        text.Append(address.Bucket is null ? "/" : $"/{address.Bucket}/{address.Key}");
        string[] subResources =
        [
            .. address
                .Query.Where(pair =>
                    SignedNames.Contains(pair.Key) || pair.Key.StartsWith("x-oss-", StringComparison.Ordinal)
                )
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => string.IsNullOrEmpty(pair.Value) ? pair.Key : $"{pair.Key}={pair.Value}"),
        ];
        return subResources.Length == 0 ? text.ToString() : text.Append('?').AppendJoin('&', subResources).ToString();
    }

    public static string? Date(ImmutableSortedDictionary<string, string> headers) =>
        headers.GetValueOrDefault("x-oss-date") ?? headers.GetValueOrDefault("date");

    public static DateTimeOffset? ParseTime(string text) =>
        DateTimeOffset.TryParseExact(
            text,
            "r",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out DateTimeOffset time
        )
            ? time
            : null;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "OSS V1 is HMAC-SHA1.")]
    public static string Sign(string secret, string stringToSign) =>
        Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(stringToSign)));
}
