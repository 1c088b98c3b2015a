namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Where a bucket's name goes in a request.</summary>
internal enum Addressing
{
    /// <summary>In the host, before the endpoint's.</summary>
    VirtualHost,

    /// <summary>In the path.</summary>
    Path,

    /// <summary>In neither: the endpoint is a name of the bucket's own.</summary>
    CName,
}

/// <summary>What a store sets for its vendor alone: a type of the vendor's.</summary>
internal abstract record VendorOptions
{
    /// <summary>Nothing is set: the vendor's defaults apply.</summary>
    public static VendorOptions None { get; } = new Nothing();

    public sealed record Nothing : VendorOptions;
}

/// <summary>Where a request goes: a store, or one of its buckets.</summary>
/// <param name="Endpoint">Scheme, host and port, without a bucket.</param>
/// <param name="Addressing">Where the names of the store's buckets go in a request.</param>
internal abstract record VendorAddress(Uri Endpoint, string Region, Addressing Addressing, VendorOptions Options)
{
    /// <summary>The limit that the store's owner sets for its endpoint.</summary>
    public RateLimit Limit { get; init; } = RateLimit.Default;

    /// <summary>The only roots that the endpoint's certificate may chain to, in PEM; null: the system's.</summary>
    public string? CaBundle { get; init; }

    /// <summary>Null for a store as a whole.</summary>
    public abstract string? BucketName { get; }

    /// <summary>
    /// Name of a service beside the object store, which may have the same endpoint: its rate and its outages are its
    /// own. Null for the object store.
    /// </summary>
    public virtual string? Service => null;

    /// <summary>Returns the vendor's own settings; <paramref name="defaults"/> where nothing is set.</summary>
    /// <exception cref="InvalidOperationException">They are another vendor's: a bug.</exception>
    public T OptionsOr<T>(T defaults)
        where T : VendorOptions =>
        Options switch
        {
            T own => own,
            VendorOptions.Nothing => defaults,
            var other => throw new InvalidOperationException($"{other.GetType().Name} is another vendor's"),
        };
}

/// <summary>How fast an endpoint may be called with one access key.</summary>
/// <param name="RequestsPerSecond">Average rate.</param>
/// <param name="Burst">Maximum number of requests at once after a pause.</param>
/// <param name="MaxConcurrency">Maximum number of concurrent calls.</param>
internal sealed record RateLimit(int RequestsPerSecond, int Burst, int MaxConcurrency)
{
    /// <summary>
    /// Far below what any vendor is known to accept from an account, and enough for 10 000 buckets in a resync of ten
    /// minutes.
    /// </summary>
    public static RateLimit Default { get; } = new(RequestsPerSecond: 20, Burst: 40, MaxConcurrency: 8);
}
