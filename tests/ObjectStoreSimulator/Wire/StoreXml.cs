using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace ObjectStoreSimulator.Wire;

/// <summary>Reading by local names, as vendors do, and writing with the declaration that they write.</summary>
internal static class StoreXml
{
    /// <summary>Null: not XML, or XML with a DTD.</summary>
    public static XElement? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using MemoryStream stream = new(body.ToArray(), writable: false);
            using XmlReader reader = XmlReader.Create(
                stream,
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null }
            );
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>What a client sent and XML cannot carry (a NUL in a bucket's name) is told as U+FFFD.</summary>
    public static byte[] Bytes(XElement root, SaveOptions options = SaveOptions.None)
    {
        foreach (XText text in root.DescendantNodes().OfType<XText>())
        {
            text.Value = string.Concat(
                text.Value.Select(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '\uFFFD')
            );
        }

        return Declared($"{root.ToString(options)}\n");
    }

    public static byte[] Declared(string xml) =>
        Encoding.UTF8.GetBytes(
            xml.StartsWith("<?xml", StringComparison.Ordinal)
                ? xml
                : $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}"
        );

    public static XElement[] Children(XElement parent, string name) =>
        [.. parent.Elements().Where(element => element.Name.LocalName == name)];

    public static XElement? Only(XElement parent, string name) => Children(parent, name) is [var only] ? only : null;

    public static bool HasText(XElement element) => !string.IsNullOrWhiteSpace(element.Value);

    /// <summary>Null when the element is absent or empty.</summary>
    public static string? Text(XElement parent, string name) =>
        Only(parent, name) is { } element && HasText(element) ? element.Value.Trim() : null;

    /// <summary>Puts the element and all in it into the namespace.</summary>
    public static XElement InNamespace(XElement root, XNamespace space)
    {
        XElement copy = new(root);
        copy.DescendantsAndSelf().Attributes().Where(attribute => attribute.IsNamespaceDeclaration).Remove();
        foreach (XElement element in copy.DescendantsAndSelf())
        {
            element.Name = space + element.Name.LocalName;
        }

        return copy;
    }
}
