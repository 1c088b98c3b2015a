namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Where a store is: what a request needs, except the bucket.</summary>
internal sealed record StoreAddress(Uri Endpoint, string Region, Addressing Addressing, VendorOptions Options)
    : VendorAddress(Endpoint, Region, Addressing, Options)
{
    public override string? BucketName => null;

    /// <summary>
    /// Returns the address of one of its buckets. A name with dots goes in the path: a certificate's wildcard is for
    /// one label.
    /// </summary>
    public BucketAddress Bucket(string name) =>
        new(
            name,
            Endpoint,
            Region,
            Addressing == Addressing.VirtualHost && name.Contains('.', StringComparison.Ordinal)
                ? Addressing.Path
                : Addressing,
            Options
        )
        {
            Limit = Limit,
            CaBundle = CaBundle,
        };
}
