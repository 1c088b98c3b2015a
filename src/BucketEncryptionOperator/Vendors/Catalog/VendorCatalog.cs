using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Huawei;
using BucketEncryptionOperator.Vendors.JDCloud;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Vendors;

/// <summary>A vendor, as the rest of the operator knows it.</summary>
/// <param name="Name">The value of <c>spec.vendor</c>.</param>
/// <param name="Endpoints">Its own, allowed unless --allowed-endpoints says otherwise.</param>
/// <param name="Shell">What it is called where a person types.</param>
/// <param name="Dialect">How it is spoken to.</param>
/// <param name="Traits">What its dialect offers to a store with these settings.</param>
internal sealed record Vendor(
    string Name,
    EndpointNames Endpoints,
    ShellNames Shell,
    IVendorDialect Dialect,
    Func<StoreSettings, StoreTraits> Traits
)
{
    /// <summary>
    /// What a store with these settings can do. The partition follows from whose host the endpoint is: a vendor's
    /// buckets are the same ones in another vendor's dialect.
    /// </summary>
    public StoreTraits Describe(StoreSettings settings)
    {
        var traits = Traits(settings);
        return traits with { Partition = traits.Partition ?? VendorCatalog.PartitionOf(settings.Endpoint) };
    }

    /// <summary>
    /// Names where a key is known. The vendor's own endpoints of one region know the same keys; another region may not
    /// (another partition, an opt-in region), and any other endpoint may have keys of its own.
    /// </summary>
    public string Realm(Uri endpoint) =>
        Endpoints.Contain(endpoint) ? $"{Name}/{Endpoints.RegionOf(endpoint) ?? endpoint.IdnHost}" : endpoint.Authority;
}

/// <summary>All vendors: one line each.</summary>
internal static class VendorCatalog
{
    public static IReadOnlyList<Vendor> All { get; } =
    [
        new("AlibabaOSS", OssCatalog.Endpoints, OssCatalog.Shell, new OssDialect(), OssCatalog.Describe),
        new("HuaweiOBS", ObsCatalog.Endpoints, ObsCatalog.Shell, new ObsDialect(), _ => ObsCatalog.Traits),
        new(
            "JDCloudOSS",
            JDCloudCatalog.Endpoints,
            JDCloudCatalog.Shell,
            new JDCloudDialect(),
            _ => JDCloudCatalog.Traits
        ),
        new("S3", S3Catalog.Endpoints, S3Catalog.Shell, new S3Dialect(), S3Catalog.Describe),
    ];

    public static string Names => string.Join(", ", All.Select(v => v.Name));

    public static IReadOnlyList<string> DefaultEndpointPatterns { get; } =
    [.. All.SelectMany(v => v.Endpoints.Patterns)];

    /// <summary>One client a vendor, by the vendor's name.</summary>
    public static IReadOnlyDictionary<string, IBucketEncryptionApi> ConnectAll(
        VendorHttp http,
        ServerClocks clocks,
        VendorLimits limits,
        AccessKeyCircuitBreakers breakers,
        WriteTime? writeTime = null,
        VendorMetrics? metrics = null,
        EndpointCircuitBreakers? endpoints = null
    ) =>
        All.ToDictionary(
            v => v.Name,
            v =>
                (IBucketEncryptionApi)
                    new GuardedApi(
                        new BucketEncryptionApi(http, v.Dialect, clocks, limits, writeTime, metrics?.Of(v), endpoints),
                        breakers,
                        v.Realm,
                        endpoints
                    ),
            StringComparer.Ordinal
        );

    /// <summary>Whether a host is one of a vendor's own endpoints.</summary>
    public static bool OwnHost(string host) => All.Any(v => v.Endpoints.Contain(host));

    /// <summary>The vendor whose own endpoint it is; null for any other endpoint.</summary>
    public static Vendor? OwnerOf(Uri endpoint) => All.FirstOrDefault(v => v.Endpoints.Contain(endpoint));

    /// <summary>
    /// The space in which the names of an endpoint's buckets are unique; null where the host is no vendor's, and so a
    /// space of its own.
    /// </summary>
    public static string? PartitionOf(Uri endpoint) =>
        All.Select(v => v.Endpoints.Partition(endpoint)).FirstOrDefault(p => p is not null);

    /// <summary>
    /// The vendor's host that follows a bucket's name in an endpoint, with the vendor; null where the endpoint does not
    /// have that form.
    /// </summary>
    public static (Vendor Vendor, string Host)? BehindBucket(Uri endpoint)
    {
        const int ShortestBucket = 3;
        var host = endpoint.IdnHost;
        if (OwnHost(host))
            return null;
        for (var dot = host.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            var rest = host[(dot + 1)..];
            var vendor = All.FirstOrDefault(v => v.Endpoints.IsSurelyEndpoint(rest) || v.Endpoints.IsSuperseded(rest));
            if (dot >= ShortestBucket && vendor is not null)
                return (vendor, rest);
        }
        return null;
    }

    public static Vendor? FindByScheme(string scheme) =>
        All.FirstOrDefault(v => v.Shell is { MustBeNamed: false } && v.Shell.Scheme == scheme);

    public static Vendor? Find(string name) => All.FirstOrDefault(v => v.Name == name);
}
