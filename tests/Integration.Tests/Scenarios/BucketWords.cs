using System.Xml.Linq;
using ObjectStoreSimulator;

namespace Integration.Tests.Scenarios;

/// <summary>
/// A bucket's encryption in one line, both ways: <c>None</c>, <c>AES256</c>, <c>KMS</c>, <c>DSSE</c>,
/// <c>KMS key-1 data=SM4 project=p-1 bucketKey=true blocked=SSE-C +Future</c>. The word that begins with + names an
/// element that the operator does not know; <c>Future:text</c> gives it a text. A vendor's own word for an algorithm
/// stands as it is.
/// </summary>
internal static class BucketWords
{
    public const string None = "None";

    private const string Dsse = "aws:kms:dsse";

    private static readonly (string Word, string Element)[] Parts =
    [
        ("data=", "KMSDataEncryption"),
        ("project=", "ProjectID"),
        ("bucketKey=", "BucketKeyEnabled"),
        ("blocked=", "EncryptionType"),
    ];

    /// <returns>The vendor's XML; null where nothing is configured.</returns>
    public static string? ToXml(string words, Vendor vendor)
    {
        var all = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (all[0] == None)
            return null;
        var inner = new XElement(
            "ApplyServerSideEncryptionByDefault",
            new XElement("SSEAlgorithm", AlgorithmOf(all[0], vendor))
        );
        var rule = new XElement("Rule", inner);
        foreach (var word in all.Skip(1))
        {
            if (word[0] == '+')
                inner.Add(Unknown(word[1..]));
            else if (
                Parts.FirstOrDefault(p => word.StartsWith(p.Word, StringComparison.Ordinal)) is
                { Word: { } prefix, Element: var element }
            )
                Add(new XElement(element, word[prefix.Length..]), rule, inner);
            else
                inner.Element("SSEAlgorithm")!.AddAfterSelf(new XElement("KMSMasterKeyID", word));
        }
        var root =
            vendor == Vendor.AlibabaOSS
                ? new XElement("ServerSideEncryptionRule", inner, rule.Elements("BucketKeyEnabled"))
                : new XElement("ServerSideEncryptionConfiguration", rule);
        XNamespace space = vendor switch
        {
            Vendor.HuaweiOBS => "http://obs.myhwclouds.com/doc/2015-06-30/",
            Vendor.S3 or Vendor.MinIO => "http://s3.amazonaws.com/doc/2006-03-01/",
            _ => "",
        };
        foreach (var element in root.DescendantsAndSelf())
            element.Name = space + element.Name.LocalName;
        return root.ToString(SaveOptions.DisableFormatting);
    }

    public static string FromXml(string? xml)
    {
        if (xml is null)
            return None;
        var elements = XDocument.Parse(xml).Descendants().ToList();
        string? Text(string name) =>
            elements.FirstOrDefault(e => e.Name.LocalName == name)?.Value.Trim() is { Length: > 0 } text ? text : null;
        var algorithm = Text("SSEAlgorithm") switch
        {
            "KMS" or "kms" or "aws:kms" => "KMS",
            Dsse => "DSSE",
            var word => word ?? "",
        };
        var known = new HashSet<string>(
            ["SSEAlgorithm", "KMSMasterKeyID", "ApplyServerSideEncryptionByDefault", .. Parts.Select(p => p.Element)],
            StringComparer.Ordinal
        );
        var unknown = elements
            .Where(e => !e.HasElements && !known.Contains(e.Name.LocalName))
            .Select(e => "+" + e.Name.LocalName + (e.Value.Length == 0 ? "" : ":" + e.Value));
        return string.Join(
            ' ',
            new[] { algorithm, Text("KMSMasterKeyID") }
                .Concat(Parts.Select(p => Text(p.Element) is { } text ? p.Word + text : null))
                .Concat(unknown)
                .OfType<string>()
        );
    }

    private static void Add(XElement element, XElement rule, XElement inner)
    {
        switch (element.Name.LocalName)
        {
            case "BucketKeyEnabled":
                rule.Add(element);
                break;
            case "EncryptionType":
                rule.Add(new XElement("BlockedEncryptionTypes", element));
                break;
            default:
                inner.Add(element);
                break;
        }
    }

    private static XElement Unknown(string word) =>
        word.Split(':', 2) is [var name, var text] ? new XElement(name, text) : new XElement(word);

    private static string AlgorithmOf(string word, Vendor vendor) =>
        (word, vendor) switch
        {
            ("KMS", Vendor.HuaweiOBS) => "kms",
            ("KMS", not Vendor.AlibabaOSS) => "aws:kms",
            ("DSSE", _) => Dsse,
            _ => word,
        };
}
