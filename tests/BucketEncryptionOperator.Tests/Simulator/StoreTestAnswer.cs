using System.Collections.Immutable;
using System.Net;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>What came back, with the vendor's words for it.</summary>
internal sealed record StoreTestAnswer(HttpStatusCode Status, string Body, ImmutableDictionary<string, string> Headers)
{
    public static async Task<StoreTestAnswer> SendAsync(
        HttpClient http,
        HttpRequestMessage message,
        CancellationToken cancellationToken
    )
    {
        using HttpResponseMessage response = await http.SendAsync(message, cancellationToken);
        return new StoreTestAnswer(
            response.StatusCode,
            await response.Content.ReadAsStringAsync(cancellationToken),
            response
                .Headers.Concat(response.Content.Headers)
                .ToImmutableDictionary(
                    header => header.Key,
                    header => string.Join(',', header.Value),
                    StringComparer.OrdinalIgnoreCase
                )
        );
    }

    public XElement Xml => XElement.Parse(Body);

    public string? Code => Element("Code");

    public string? Ec => Element("EC");

    /// <summary>Names of the buckets in a list.</summary>
    public string Names =>
        string.Join(' ', Xml.Descendants().Where(element => element.Name.LocalName == "Name").Select(e => e.Value));

    public string? Element(string localName) =>
        Body.Length == 0
            ? null
            : Xml.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == localName)?.Value;

    public void AssertIs(int status, string? code)
    {
        Assert.Equal((status, code), ((int)Status, Code));
    }
}
