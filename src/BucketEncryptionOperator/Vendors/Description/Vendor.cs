using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Description;

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
    /// Names where a key is known. The vendor's own endpoints of one region know the same keys; another region may not
    /// (another partition, an opt-in region), and any other endpoint may have keys of its own.
    /// </summary>
    public string Realm(Uri endpoint) =>
        Endpoints.Contain(endpoint) ? $"{Name}/{Endpoints.RegionOf(endpoint) ?? endpoint.IdnHost}" : endpoint.Authority;
}
