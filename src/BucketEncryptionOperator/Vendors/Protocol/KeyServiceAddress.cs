namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Where the key service of a store is.</summary>
internal sealed record KeyServiceAddress(Uri Endpoint, string Region, VendorOptions Options)
    : VendorAddress(Endpoint, Region, Addressing.Path, Options)
{
    /// <summary>
    /// Far below what any vendor allows an account, for the account's own programs use the same quota. A key is asked
    /// for once an hour.
    /// </summary>
    public static RateLimit DefaultLimit { get; } = new(RequestsPerSecond: 5, Burst: 10, MaxConcurrency: 2);

    public override string? BucketName => null;

    public override string? Service => "kms";
}
