using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Huawei;
using BucketEncryptionOperator.Vendors.JDCloud;
using BucketEncryptionOperator.Vendors.S3;

namespace BucketEncryptionOperator.Vendors.Catalog;

/// <summary>All vendors, one line each, and what only the whole list can answer.</summary>
internal static class VendorCatalog
{
    public static IReadOnlyList<Vendor> All { get; } =
    [OssDialect.Vendor, ObsDialect.Vendor, JDCloudDialect.Vendor, S3Dialect.Vendor];

    public static string Names => string.Join(", ", All.Select(v => v.Name));

    /// <summary>Endpoints of all vendors and of their key services, in the order of <see cref="All"/>.</summary>
    public static IReadOnlyList<EndpointNames> Endpoints { get; } =
    [.. All.SelectMany(v => (EndpointNames[])[v.Endpoints, v.KeyService.Endpoints])];

    public static IReadOnlyList<string> DefaultEndpointPatterns { get; } = [.. Endpoints.SelectMany(e => e.Patterns)];

    /// <summary>Whether the endpoint is a vendor's key service, and so no object store.</summary>
    public static bool IsKeyService(Uri endpoint) => All.Any(v => v.KeyService.Endpoints.Contain(endpoint));

    /// <summary>
    /// Binds a store's settings. The partition follows from whose host the endpoint is: a vendor's buckets are the same
    /// ones in another vendor's dialect.
    /// </summary>
    /// <exception cref="SettingException">A setting is invalid.</exception>
    public static StoreTraits Bind(Vendor vendor, StoreSettings settings)
    {
        var traits = vendor.Bind(settings);
        return traits with { Partition = traits.Partition ?? PartitionOf(settings.Endpoint) };
    }

    /// <summary>Whether the endpoint is a vendor's object store, and so no key service.</summary>
    public static bool IsObjectStore(Uri endpoint) =>
        All.Any(v => v.Endpoints.Contain(endpoint) || v.Endpoints.IsSuperseded(endpoint.IdnHost));

    /// <summary>
    /// Returns the space in which the names of an endpoint's buckets are unique; null where the host is no vendor's,
    /// and so a space of its own.
    /// </summary>
    public static string? PartitionOf(Uri endpoint) =>
        All.Select(v => v.Endpoints.Partition(endpoint)).FirstOrDefault(p => p is not null);

    /// <summary>
    /// Returns the vendor's host that follows a bucket's name in an endpoint, with the vendor; null where the endpoint
    /// does not have that form.
    /// </summary>
    public static (Vendor Vendor, string Host)? BehindBucket(Uri endpoint)
    {
        const int ShortestBucket = 3;
        var host = endpoint.IdnHost;
        if (All.Any(v => v.Endpoints.Contain(host)))
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
