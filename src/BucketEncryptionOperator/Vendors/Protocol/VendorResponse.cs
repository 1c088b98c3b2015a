using System.Net;
using System.Net.Http.Headers;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>A complete answer of a vendor, whatever its status.</summary>
internal sealed record VendorResponse(HttpStatusCode Status, string Body, HttpResponseHeaders Headers)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>The first value of a header, or null.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
