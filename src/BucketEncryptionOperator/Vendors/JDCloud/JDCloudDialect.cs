using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.JDCloud;

/// <summary>
/// JD Cloud OSS through its S3 domain. Its header page calls <c>x-amz-date</c> and <c>x-amz-content-sha256</c>
/// incompatible, and recommends clients that cannot do without: these two are sent, and nothing else that the page does
/// not call compatible. Facts and sources: docs/vendors/jdcloud.md.
/// </summary>
/// <param name="checksum">Null for the platform's.</param>
internal sealed class JDCloudDialect(BodyChecksum? checksum = null) : IVendorDialect
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

    /// <summary>JD Cloud, as the catalogue lists it.</summary>
    public static Vendor Vendor { get; } =
        new("JDCloudOSS", new JDCloudDialect())
        {
            Endpoints = Endpoints,
            KeyService = JDCloudKeyService.Description,
            Shell = new("s3", "jdcloud", RegionUse.InSignature) { MustBeNamed = true },
            Bind = _ => new("JDCloudOSS", ["KMS", "None"], [Addressing.VirtualHost, Addressing.Path]),
        };

    private readonly BodyChecksum _checksum = checksum ?? new BodyChecksum(WithoutMd5.Signature);

    public EncryptionDocument Document { get; } =
        new(new DocumentShape("ServerSideEncryptionConfiguration", HasRule: true, Namespace: "", "aws:kms"));

    public ErrorTable Errors => JDCloudErrors.Table;

    public AccountShape Account => JDCloudAccount.Shape;

    public HttpRequestMessage Sign(UnsignedRequest request) => SigV4Request.Make(request, _checksum);
}
