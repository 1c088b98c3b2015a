using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// S3: PUT, GET and DELETE <c>?encryption</c>, and reads of the account, with signature version 4 and Content-MD5,
/// which old servers ask for and new ones take (without MD5: the header with a SHA-256). Facts and sources:
/// docs/vendors/s3.md.
/// </summary>
/// <param name="checksum">Null for the platform's.</param>
internal sealed class S3Dialect(BodyChecksum? checksum = null) : IVendorDialect
{
    /// <summary>AWS and all that speak its protocol, as the catalogue lists them.</summary>
    public static Vendor Vendor { get; } =
        new("S3", new S3Dialect())
        {
            Endpoints = S3Description.Endpoints,
            KeyService = S3KeyService.Description,
            Shell = S3Description.Shell,
            Bind = S3Description.Bind,
        };

    private readonly BodyChecksum _checksum = checksum ?? new BodyChecksum(WithoutMd5.Sha256Header);

    public EncryptionDocument Document { get; } =
        new(
            new DocumentShape(
                "ServerSideEncryptionConfiguration",
                HasRule: true,
                Namespace: "http://s3.amazonaws.com/doc/2006-03-01/",
                "aws:kms"
            )
            {
                Dsse = "aws:kms:dsse",
                SaysBlocked = true,
                TakesIdleBucketKey = true,
            }
        );

    public ErrorTable Errors => S3Errors.Table;

    public AccountShape Account => S3Account.Shape;

    public bool NeedsNamedKey(VendorResponse answer) => CephAnswers.IsCeph(answer);

    public bool RefusesIdleBucketKey(VendorResponse answer) => CephAnswers.IsCeph(answer);

    public HttpRequestMessage Sign(UnsignedRequest request) =>
        request.Address.BucketName is not null
        && request.Address.OptionsOr(S3Options.Default).ExpectedBucketOwner is { } owner
            ? SigV4Request.Make(
                request,
                _checksum,
                new KeyValuePair<string, string>("x-amz-expected-bucket-owner", owner)
            )
            : SigV4Request.Make(request, _checksum);
}
