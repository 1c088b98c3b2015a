using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>A vendor, as the rest of the operator knows it.</summary>
/// <param name="Name">The value of <c>spec.vendor</c>.</param>
/// <param name="Dialect">How requests are made and answers read.</param>
internal sealed record Vendor(string Name, IVendorDialect Dialect)
{
    /// <summary>Its own endpoints, allowed unless --allowed-endpoints says otherwise.</summary>
    public required EndpointNames Endpoints { get; init; }

    /// <summary>Its key service.</summary>
    public required KeyServiceDescription KeyService { get; init; }

    /// <summary>Its names on a command line and in an environment.</summary>
    public required ShellNames Shell { get; init; }

    /// <summary>
    /// Returns what a store with these settings can do, with the vendor's own settings in
    /// <see cref="StoreTraits.Options"/>. Throws a <see cref="SettingException"/> for a setting that is invalid.
    /// </summary>
    public required Func<StoreSettings, StoreTraits> Bind { get; init; }

    /// <summary>
    /// Names where a key is known. The vendor's own endpoints of one region know the same keys; another region may not
    /// (another partition, an opt-in region), and any other endpoint may have keys of its own.
    /// </summary>
    public string Realm(Uri endpoint) =>
        Endpoints.Contain(endpoint) ? $"{Name}/{Endpoints.RegionOf(endpoint) ?? endpoint.IdnHost}" : endpoint.Authority;
}
