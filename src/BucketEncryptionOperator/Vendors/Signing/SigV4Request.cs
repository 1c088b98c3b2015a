using System.Text;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Signing;

/// <summary>
/// Makes a request, signed by AWS's version 4 with all its headers.
/// No chunked body, no checksum but that of <see cref="BodyChecksum"/>, no <c>Expect</c>.
/// </summary>
internal static class SigV4Request
{
    /// <param name="more">Headers beyond those that the signature and the body need.</param>
    public static HttpRequestMessage Make(
        UnsignedRequest request,
        BodyChecksum checksum,
        params IEnumerable<KeyValuePair<string, string>> more
    )
    {
        var (address, key) = (request.Address, request.Key);
        var target = VendorRequest.Target(address, request.Resource);
        var date = SigV4Signer.FormatDate(request.Now);
        var bytes = request.Body is { } body ? Encoding.UTF8.GetBytes(body) : null;
        var hash = SigV4Signer.HashOf(bytes ?? []);
        List<KeyValuePair<string, string>> headers =
        [
            new(SigV4Signer.DateHeader, date),
            new(SigV4Signer.PayloadHeader, hash),
            .. more,
        ];
        if (key.SecurityToken is { } token)
            headers.Add(new(SigV4Signer.TokenHeader, token));
        if (bytes is not null)
            headers.AddRange([new("content-type", VendorRequest.Xml), .. checksum.Headers(bytes, target)]);

        var input = new SigV4Input(
            request.Method.Method,
            target.AbsolutePath,
            [.. request.Resource.Query.Select(q => KeyValuePair.Create(q.Key, q.Value ?? ""))],
            [.. headers, new("host", VendorRequest.Host(target))],
            hash
        );
        headers.Add(new("Authorization", SigV4Signer.Authorize(input, key, date, address.Region, SigV4Scheme.S3)));
        return VendorRequest.Make(request.Method, target, headers, bytes);
    }
}
