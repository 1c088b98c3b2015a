namespace BucketEncryptionOperator.Vendors;

/// <summary>
/// A vendor's own endpoints, as data: from it come the default list of allowed endpoints, and the check that a store's endpoint is
/// in the store's region. Names of the store service only: under a cloud's whole domain customers can get names, and serve from them.
/// </summary>
/// <param name="Default">The public endpoint of a region.</param>
/// <param name="Regional">Host names with <c>{region}</c>, and <c>*</c> for a whole label.</param>
/// <param name="Global">Host names that go with any region.</param>
internal sealed record EndpointNames(Func<string, string> Default, IReadOnlyList<string> Regional, params IReadOnlyList<string> Global)
{
    private const string Region = "{region}";

    private readonly EndpointAllowList _own = new(PatternsOf(Regional, Global));

    /// <summary>As <see cref="EndpointAllowList"/> takes them.</summary>
    public IReadOnlyList<string> Patterns { get; } = PatternsOf(Regional, Global);

    /// <summary>Whether the endpoint is the vendor's own, and of another region: a signature for the store's region is then of no use there.</summary>
    public bool IsOfAnotherRegion(Uri endpoint, string region) =>
        Contain(endpoint) && !Regional.Select(p => p.Replace(Region, region, StringComparison.Ordinal)).Concat(Global).Any(p => IsLike(endpoint.Host, p));

    /// <summary>Whether the endpoint is one of the vendor's own, whatever its scheme and port: which of them may be used is the allow list's matter.</summary>
    public bool Contain(Uri endpoint) => Contain(endpoint.Host);

    /// <inheritdoc cref="Contain(Uri)"/>
    public bool Contain(string host) => _own.Allows(new UriBuilder(Uri.UriSchemeHttps, host).Uri);

    /// <summary>The region that one of the vendor's own endpoints is in; null for every other, and for those that go with any region.</summary>
    public string? RegionOf(Uri endpoint)
    {
        if (Global.Any(p => IsLike(endpoint.Host, p)))
            return null;
        // "oss-x-internal" is like two names; the one with more of its own text leaves the shorter region.
        return Regional.Select(p => RegionIn(endpoint.Host, p)).OfType<string>().MinBy(r => r.Length);
    }

    /// <summary>The first of the domains that the endpoint is in; null for none.</summary>
    public static string? DomainOf(Uri endpoint, params IEnumerable<string> domains) =>
        domains.FirstOrDefault(d => endpoint.IdnHost.EndsWith(d, StringComparison.OrdinalIgnoreCase) && endpoint.IdnHost[..^d.Length].EndsWith('.'));

    private static string? RegionIn(string host, string pattern)
    {
        var (labels, wanted) = (host.Split('.'), pattern.Split('.'));
        var at = Array.FindIndex(wanted, w => w.Contains(Region, StringComparison.Ordinal));
        var around = wanted[at].Split(Region);
        var (before, after) = (around[0], around[1]);
        if (labels.Length != wanted.Length || labels[at].Length <= before.Length + after.Length)
            return null;
        var region = labels[at][before.Length..^after.Length];
        return IsLike(host, pattern.Replace(Region, region, StringComparison.Ordinal)) ? region : null;
    }

    /// <summary>Label by label: a regular expression for each read of a store would cost more than all the rest of it.</summary>
    private static bool IsLike(string host, string pattern)
    {
        var (labels, wanted) = (host.Split('.'), pattern.Split('.'));
        return labels.Length == wanted.Length && labels.Zip(wanted).All(l => l.Second == "*" || l.First.Equals(l.Second, StringComparison.OrdinalIgnoreCase));
    }

    private static IReadOnlyList<string> PatternsOf(IReadOnlyList<string> regional, IReadOnlyList<string> global) =>
        [.. regional.Select(p => p.Replace(Region, "*", StringComparison.Ordinal)), .. global];
}
