using System.Net;
using System.Net.Http.Headers;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>A complete answer of a vendor, whatever its status.</summary>
internal sealed record VendorResponse(HttpStatusCode Status, string Body, HttpResponseHeaders Headers)
{
    private readonly Lazy<XElement?> _root = new(() => VendorXml.Parse(Body));

    /// <summary>
    /// Root of the body, which is parsed once, however many steps look at it; null when it is not XML. Not to be
    /// changed.
    /// </summary>
    public XElement? Root => _root.Value;

    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>The first value of a header, or null.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    /// <summary>
    /// Returns the wait: seconds with any number of digits, or a date in any form of HTTP, by the clock of its author.
    /// </summary>
    /// <param name="now">Where the answer does not say when it was made.</param>
    public TimeSpan? RetryAfter(DateTimeOffset now)
    {
        if (Header("Retry-After")?.Trim() is not { Length: > 0 } text)
            return null;
        if (text.All(char.IsAsciiDigit))
            return int.TryParse(text, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.FromSeconds(int.MaxValue);
        if (Headers.RetryAfter?.Date is not { } date)
            return null;
        var wait = date - (Headers.Date ?? now);
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }
}
