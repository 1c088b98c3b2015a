using System.Xml;
using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>
/// The body of the three operations (help pages PutBucketEncryption, GetBucketEncryption):
/// <c>ServerSideEncryptionRule / ApplyServerSideEncryptionByDefault / SSEAlgorithm, KMSMasterKeyID?, KMSDataEncryption?</c>.
/// Reading goes by local names, in any order and namespace. Writing starts from what was read and touches only these three.
/// </summary>
internal static class OssDocument
{
    private const string Root = "ServerSideEncryptionRule";
    private const string Default = "ApplyServerSideEncryptionByDefault";
    private const string Algorithm = "SSEAlgorithm";
    private const string Key = "KMSMasterKeyID";
    private const string DataEncryption = "KMSDataEncryption";
    private const int MaxCharacters = 64 * 1024;

    /// <returns>Null when the text is not such a document.</returns>
    public static BucketEncryption? Read(string xml)
    {
        if (Parse(xml) is not { Root: { } root } || root.Name.LocalName != Root)
            return null;
        var rule = Child(root, Default);
        return Text(rule, Algorithm) switch
        {
            null => null,
            "None" => new BucketEncryption.None(), // as GetBucketInfo says it
            "AES256" => new BucketEncryption.Aes256(),
            "SM4" => new BucketEncryption.Sm4(),
            "KMS" => new BucketEncryption.Kms(Text(rule, Key), Text(rule, DataEncryption) == "SM4" ? DataCipher.Sm4 : DataCipher.Aes256),
            { } other => new BucketEncryption.Other(other),
        };
    }

    /// <summary>The request that makes <paramref name="basis"/> say <paramref name="target"/>, and keeps the rest of it.</summary>
    public static string Write(BucketEncryption target, string? basis)
    {
        var root = basis is not null && Parse(basis) is { Root: { } read } ? WithoutNamespaces(read) : new XElement(Root);
        var rule = Child(root, Default);
        if (rule is null)
            root.Add(rule = new XElement(Default));
        var (algorithm, key, cipher) = target switch
        {
            BucketEncryption.Aes256 => ("AES256", null, null),
            BucketEncryption.Sm4 => ("SM4", null, null),
            BucketEncryption.Kms kms => ("KMS", kms.KeyId, kms.Cipher == DataCipher.Sm4 ? "SM4" : null),
            _ => throw new ArgumentException($"{target} cannot be put", nameof(target)),
        };
        // The order of the vendor's own SDKs, though none is documented.
        Set(rule, DataEncryption, cipher);
        Set(rule, Key, key);
        Set(rule, Algorithm, algorithm);
        return root.ToString(SaveOptions.DisableFormatting);
    }

    internal static XDocument? Parse(string xml)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, MaxCharactersInDocument = MaxCharacters, XmlResolver = null };
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), settings);
            return XDocument.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    internal static XElement? Child(XElement? parent, string localName) => parent?.Elements().FirstOrDefault(e => e.Name.LocalName == localName);

    /// <summary>Trimmed; an empty element is as good as none.</summary>
    internal static string? Text(XElement? parent, string localName) => Child(parent, localName)?.Value.Trim() is { Length: > 0 } text ? text : null;

    /// <summary>Sets the child as the first one, or removes it.</summary>
    private static void Set(XElement rule, string localName, string? value)
    {
        rule.Elements().Where(e => e.Name.LocalName == localName).Remove();
        if (value is not null)
            rule.AddFirst(new XElement(localName, value));
    }

    /// <summary>Requests are documented without a namespace; answers may have one.</summary>
    private static XElement WithoutNamespaces(XElement element) => new(
        element.Name.LocalName,
        element.Attributes().Where(a => !a.IsNamespaceDeclaration).Select(a => new XAttribute(a.Name.LocalName, a.Value)),
        element.HasElements ? element.Elements().Select(WithoutNamespaces) : element.Value);
}
