using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// OBS's two signatures that are alike: its own, and AWS's V2, which has other words.
/// <code>
/// string to sign = VERB \n Content-MD5 \n Content-Type \n date (empty when x-obs-date is sent) \n x-obs-* headers
/// ("name:value\n", sorted) resource resource       = [/bucket of a virtual host, or /custom domain] + path as sent
/// [?sub-resources sorted, values unescaped, no "=" without a value] signature      = base64(HMAC-SHA1(secret, string
/// to sign))
/// </code>
/// Path style signs what was sent: "/bucket?encryption" and "/bucket/?encryption" are two resources (SDKs send the
/// first; recorded). Source: OBS API reference "Authentication of signature in a header"; vectors of reqsign, made with
/// Huawei's own signature tool; recordings of esdk-obs-nodejs.
/// </summary>
internal static class ObsSignature
{
    private static readonly FrozenSet<string> SignedNames = FrozenSet.ToFrozenSet(
        [
            "CDNNotifyConfiguration",
            "acl",
            "append",
            "attname",
            "cors",
            "customdomain",
            "delete",
            "deletebucket",
            "encryption",
            "inventory",
            "length",
            "lifecycle",
            "location",
            "logging",
            "metadata",
            "mirrorBackToSource",
            "modify",
            "name",
            "notification",
            "object-lock",
            "partNumber",
            "policy",
            "position",
            "quota",
            "rename",
            "replication",
            "requestPayment",
            "response-cache-control",
            "response-content-disposition",
            "response-content-encoding",
            "response-content-language",
            "response-content-type",
            "response-expires",
            "restore",
            "retention",
            "storageClass",
            "storageinfo",
            "storagePolicy",
            "tagging",
            "torrent",
            "truncate",
            "uploadId",
            "uploads",
            "versionId",
            "versioning",
            "versions",
            "website",
            "x-image-process",
            "x-image-save-bucket",
            "x-image-save-object",
            "x-obs-security-token",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    public static string StringToSign(
        ObsWords words,
        string method,
        StoreAddress address,
        ImmutableSortedDictionary<string, string> headers
    )
    {
        StringBuilder text = new();
        text.Append(method).Append('\n');
        text.Append(headers.GetValueOrDefault("content-md5")).Append('\n');
        text.Append(headers.GetValueOrDefault("content-type")).Append('\n');
        text.Append(headers.ContainsKey(words.Date) ? "" : headers.GetValueOrDefault("date")).Append('\n');
        foreach (
            (string name, string value) in headers
                .Where(header => header.Key.StartsWith(words.HeaderPrefix, StringComparison.Ordinal))
                .OrderBy(header => header.Key, StringComparer.Ordinal)
        )
        {
            text.Append(name).Append(':').Append(value.Trim()).Append('\n');
        }

        text.Append(
            address.Style switch
            {
                AddressStyle.VirtualHost => $"/{address.Bucket}",
                AddressStyle.CustomDomain => $"/{address.HostName}",
                _ => "",
            }
        );
        text.Append(address.RawPath);
        string[] subResources =
        [
            .. address
                .Query.Where(pair =>
                    SignedNames.Contains(pair.Key)
                    || pair.Key.StartsWith(words.HeaderPrefix, StringComparison.OrdinalIgnoreCase)
                )
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => string.IsNullOrEmpty(pair.Value) ? pair.Key : $"{pair.Key}={pair.Value}"),
        ];
        return subResources.Length == 0 ? text.ToString() : text.Append('?').AppendJoin('&', subResources).ToString();
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5350", Justification = "OBS signs with HMAC-SHA1.")]
    public static string Sign(string secret, string stringToSign) =>
        Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(stringToSign)));
}

/// <summary>
/// The signature chooses the vocabulary: headers, the name of KMS, the request id. <c>OBS</c> is native, <c>AWS</c> is
/// AWS's V2.
/// </summary>
internal sealed record ObsWords(string Scheme, string HeaderPrefix, string Kms)
{
    public static readonly ObsWords Native = new("OBS", "x-obs-", "kms");

    public static readonly ObsWords Aws = new("AWS", "x-amz-", "aws:kms");

    public string Date => HeaderPrefix + "date";

    /// <summary>Requests without a readable signature are answered natively.</summary>
    public static ObsWords Of(StoreRequest request) =>
        request.Header("authorization")?.StartsWith("AWS ", StringComparison.Ordinal) == true ? Aws : Native;
}
