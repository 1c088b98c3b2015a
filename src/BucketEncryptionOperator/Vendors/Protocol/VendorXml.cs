using System.Xml;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// Reads untrusted XML: no DTD, no entities, nothing fetched, bounded in length and depth. Elements are found by local
/// names, because namespaces differ by region and vendor.
/// </summary>
internal static class VendorXml
{
    private const int MaxCharacters = 64 * 1024;

    /// <summary>
    /// The documents have four levels. A walk over a far deeper one would end in a stack overflow, which cannot be
    /// caught.
    /// </summary>
    private const int MaxDepth = 16;

    /// <summary>
    /// Returns the text without what may stand before it: byte order marks, and the blanks that servers send to keep a
    /// connection alive while they work. XML itself allows nothing before a declaration.
    /// </summary>
    public static ReadOnlySpan<char> Start(string text)
    {
        var at = 0;
        while (at < text.Length && (char.IsWhiteSpace(text[at]) || text[at] == '\uFEFF'))
            at++;
        return text.AsSpan(at);
    }

    /// <returns>The root, or null when the text is not XML within these bounds.</returns>
    public static XElement? Parse(string xml)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            MaxCharactersInDocument = MaxCharacters,
            XmlResolver = null,
        };
        try
        {
            using var reader = XmlReader.Create(new StringReader(Start(xml).ToString()), settings);
            var root = XDocument.Load(reader).Root;
            return root is null || root.Descendants().Any(e => e.Ancestors().Skip(MaxDepth).Any()) ? null : root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    public static XElement? Child(XElement? parent, string localName) =>
        parent?.Elements().FirstOrDefault(e => e.Name.LocalName == localName);

    /// <summary>Returns the trimmed text; null for an empty or missing element.</summary>
    public static string? Text(XElement? parent, string localName) =>
        Child(parent, localName)?.Value.Trim() is { Length: > 0 } text ? text : null;
}
