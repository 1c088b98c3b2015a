using System.Text;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// Alibaba Cloud OSS: PUT, GET and DELETE <c>?encryption</c>, and reads of the account, with signature version 4 or 1.
/// Facts and sources: docs/vendors/alibaba.md.
/// </summary>
/// <param name="checksum">Null for the platform's.</param>
internal sealed class OssDialect(BodyChecksum? checksum = null) : IVendorDialect
{
    private const string DateHeader = "x-oss-date";
    private const string TokenHeader = "x-oss-security-token";

    private static readonly HmacSha1Scheme V1 = new("OSS", "x-oss-", Resource.Settings);

    /// <summary>Alibaba Cloud, as the catalogue lists it.</summary>
    public static Vendor Vendor { get; } =
        new("AlibabaOSS", new OssDialect())
        {
            Endpoints = OssDescription.Endpoints,
            KeyService = AlibabaKeyService.Description,
            Shell = OssDescription.Shell,
            Bind = OssDescription.Bind,
        };

    private readonly BodyChecksum _checksum = checksum ?? new BodyChecksum(WithoutMd5.Tls);

    public EncryptionDocument Document { get; } =
        new(new DocumentShape("ServerSideEncryptionRule", HasRule: false, Namespace: "", "KMS"));

    public ErrorTable Errors => OssErrors.Table;

    public AccountShape Account => OssAccount.Shape;

    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var target = VendorRequest.Target(request.Address, request.Resource);
        var options = request.Address.OptionsOr(OssOptions.Default);
        var bytes = request.Body is { } body ? Encoding.UTF8.GetBytes(body) : null;
        var headers = new List<KeyValuePair<string, string>>();
        if (request.Key.SecurityToken is { } token)
            headers.Add(new(TokenHeader, token));
        if (bytes is not null)
            headers.AddRange([new("content-type", VendorRequest.Xml), .. _checksum.Headers(bytes, target)]);
        headers.Add(
            new(
                "Authorization",
                options.Signature == OssSignature.V1
                    ? AuthorizeV1(request, headers)
                    : AuthorizeV4(request, options, headers)
            )
        );
        return VendorRequest.Make(request.Method, target, headers, bytes);
    }

    /// <summary>The bucket is in the canonical resource whatever the URL style.</summary>
    private static string AuthorizeV4(
        UnsignedRequest request,
        OssOptions options,
        List<KeyValuePair<string, string>> headers
    )
    {
        var (address, date) = (request.Address, OssV4Signer.FormatDate(request.Now));
        headers.AddRange([new(DateHeader, date), new(OssV4Signer.PayloadHeader, OssV4Signer.UnsignedPayload)]);
        var input = new OssCanonicalInput(
            request.Method.Method,
            address.BucketName,
            ObjectKey: "",
            request.Resource.Query,
            headers,
            AdditionalHeaders: []
        );
        return options.CloudBoxId is { } cloudBox
            ? OssV4Signer.Authorize(input, request.Key, date, cloudBox, "oss-cloudbox")
            : OssV4Signer.Authorize(input, request.Key, date, address.Region, "oss");
    }

    private static string AuthorizeV1(UnsignedRequest request, List<KeyValuePair<string, string>> headers)
    {
        var date = HmacSha1Signer.FormatDate(request.Now);
        headers.Add(new(DateHeader, date));
        var input = new HmacSha1Input(
            request.Method.Method,
            date,
            HmacSha1Signer.ResourceOf(request.Address),
            request.Resource.Query,
            headers
        );
        return HmacSha1Signer.Authorize(V1, input, request.Key);
    }
}
