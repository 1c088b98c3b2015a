using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>
/// Huawei Cloud OBS: PUT, GET and DELETE <c>?encryption</c> with the native signature, whose vocabulary is <c>kms</c>
/// and <c>x-obs-…</c> (the AWS one brings <c>aws:kms</c> and <c>x-amz-…</c>). Facts and sources:
/// docs/vendors/huawei.md.
/// </summary>
internal sealed class ObsDialect : IVendorDialect
{
    private static readonly HmacSha1Scheme Native = new("OBS", "x-obs-", VendorRequest.SubResource);

    /// <summary>Huawei Cloud, as the catalogue lists it.</summary>
    public static Vendor Vendor { get; } =
        new("HuaweiOBS", new ObsDialect())
        {
            Endpoints = ObsDescription.Endpoints,
            Shell = ObsDescription.Shell,
            Bind = _ => ObsDescription.Traits,
        };

    public EncryptionDocument Document { get; } =
        new(new DocumentShape("ServerSideEncryptionConfiguration", HasRule: true, Namespace: "", "kms", "aws:kms"));

    public ErrorTable Errors => ObsErrors.Table;

    public HttpRequestMessage Sign(
        HttpMethod method,
        BucketAddress address,
        AccessKey key,
        string? body,
        DateTimeOffset now
    )
    {
        var date = HmacSha1Signer.FormatDate(now);
        List<KeyValuePair<string, string>> headers = [new("Date", date)];
        if (key.SecurityToken is { } token)
            headers.Add(new("x-obs-security-token", token));
        var input = new HmacSha1Input(
            method.Method,
            date,
            $"/{address.Bucket}/",
            [new(VendorRequest.SubResource, null)],
            headers
        );
        headers.Add(new("Authorization", HmacSha1Signer.Authorize(Native, input, key)));
        return VendorRequest.Make(
            method,
            VendorRequest.Target(address),
            headers,
            body is null ? null : Encoding.UTF8.GetBytes(body)
        );
    }
}
