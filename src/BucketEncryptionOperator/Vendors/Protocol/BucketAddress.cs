namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>Where a bucket is.</summary>
internal sealed record BucketAddress(
    string Bucket,
    Uri Endpoint,
    string Region,
    Addressing Addressing,
    VendorOptions Options
) : VendorAddress(Endpoint, Region, Addressing, Options)
{
    public override string? BucketName => Bucket;
}
