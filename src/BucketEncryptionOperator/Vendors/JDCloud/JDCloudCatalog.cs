using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.JDCloud;

/// <summary>
/// Where JD Cloud OSS's S3 service is, and what it offers. Facts and sources: docs/vendors/jdcloud.md.
/// </summary>
internal static class JDCloudCatalog
{
    public static EndpointNames Endpoints { get; } =
        new(
            region => $"https://s3.{region}.jdcloud-oss.com",
            ["s3.{region}.jdcloud-oss.com", "s3-internal.{region}.jdcloud-oss.com", "s3.{region}.jcloudcs.com"]
        )
        {
            // The newer pages' domain is another name of the older one's buckets.
            Partition = endpoint =>
                EndpointNames.DomainOf(endpoint, "jdcloud-oss.com", "jcloudcs.com") is null ? null : "jdcloud-oss.com",
        };

    public static ShellNames Shell { get; } = new("s3", "jdcloud", RegionUse.InSignature) { MustBeNamed = true };

    public static StoreTraits Traits { get; } =
        new("JDCloudOSS", ["KMS", "None"], [Addressing.VirtualHost, Addressing.Path]);
}
