using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>Where a store's key service is, and what the store sets for it.</summary>
internal sealed record KeyServicePlace(Uri Endpoint, VendorOptions Options);

/// <summary>A vendor's key service, as the rest of the operator knows it.</summary>
/// <param name="Dialect">How it is asked, and its answers read.</param>
/// <param name="Endpoints">Its own endpoints, allowed unless --allowed-endpoints says otherwise.</param>
internal sealed record KeyServiceDescription(IKeyServiceDialect Dialect, EndpointNames Endpoints)
{
    /// <summary>
    /// Returns where a store's key service is, from the store's settings and from the endpoint that its author names
    /// for the key service; null where it has none, or where nobody says which.
    /// </summary>
    public required Func<StoreSettings, Uri?, KeyServicePlace?> Find { get; init; }

    /// <summary>
    /// The rule of most vendors: what the author names; else, behind an endpoint of the vendor's own, the region's key
    /// service. Behind any other name may be another cloud with other accounts.
    /// </summary>
    public static Func<StoreSettings, Uri?, KeyServicePlace?> ByRegion(EndpointNames stores, EndpointNames services) =>
        (settings, named) =>
            named is not null ? new KeyServicePlace(named, VendorOptions.None)
            : stores.Contain(settings.Endpoint)
                ? new KeyServicePlace(new Uri(services.Default(settings.Region)), VendorOptions.None)
            : null;
}
