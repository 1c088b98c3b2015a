using System.Buffers;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// A vendor's own endpoints, as data. The default list of allowed endpoints, the check that a store's endpoint is in
/// the store's region, and the partition of a bucket derive from it. It lists names of the storage service only:
/// customers can get names in the rest of a cloud's domain, and serve from them.
/// </summary>
/// <param name="Default">Returns the public endpoint of a region.</param>
/// <param name="Regional">Host names with <c>{region}</c>, and <c>*</c> for a whole label.</param>
internal sealed record EndpointNames(Func<string, string> Default, IReadOnlyList<string> Regional)
{
    private const string Region = "{region}";

    private static readonly SearchValues<char> InLabels = SearchValues.Create(
        "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    );

    /// <summary>Host names that serve every region.</summary>
    public IReadOnlyList<string> Global { get; init; } = [];

    /// <summary>Host names that do not contain their region's id, with that id.</summary>
    public IReadOnlyDictionary<string, string> Named { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Host names of the vendor, as in <see cref="Regional"/>, that a store must replace by its region's own.
    /// </summary>
    public IReadOnlyList<string> Superseded { get; init; } = [];

    /// <summary>Prefix that some of the vendor's SDKs write before a region id. No region id begins with it.</summary>
    public string SdkPrefix { get; init; } = "";

    /// <summary>
    /// Host names, as in <see cref="Regional"/>, that an SDK's other spellings of a region would lead to.
    /// </summary>
    public IReadOnlyList<string> Misspelled { get; init; } = [];

    /// <summary>
    /// Whether no rule leads from this region to its host names, so that one that is not known here may be right.
    /// </summary>
    public Func<string, bool> IsIrregular { get; init; } = _ => false;

    /// <summary>
    /// Returns the name of the space in which the vendor keeps bucket names unique, by an endpoint's host, whatever
    /// dialect the store uses. Null for a host that is not in a domain of the vendor's.
    /// </summary>
    public Func<Uri, string?> Partition { get; init; } = _ => null;

    /// <summary>The names as entries of the list of allowed endpoints.</summary>
    public IReadOnlyList<string> Patterns =>
        [.. Regional.Select(p => p.Replace(Region, "*", StringComparison.Ordinal)), .. Global, .. Named.Keys];

    /// <summary>
    /// Whether the endpoint is one of the vendor's own, whatever its scheme and port, which the allow list checks.
    /// </summary>
    public bool Contain(Uri endpoint) => Contain(endpoint.IdnHost);

    /// <inheritdoc cref="Contain(Uri)"/>
    public bool Contain(string host) =>
        Named.ContainsKey(host) || Global.Any(p => IsLike(host, p)) || Regional.Any(p => RegionIn(host, p) is not null);

    /// <summary>
    /// Whether the host is certainly the vendor's, and not only by its pattern: "oss-data-acc.aliyuncs.com" has the
    /// form of an endpoint, and is the end of other names. A region id begins with two letters, or ends in a digit.
    /// </summary>
    public bool IsSurelyEndpoint(string host)
    {
        if (Named.ContainsKey(host) || Global.Any(p => IsLike(host, p)))
            return true;
        return RegionOf(host) is { } region
            && (region.IndexOf('-', StringComparison.Ordinal) == 2 || char.IsAsciiDigit(region[^1]));
    }

    /// <summary>Whether the host is the vendor's, and a store must use another one instead.</summary>
    public bool IsSuperseded(string host) => Superseded.Any(p => IsLike(host, p) || RegionIn(host, p) is not null);

    /// <summary>
    /// Returns the endpoint to use instead of one with a bucket's name before a host of the vendor's.
    /// </summary>
    public string Instead(string host, string scheme, string region) =>
        Contain(host) ? $"{scheme}://{host}" : Default(region);

    /// <summary>
    /// Whether the endpoint is the vendor's own, and known to be of another region: a signature for the store's region
    /// is then of no use there.
    /// </summary>
    public bool IsOfAnotherRegion(Uri endpoint, string region)
    {
        var host = endpoint.IdnHost;
        if (Named.TryGetValue(host, out var named))
            return named != region;
        return Contain(host)
            && !IsIrregular(region)
            && !Global.Any(p => IsLike(host, p))
            && !Regional.Any(p => IsLike(host, p.Replace(Region, region, StringComparison.Ordinal)));
    }

    /// <summary>
    /// Returns the region of one of the vendor's own endpoints; null for every other, and for those that serve every
    /// region.
    /// </summary>
    public string? RegionOf(Uri endpoint) => RegionOf(endpoint.IdnHost);

    /// <summary>
    /// Returns the region id for a spelling of the vendor's SDKs, or for the part of a host name that stands for it;
    /// null where the text may be an id.
    /// </summary>
    /// <param name="endpoint">
    /// The store's; null for the vendor's. At a host that is not the vendor's only the SDK's prefix is known to be
    /// wrong.
    /// </param>
    public string? RegionMeant(string text, Uri? endpoint)
    {
        var id = text.StartsWith(SdkPrefix, StringComparison.Ordinal) ? text[SdkPrefix.Length..] : text;
        if (endpoint is null || Contain(endpoint))
        {
            var host = Regional[0].Replace(Region, id, StringComparison.Ordinal);
            id = Misspelled.Select(p => RegionIn(host, p)).FirstOrDefault(r => r is not null) ?? RegionOf(host) ?? id;
        }
        return id == text || id.Length == 0 ? null : id;
    }

    /// <summary>Returns the first of the domains that contains the endpoint; null where none does.</summary>
    public static string? DomainOf(Uri endpoint, params IEnumerable<string> domains) =>
        domains.FirstOrDefault(d =>
            endpoint.IdnHost.EndsWith(d, StringComparison.OrdinalIgnoreCase)
            && endpoint.IdnHost[..^d.Length].EndsWith('.')
        );

    private string? RegionOf(string host)
    {
        if (Named.TryGetValue(host, out var region))
            return region;
        if (Global.Any(p => IsLike(host, p)))
            return null;
        // "oss-x-internal" is like two names; the one with more of its own text leaves the shorter region.
        return Regional.Select(p => RegionIn(host, p)).OfType<string>().MinBy(r => r.Length);
    }

    private static string? RegionIn(string host, string pattern) =>
        Fits(host, pattern, out var region) && !region.IsEmpty ? region.ToString() : null;

    private static bool IsLike(string host, string pattern) => Fits(host, pattern, out _);

    /// <summary>
    /// Compares label by label, and makes no texts for it: every request to a vendor asks for the realm of its host.
    /// </summary>
    /// <param name="region">What stands for <c>{region}</c>; empty where the pattern has none.</param>
    private static bool Fits(ReadOnlySpan<char> host, ReadOnlySpan<char> pattern, out ReadOnlySpan<char> region)
    {
        region = default;
        while (true)
        {
            var (hostEnd, patternEnd) = (host.IndexOf('.'), pattern.IndexOf('.'));
            if (hostEnd < 0 != patternEnd < 0)
                return false;
            var label = hostEnd < 0 ? host : host[..hostEnd];
            var wanted = patternEnd < 0 ? pattern : pattern[..patternEnd];
            if (!IsLabel(label) || !LabelFits(label, wanted, ref region))
                return false;
            if (hostEnd < 0)
                return true;
            host = host[(hostEnd + 1)..];
            pattern = pattern[(patternEnd + 1)..];
        }
    }

    private static bool LabelFits(ReadOnlySpan<char> label, ReadOnlySpan<char> wanted, ref ReadOnlySpan<char> region)
    {
        if (wanted is "*" || label.Equals(wanted, StringComparison.OrdinalIgnoreCase))
            return true;
        var at = wanted.IndexOf(Region, StringComparison.Ordinal);
        if (at < 0)
            return false;
        var before = wanted[..at];
        var after = wanted[(at + Region.Length)..];
        if (
            label.Length <= before.Length + after.Length
            || !label.StartsWith(before, StringComparison.OrdinalIgnoreCase)
            || !label.EndsWith(after, StringComparison.OrdinalIgnoreCase)
        )
            return false;
        region = label[before.Length..^after.Length];
        return true;
    }

    private static bool IsLabel(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(InLabels);
}
