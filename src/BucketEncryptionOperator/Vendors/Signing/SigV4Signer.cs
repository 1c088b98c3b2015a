using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BucketEncryptionOperator.Credentials;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>A request as AWS's signature version 4 sees it.</summary>
/// <param name="Path">Not encoded.</param>
/// <param name="Query">Names and values, not encoded.</param>
/// <param name="Headers">
/// All that are signed, with any case: <c>host</c>, the date, the payload's hash, and whatever else.
/// </param>
/// <param name="PayloadHash">As in <see cref="SigV4Signer.PayloadHeader"/>.</param>
internal sealed record SigV4Input(
    string Method,
    string Path,
    IReadOnlyList<KeyValuePair<string, string>> Query,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    string PayloadHash
);

/// <summary>What differs between the services and vendors that have this signature.</summary>
/// <param name="Service">Name of the service in the scope.</param>
internal sealed record SigV4Scheme(string Service)
{
    public static SigV4Scheme S3 { get; } = new("s3");

    public string Algorithm { get; init; } = "AWS4-HMAC-SHA256";

    /// <summary>Before the secret, where the chain of keys begins.</summary>
    public string KeyPrefix { get; init; } = "AWS4";

    public string Terminator { get; init; } = "aws4_request";
}

/// <summary>
/// AWS's signature version 4 in the <c>Authorization</c> header, as S3 has it: the path is encoded once (other
/// services: twice, which is the same for the path <c>/</c>), and the payload's hash is a header too. AWS, MinIO, Ceph
/// and JD Cloud take it; JD Cloud's own signature has the same form.
/// </summary>
internal static class SigV4Signer
{
    public const string DateHeader = "x-amz-date";
    public const string PayloadHeader = "x-amz-content-sha256";
    public const string TokenHeader = "x-amz-security-token";

    /// <summary>The value of <see cref="DateHeader"/>.</summary>
    public static string FormatDate(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The value of <see cref="PayloadHeader"/>.</summary>
    public static string HashOf(byte[] payload) => Hex(SHA256.HashData(payload));

    /// <summary>The value of the <c>Authorization</c> header.</summary>
    /// <param name="date">As in <see cref="DateHeader"/>, which <paramref name="input"/> must hold.</param>
    public static string Authorize(SigV4Input input, AccessKey key, string date, string region, SigV4Scheme scheme)
    {
        var scope = new SigningScope(scheme.KeyPrefix, date[..8], region, scheme.Service, scheme.Terminator);
        var hash = Hex(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalRequest(input))));
        var toSign = $"{scheme.Algorithm}\n{date}\n{scope.Text}\n{hash}";
        var names = string.Join(';', Signed(input).Select(h => h.Name));
        return $"{scheme.Algorithm} Credential={key.Id}/{scope.Text}, SignedHeaders={names}, "
            + $"Signature={Hex(SigningKeyChain.Sign(key, scope, toSign))}";
    }

    internal static string CanonicalRequest(SigV4Input input)
    {
        var path = string.Join('/', input.Path.Split('/').Select(Uri.EscapeDataString));
        var query = input
            .Query.Select(q => (Name: Uri.EscapeDataString(q.Key), Value: Uri.EscapeDataString(q.Value)))
            .OrderBy(q => q.Name, StringComparer.Ordinal)
            .Select(q => $"{q.Name}={q.Value}");
        var headers = Signed(input);
        var text = new StringBuilder();
        text.Append(input.Method).Append('\n').Append(path).Append('\n').AppendJoin('&', query).Append('\n');
        foreach (var (name, value) in headers)
            text.Append(name).Append(':').Append(value).Append('\n');
        return text.Append('\n')
            .AppendJoin(';', headers.Select(h => h.Name))
            .Append('\n')
            .Append(input.PayloadHash)
            .ToString();
    }

    private static List<(string Name, string Value)> Signed(SigV4Input input) =>
        [
            .. input
                .Headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim()))
                .OrderBy(h => h.Name, StringComparer.Ordinal),
        ];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
