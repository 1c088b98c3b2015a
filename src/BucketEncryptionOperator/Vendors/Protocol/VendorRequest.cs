namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Parts of requests that all vendors share.</summary>
internal static class VendorRequest
{
    public const string Xml = "application/xml";

    /// <summary>A name in DNS has 253 characters, of which a bucket and a dot take up to 64.</summary>
    private const int LongestHost = 189;

    public static Uri Target(VendorAddress address, Resource resource)
    {
        var (scheme, host) = (address.Endpoint.Scheme, Host(address.Endpoint));
        var path = string.Join('/', resource.Path.Split('/').Select(Encode));
        var query = resource.Query.IsEmpty
            ? ""
            : "?"
                + string.Join('&', resource.Query.Select(q => q.Value is null ? Encode(q.Key) : Pair(q.Key, q.Value)));
        return (address.BucketName, address.Addressing) switch
        {
            ({ } bucket, Addressing.VirtualHost) => new Uri($"{scheme}://{bucket}.{host}/{query}"),
            ({ } bucket, Addressing.Path) => new Uri($"{scheme}://{host}/{bucket}/{query}"),
            _ => new Uri($"{scheme}://{host}/{path}{query}"),
        };

        static string Pair(string name, string value) => $"{Encode(name)}={Encode(value)}";

        static string Encode(string text) => Uri.EscapeDataString(text);
    }

    /// <summary>
    /// Returns why no request can be made for buckets of the endpoint, as words after the host; null where one can.
    /// </summary>
    public static string? ProblemOf(Uri endpoint)
    {
        if (endpoint.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return null;
        // Any other kind of host is only nearly a name, and makes no URI once a bucket stands before it.
        if (endpoint.HostNameType != UriHostNameType.Dns)
            return "is not a host name or an IP address";
        return endpoint.IdnHost.Length > LongestHost
            ? $"is too long: it has at most {LongestHost} characters, so that a bucket's name can stand before it"
            : null;
    }

    /// <summary>
    /// Returns the host as in the <c>Host</c> header: with the port unless it is the scheme's default, and with an
    /// international name in its DNS form.
    /// </summary>
    public static string Host(Uri uri)
    {
        var host = uri.HostNameType == UriHostNameType.Dns ? uri.IdnHost : uri.Host;
        return uri.IsDefaultPort ? host : $"{host}:{uri.Port}";
    }

    /// <param name="headers">
    /// All of them, <c>content-…</c> too; <c>host</c> and <c>content-length</c> come by themselves.
    /// </param>
    public static HttpRequestMessage Make(
        HttpMethod method,
        Uri target,
        IEnumerable<KeyValuePair<string, string>> headers,
        byte[]? body
    )
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
}
