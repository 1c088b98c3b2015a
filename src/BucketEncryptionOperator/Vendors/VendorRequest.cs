using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors;

/// <summary>What every vendor's request is put together from.</summary>
internal static class VendorRequest
{
    public const string SubResource = "encryption";
    public const string Xml = "application/xml";

    public static Uri Target(BucketAddress address)
    {
        var (scheme, host) = (address.Endpoint.Scheme, Host(address.Endpoint));
        return address.Addressing switch
        {
            Addressing.VirtualHost => new Uri($"{scheme}://{address.Bucket}.{host}/?{SubResource}"),
            Addressing.Path => new Uri($"{scheme}://{host}/{address.Bucket}/?{SubResource}"),
            _ => new Uri($"{scheme}://{host}/?{SubResource}"),
        };
    }

    /// <summary>As in the <c>Host</c> header: a port only where it is not the scheme's own, a name in the letters of DNS.</summary>
    public static string Host(Uri uri)
    {
        var host = uri.HostNameType == UriHostNameType.Dns ? uri.IdnHost : uri.Host;
        return uri.IsDefaultPort ? host : $"{host}:{uri.Port}";
    }

    /// <param name="headers">All of them, <c>content-…</c> too; <c>host</c> and <c>content-length</c> come by themselves.</param>
    public static HttpRequestMessage Make(HttpMethod method, Uri target, IEnumerable<KeyValuePair<string, string>> headers, byte[]? body)
    {
        var request = new HttpRequestMessage(method, target);
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        foreach (var (name, value) in headers)
        {
            if (!name.StartsWith("content-", StringComparison.OrdinalIgnoreCase))
                request.Headers.TryAddWithoutValidation(name, value);
            else
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    [SuppressMessage("Security", "CA5351:Do not use broken cryptographic algorithms", Justification = "Content-MD5 is the vendors' integrity check, not a defence.")]
    public static string ContentMd5(byte[] body) => Convert.ToBase64String(MD5.HashData(body));
}
