using System.Xml;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors;

/// <summary>XML from strangers: no DTD, no entities, nothing fetched, bounded in length and depth. Read by local names, for namespaces differ by region and vendor.</summary>
internal static class VendorXml
{
    private const int MaxCharacters = 64 * 1024;

    /// <summary>The documents have four levels. Walks over what is far deeper would end in a stack overflow, which no catch can stop.</summary>
    private const int MaxDepth = 16;

    /// <returns>The root, or null when the text is no XML that we take.</returns>
    public static XElement? Parse(string xml)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, MaxCharactersInDocument = MaxCharacters, XmlResolver = null };
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml.TrimStart('\uFEFF')), settings);
            var root = XDocument.Load(reader).Root;
            return root is null || root.Descendants().Any(e => e.Ancestors().Skip(MaxDepth).Any()) ? null : root;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    public static XElement? Child(XElement? parent, string localName) => parent?.Elements().FirstOrDefault(e => e.Name.LocalName == localName);

    /// <summary>Trimmed; an empty element is as good as none.</summary>
    public static string? Text(XElement? parent, string localName) => Child(parent, localName)?.Value.Trim() is { Length: > 0 } text ? text : null;
}
