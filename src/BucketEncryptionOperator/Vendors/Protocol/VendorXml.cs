using System.Xml;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// Reads untrusted XML: no DTD, no entities, nothing fetched, bounded in length and depth. Elements are found by local
/// names, because namespaces differ by region and vendor.
/// </summary>
internal static class VendorXml
{
    /// <summary>Maximum number of characters; the largest legal document of one bucket has a few KiB.</summary>
    public const int MaxSize = 64 * 1024;

    /// <summary>Maximum number of characters of a document about many buckets.</summary>
    public const int MaxLongSize = 4 * 1024 * 1024;

    /// <summary>
    /// Minimum number of characters per element of a long document, on average: entries of a list have more, and a
    /// tree of nothing but elements would take a hundred times its text.
    /// </summary>
    private const int CharactersPerElement = 16;

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
    public static XElement? Parse(string xml) => Parse(xml, MaxSize);

    /// <inheritdoc cref="Parse(string)"/>
    /// <param name="maxSize">Maximum number of characters.</param>
    public static XElement? Parse(string xml, int maxSize)
    {
        var start = Start(xml);
        var text = start.Length == xml.Length ? xml : start.ToString();
        try
        {
            if (maxSize > MaxSize && !HasFewElements(text, maxSize))
                return null;
            using var reader = Open(text, maxSize);
            var root = XDocument.Load(reader).Root;
            return root is null || IsDeeper(root, MaxDepth) ? null : root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Whether elements are nested in more levels than these below the element.</summary>
    private static bool IsDeeper(XElement element, int levels)
    {
        for (var node = element.FirstNode; node is not null; node = node.NextNode)
        {
            if (node is XElement child && (levels == 0 || IsDeeper(child, levels - 1)))
                return true;
        }
        return false;
    }

    private static bool HasFewElements(string text, int maxSize)
    {
        using var reader = Open(text, maxSize);
        var left = maxSize / CharactersPerElement;
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element && --left < 0)
                return false;
        }
        return true;
    }

    private static XmlReader Open(string text, int maxSize) =>
        XmlReader.Create(
            new StringReader(text),
            new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                MaxCharactersInDocument = maxSize,
                XmlResolver = null,
            }
        );

    public static XElement? Child(XElement? parent, string localName) =>
        parent?.Elements().FirstOrDefault(e => e.Name.LocalName == localName);

    /// <summary>Returns the trimmed text; null for an empty or missing element.</summary>
    public static string? Text(XElement? parent, string localName) =>
        Child(parent, localName)?.Value.Trim() is { Length: > 0 } text ? text : null;
}
