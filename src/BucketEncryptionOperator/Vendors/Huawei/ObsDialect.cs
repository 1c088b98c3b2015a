using System.Text;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Signing;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>
/// Huawei Cloud OBS: PUT, GET and DELETE <c>?encryption</c>, and reads of the account, with the native signature, whose
/// vocabulary is <c>kms</c> and <c>x-obs-…</c> (the AWS one brings <c>aws:kms</c> and <c>x-amz-…</c>). Facts and
/// sources: docs/vendors/huawei.md.
/// </summary>
internal sealed class ObsDialect : IVendorDialect
{
    private static readonly HmacSha1Scheme Native = new("OBS", "x-obs-", Resource.Settings);

    /// <summary>Huawei Cloud, as the catalogue lists it.</summary>
    public static Vendor Vendor { get; } =
        new("HuaweiOBS", new ObsDialect())
        {
            Endpoints = ObsDescription.Endpoints,
            KeyService = HuaweiKeyService.Description,
            Shell = ObsDescription.Shell,
            Bind = _ => ObsDescription.Traits,
        };

    public EncryptionDocument Document { get; } =
        new(new DocumentShape("ServerSideEncryptionConfiguration", HasRule: true, Namespace: "", "kms", "aws:kms"));

    public ErrorTable Errors => ObsErrors.Table;

    public AccountShape Account => ObsAccount.Shape;

    public HttpRequestMessage Sign(UnsignedRequest request)
    {
        var (address, key) = (request.Address, request.Key);
        var date = HmacSha1Signer.FormatDate(request.Now);
        List<KeyValuePair<string, string>> headers = [new("Date", date)];
        if (key.SecurityToken is { } token)
            headers.Add(new("x-obs-security-token", token));
        if (address.BucketName is null)
            headers.Add(ObsAccount.NoFileSystems);
        var input = new HmacSha1Input(
            request.Method.Method,
            date,
            HmacSha1Signer.ResourceOf(address),
            request.Resource.Query,
            headers
        );
        headers.Add(new("Authorization", HmacSha1Signer.Authorize(Native, input, key)));
        return VendorRequest.Make(
            request.Method,
            VendorRequest.Target(address, request.Resource),
            headers,
            request.Body is { } body ? Encoding.UTF8.GetBytes(body) : null
        );
    }
}
