using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;

namespace ObjectStoreSimulator.Alibaba;

internal enum OssHostStyle
{
    /// <summary>The bucket is the host's first label.</summary>
    VirtualHost,

    /// <summary>The bucket is the path's first segment. Allowed on IP addresses and private names only.</summary>
    Path,

    /// <summary>Path style on one of OSS's public names, which OSS refuses.</summary>
    ForbiddenPath,
}

/// <summary>
/// Where a request goes: bucket, region and sub-resource, out of Host and raw target. Styles, in the order in which they are tried:
/// <list type="bullet">
/// <item><c>{bucket}.oss-{region}[-internal].…</c> (public, internal, private domains; <c>oss-accelerate[-overseas]</c> names no region)</item>
/// <item><c>{bucket}.{region}.oss.…</c> (dual stack)</item>
/// <item><c>{bucket}.cb-{id}.{region}.oss-cloudbox[-control].…</c> (CloudBox; which of the two takes bucket calls is UNCONFIRMED: both do here)</item>
/// <item><c>{bucket}.{region}.aliyuncs.com</c>: no such name exists, but ali-oss 6.23 with an IP endpoint and a region without <c>oss-</c> sends it (recorded)</item>
/// <item>the same names without a bucket: path style on a public name</item>
/// <item>anything else, an IP address above all: path style</item>
/// </list>
/// Source: OSS Go SDK v2 (endpoint rules), recordings of ali-oss 6.23.
/// </summary>
internal sealed partial record OssAddress(
    OssHostStyle Style,
    string HostName,
    string? Bucket,
    string Key,
    string? Region,
    string? CloudBoxId,
    ImmutableArray<KeyValuePair<string, string?>> Query)
{
    public bool Asks(string subResource) => Query.Any(pair => pair.Key == subResource);

    /// <param name="host">The Host header, with or without a port.</param>
    /// <param name="rawTarget">Origin form (<c>/path?query</c>) or, from clients that use a proxy, absolute form.</param>
    public static OssAddress Parse(string host, string rawTarget)
    {
        (string authority, string pathAndQuery) = Split(host, rawTarget);
        int mark = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        string path = mark < 0 ? pathAndQuery : pathAndQuery[..mark];
        ImmutableArray<KeyValuePair<string, string?>> query = mark < 0 ? [] : ParseQuery(pathAndQuery[(mark + 1)..]);
        string name = WithoutPort(authority).ToLowerInvariant();
        string key = Uri.UnescapeDataString(path.StartsWith('/') ? path[1..] : path);

        if (IPAddress.TryParse(name.Trim('[', ']'), out _))
        {
            return PathStyle(OssHostStyle.Path, name, key, region: null, query);
        }

        foreach (Regex virtualHost in (ReadOnlySpan<Regex>)[CloudBoxHost(), RegionHost(), DualStackHost(), RegionAsDomainHost()])
        {
            if (virtualHost.Match(name) is { Success: true } match)
            {
                string? cloudBox = match.Groups["cb"] is { Success: true, Value: var id } ? id : null;
                return new OssAddress(OssHostStyle.VirtualHost, name, match.Groups["bucket"].Value, key, RegionOf(match), cloudBox, query);
            }
        }

        return ServiceHost().Match(name) is { Success: true } service
            ? PathStyle(OssHostStyle.ForbiddenPath, name, key, RegionOf(service), query)
            : PathStyle(OssHostStyle.Path, name, key, region: null, query);
    }

    private static OssAddress PathStyle(OssHostStyle style, string name, string key, string? region, ImmutableArray<KeyValuePair<string, string?>> query)
    {
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        string bucket = slash < 0 ? key : key[..slash];
        return new OssAddress(style, name, bucket.Length == 0 ? null : bucket, slash < 0 ? "" : key[(slash + 1)..], region, CloudBoxId: null, query);
    }

    private static (string Authority, string PathAndQuery) Split(string host, string rawTarget)
    {
        int scheme = rawTarget.IndexOf("://", StringComparison.Ordinal);
        if (rawTarget.StartsWith('/') || scheme < 0)
        {
            return (host, rawTarget);
        }

        string rest = rawTarget[(scheme + 3)..];
        int end = rest.IndexOfAny(['/', '?']);
        return end < 0 ? (rest, "/") : (rest[..end], rest[end] == '?' ? "/" + rest[end..] : rest[end..]);
    }

    private static ImmutableArray<KeyValuePair<string, string?>> ParseQuery(string raw)
    {
        ImmutableArray<KeyValuePair<string, string?>>.Builder pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string?>>();
        foreach (string part in raw.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            pairs.Add(equals < 0
                ? new(Uri.UnescapeDataString(part), null)
                : new(Uri.UnescapeDataString(part[..equals]), Uri.UnescapeDataString(part[(equals + 1)..])));
        }

        return pairs.ToImmutable();
    }

    private static string WithoutPort(string authority)
    {
        int colon = authority.LastIndexOf(':');
        return colon < 0 || authority.EndsWith(']') ? authority : authority[..colon];
    }

    private static string? RegionOf(Match match)
    {
        string region = match.Groups["region"].Value;
        return region is "" or "accelerate" or "accelerate-overseas" ? null : region;
    }

    [GeneratedRegex(@"^(?<bucket>[^.]+)\.(?<cb>cb-[a-z0-9]+)\.(?<region>[a-z0-9-]+)\.oss-cloudbox(-control)?\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CloudBoxHost();

    [GeneratedRegex(@"^(?<bucket>[^.]+)\.oss-(?<region>[a-z0-9-]+?)(-internal)?\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RegionHost();

    [GeneratedRegex(@"^(?<bucket>[^.]+)\.(?<region>[a-z0-9-]+)\.oss\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DualStackHost();

    [GeneratedRegex(@"^(?<bucket>[^.]+)\.(?!oss\.)(?<region>[a-z0-9-]+)\.aliyuncs\.com$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RegionAsDomainHost();

    [GeneratedRegex(@"^(oss-(?<region>[a-z0-9-]+?)(-internal)?|(?<region>[a-z0-9-]+)\.oss|cb-[a-z0-9]+\.[a-z0-9-]+\.oss-cloudbox(-control)?)\.aliyuncs\.com$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ServiceHost();
}
