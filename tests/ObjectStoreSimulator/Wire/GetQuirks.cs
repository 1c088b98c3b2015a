using System.Xml.Linq;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Wire;

/// <summary>
/// What vendors do to the same document from place to place and from release to release: a client must read it all the
/// same. Off, the stored text goes out as it is.
/// </summary>
internal static class GetQuirks
{
    private const string Apply = "ApplyServerSideEncryptionByDefault";

    /// <param name="stored">What the last write left.</param>
    /// <param name="settings">Which quirks are on.</param>
    /// <param name="longKeyId">The long form of a key id, as this vendor writes it.</param>
    public static byte[] Render(string stored, SettingValues settings, Func<string, string> longKeyId)
    {
        if (
            settings is
            {
                WhiteSpace: false,
                UnknownElements: false,
                LongKeyIds: false,
                EchoBucketKey: false,
                ReverseOrder: false,
                Namespace: null
            }
        )
        {
            return StoreXml.Declared(stored);
        }

        XElement root = XElement.Parse(stored);
        if (
            root.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == Apply) is
            { Parent: { } rule } apply
        )
        {
            Change(rule, apply, settings, longKeyId);
        }

        if (settings.ReverseOrder)
        {
            Reverse(root);
        }

        if (settings.Namespace is { } space)
        {
            root = StoreXml.InNamespace(root, space);
        }

        return StoreXml.Bytes(root, settings.WhiteSpace ? SaveOptions.None : SaveOptions.DisableFormatting);
    }

    private static void Change(XElement rule, XElement apply, SettingValues settings, Func<string, string> longKeyId)
    {
        XNamespace space = apply.Name.Namespace;
        if (settings.LongKeyIds && StoreXml.Only(apply, "KMSMasterKeyID") is { } key)
        {
            key.Value = longKeyId(key.Value);
        }

        if (settings.EchoBucketKey)
        {
            AddOnce(rule, new XElement(space + "BucketKeyEnabled", "false"));
        }

        if (settings.UnknownElements)
        {
            AddOnce(
                rule,
                new XElement(space + "BlockedEncryptionTypes", new XElement(space + "EncryptionType", "SSE-C"))
            );
            AddOnce(rule, new XElement(space + "BucketKeyRotationPeriod", "90"));
            AddOnce(
                apply,
                new XElement(space + "Future", new XAttribute("since", "2031"), new XElement(space + "Deep", "1"))
            );
        }

        if (settings.WhiteSpace)
        {
            foreach (XElement leaf in rule.Descendants().Where(element => !element.HasElements))
            {
                leaf.Value = $"\n      {leaf.Value}\n    ";
            }
        }
    }

    private static void AddOnce(XElement parent, XElement child)
    {
        if (StoreXml.Children(parent, child.Name.LocalName).Length == 0)
        {
            parent.Add(child);
        }
    }

    private static void Reverse(XElement parent)
    {
        foreach (XElement child in parent.Elements())
        {
            Reverse(child);
        }

        if (parent.HasElements)
        {
            parent.ReplaceNodes(parent.Elements().Reverse().Select(child => new XElement(child)));
        }
    }
}
