using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// Alibaba Cloud OSS: PUT, GET and DELETE <c>?encryption</c> with signature version 4 or 1. Facts and sources:
/// docs/vendors/alibaba.md.
/// </summary>
/// <param name="checksum">Null for the platform's.</param>
internal sealed class OssDialect(BodyChecksum? checksum = null) : IVendorDialect
{
    private const string DateHeader = "x-oss-date";
    private const string TokenHeader = "x-oss-security-token";

    private static readonly HmacSha1Scheme V1 = new("OSS", "x-oss-", VendorRequest.SubResource);

    /// <summary>Alibaba Cloud, as the catalogue lists it.</summary>
    public static Vendor Vendor { get; } =
        new("AlibabaOSS", new OssDialect())
        {
            Endpoints = OssDescription.Endpoints,
            Shell = OssDescription.Shell,
            Bind = OssDescription.Bind,
        };

    private readonly BodyChecksum _checksum = checksum ?? new BodyChecksum(WithoutMd5.Tls);

    public EncryptionDocument Document { get; } =
        new(new DocumentShape("ServerSideEncryptionRule", HasRule: false, Namespace: "", "KMS"));

    public ErrorTable Errors => OssErrors.Table;

    public HttpRequestMessage Sign(
        HttpMethod method,
        BucketAddress address,
        AccessKey key,
        string? body,
        DateTimeOffset now
    )
    {
        var target = VendorRequest.Target(address);
        var options = address.OptionsOr(OssOptions.Default);
        var bytes = body is null ? null : Encoding.UTF8.GetBytes(body);
        var headers = new List<KeyValuePair<string, string>>();
        if (key.SecurityToken is { } token)
            headers.Add(new(TokenHeader, token));
        if (bytes is not null)
            headers.AddRange([new("content-type", VendorRequest.Xml), .. _checksum.Headers(bytes, target)]);
        headers.Add(
            new(
                "Authorization",
                options.Signature == OssSignature.V1
                    ? AuthorizeV1(method, address, key, now, headers)
                    : AuthorizeV4(method, address, key, now, options, headers)
            )
        );
        return VendorRequest.Make(method, target, headers, bytes);
    }

    /// <summary>The bucket is in the canonical resource whatever the URL style.</summary>
    private static string AuthorizeV4(
        HttpMethod method,
        BucketAddress address,
        AccessKey key,
        DateTimeOffset now,
        OssOptions options,
        List<KeyValuePair<string, string>> headers
    )
    {
        var date = OssV4Signer.FormatDate(now);
        headers.AddRange([new(DateHeader, date), new(OssV4Signer.PayloadHeader, OssV4Signer.UnsignedPayload)]);
        var input = new OssCanonicalInput(
            method.Method,
            address.Bucket,
            ObjectKey: "",
            [new(VendorRequest.SubResource, null)],
            headers,
            AdditionalHeaders: []
        );
        return options.CloudBoxId is { } cloudBox
            ? OssV4Signer.Authorize(input, key, date, cloudBox, "oss-cloudbox")
            : OssV4Signer.Authorize(input, key, date, address.Region, "oss");
    }

    private static string AuthorizeV1(
        HttpMethod method,
        BucketAddress address,
        AccessKey key,
        DateTimeOffset now,
        List<KeyValuePair<string, string>> headers
    )
    {
        var date = HmacSha1Signer.FormatDate(now);
        headers.Add(new(DateHeader, date));
        var input = new HmacSha1Input(
            method.Method,
            date,
            $"/{address.Bucket}/",
            [new(VendorRequest.SubResource, null)],
            headers
        );
        return HmacSha1Signer.Authorize(V1, input, key);
    }
}
