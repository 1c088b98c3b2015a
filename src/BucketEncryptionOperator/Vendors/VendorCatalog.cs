using BucketEncryptionOperator.Vendors.Alibaba;

namespace BucketEncryptionOperator.Vendors;

/// <summary>A vendor, as the rest of the operator knows it.</summary>
/// <param name="Name">The value of <c>spec.vendor</c>.</param>
/// <param name="DefaultEndpoint">The public endpoint of a region.</param>
/// <param name="EndpointPatterns">Its own endpoints, allowed unless --allowed-endpoints says otherwise.</param>
/// <param name="Connect">Makes the vendor's client.</param>
internal sealed record Vendor(
    string Name, Func<string, string> DefaultEndpoint, IReadOnlyList<string> EndpointPatterns, Func<VendorHttp, TimeProvider, IBucketEncryptionApi> Connect);

/// <summary>All vendors: one line each.</summary>
internal static class VendorCatalog
{
    private static readonly IReadOnlyList<Vendor> All =
    [
        new("AlibabaOSS", AlibabaEndpoints.Public, AlibabaEndpoints.Patterns, (http, time) => new AlibabaOssApi(http, time)),
    ];

    public static string Names => string.Join(", ", All.Select(v => v.Name));

    public static IReadOnlyList<string> DefaultEndpointPatterns => [.. All.SelectMany(v => v.EndpointPatterns)];

    /// <summary>One client a vendor, by the vendor's name.</summary>
    public static IReadOnlyDictionary<string, IBucketEncryptionApi> ConnectAll(VendorHttp http, TimeProvider time) =>
        All.ToDictionary(v => v.Name, v => v.Connect(http, time), StringComparer.Ordinal);

    public static Vendor? Find(string name) => All.FirstOrDefault(v => v.Name == name);
}
