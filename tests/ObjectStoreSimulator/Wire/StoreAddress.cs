using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;

namespace ObjectStoreSimulator.Wire;

internal enum AddressStyle
{
    /// <summary>The bucket is in the host.</summary>
    VirtualHost,

    /// <summary>The bucket is the path's first segment.</summary>
    Path,

    /// <summary>Path style on a public name of a vendor that refuses it.</summary>
    ForbiddenPath,

    /// <summary>
    /// The bucket's owner bound a domain of their own to it (CNAME); the bucket is in neither host nor path.
    /// </summary>
    CustomDomain,
}

/// <summary>How one vendor's host names are read. Groups: <c>bucket</c>, <c>region</c>, <c>cb</c> (CloudBox).</summary>
/// <param name="VirtualHosts">Tried in this order.</param>
/// <param name="ServiceHost">The vendor's public names without a bucket.</param>
/// <param name="PathsOnServiceHost">False: path style there is <see cref="AddressStyle.ForbiddenPath"/>.</param>
/// <param name="NoRegions">What stands in the region's place and is none.</param>
internal sealed record HostRules(
    ImmutableArray<Regex> VirtualHosts,
    Regex ServiceHost,
    bool PathsOnServiceHost,
    params ImmutableArray<string> NoRegions
);

/// <summary>
/// Where a request goes, out of Host and raw target: virtual host, else service host, else a custom domain, else path
/// style (an IP address always).
/// </summary>
/// <param name="RawPath">As it was sent, escapes and all.</param>
/// <param name="Key">What follows the bucket, unescaped.</param>
internal sealed record StoreAddress(
    AddressStyle Style,
    string HostName,
    string RawPath,
    string? Bucket,
    string Key,
    string? Region,
    string? CloudBoxId,
    ImmutableArray<KeyValuePair<string, string?>> Query
)
{
    /// <summary>The first value of a query parameter; null when it has none.</summary>
    public string? Value(string parameter) =>
        Query.FirstOrDefault(pair => pair.Key == parameter && !string.IsNullOrEmpty(pair.Value)).Value;

    public bool Asks(string subResource) => Query.Any(pair => pair.Key == subResource);

    /// <param name="rules">The vendor's.</param>
    /// <param name="host">The Host header, with or without a port.</param>
    /// <param name="rawTarget">
    /// Origin form (<c>/path?query</c>) or, from clients that use a proxy, absolute form.
    /// </param>
    /// <param name="bucketOfDomain">
    /// The bucket that a custom domain is bound to. Null: there are no custom domains.
    /// </param>
    public static StoreAddress Parse(
        HostRules rules,
        string host,
        string rawTarget,
        Func<string, string?>? bucketOfDomain = null
    )
    {
        (string authority, string pathAndQuery) = Split(host, rawTarget);
        int mark = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        string path = mark < 0 ? pathAndQuery : pathAndQuery[..mark];
        string name = WithoutPort(authority).ToLowerInvariant();
        string key = Uri.UnescapeDataString(path.StartsWith('/') ? path[1..] : path);
        StoreAddress address = new(
            AddressStyle.VirtualHost,
            name,
            path,
            Bucket: null,
            key,
            Region: null,
            CloudBoxId: null,
            mark < 0 ? [] : ParseQuery(pathAndQuery[(mark + 1)..])
        );

        if (IPAddress.TryParse(name.Trim('[', ']'), out _))
        {
            return address.AsPath(AddressStyle.Path, region: null);
        }

        foreach (Regex virtualHost in rules.VirtualHosts)
        {
            if (virtualHost.Match(name) is { Success: true } match)
            {
                string? cloudBox = match.Groups["cb"] is { Success: true, Value: var id } ? id : null;
                return address with
                {
                    Bucket = match.Groups["bucket"].Value,
                    Region = RegionOf(match, rules),
                    CloudBoxId = cloudBox,
                };
            }
        }

        if (rules.ServiceHost.Match(name) is { Success: true } service)
        {
            return address.AsPath(
                rules.PathsOnServiceHost ? AddressStyle.Path : AddressStyle.ForbiddenPath,
                RegionOf(service, rules)
            ) with
            {
                CloudBoxId = service.Groups["cb"] is { Success: true, Value: var cloudBox } ? cloudBox : null,
            };
        }

        return bucketOfDomain?.Invoke(name) is { } bucket
            ? address with
            {
                Style = AddressStyle.CustomDomain,
                Bucket = bucket,
            }
            : address.AsPath(AddressStyle.Path, region: null);
    }

    private StoreAddress AsPath(AddressStyle style, string? region)
    {
        int slash = Key.IndexOf('/', StringComparison.Ordinal);
        string bucket = slash < 0 ? Key : Key[..slash];
        return this with
        {
            Style = style,
            Region = region,
            Bucket = bucket.Length == 0 ? null : bucket,
            Key = slash < 0 ? "" : Key[(slash + 1)..],
        };
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
        ImmutableArray<KeyValuePair<string, string?>>.Builder pairs = ImmutableArray.CreateBuilder<
            KeyValuePair<string, string?>
        >();
        foreach (string part in raw.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            pairs.Add(
                equals < 0
                    ? new(Uri.UnescapeDataString(part), null)
                    : new(Uri.UnescapeDataString(part[..equals]), Uri.UnescapeDataString(part[(equals + 1)..]))
            );
        }

        return pairs.ToImmutable();
    }

    private static string WithoutPort(string authority)
    {
        int colon = authority.LastIndexOf(':');
        return colon < 0 || authority.EndsWith(']') ? authority : authority[..colon];
    }

    private static string? RegionOf(Match match, HostRules rules)
    {
        string region = match.Groups["region"].Value;
        return region.Length == 0 || rules.NoRegions.Contains(region, StringComparer.Ordinal) ? null : region;
    }
}
