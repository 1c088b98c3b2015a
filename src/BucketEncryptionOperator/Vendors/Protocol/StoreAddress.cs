namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Where a store is: what a request needs, except the bucket.</summary>
/// <param name="Endpoint">Scheme, host and port, without a bucket.</param>
/// <param name="Addressing">Where the names of its buckets go in a request.</param>
internal sealed record StoreAddress(Uri Endpoint, string Region, Addressing Addressing, VendorOptions Options)
{
    /// <summary>The limit that the store's owner sets for its endpoint.</summary>
    public RateLimit Limit { get; init; } = RateLimit.Default;

    /// <summary>The only roots that the endpoint's certificate may chain to, in PEM; null: the system's.</summary>
    public string? CaBundle { get; init; }

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
