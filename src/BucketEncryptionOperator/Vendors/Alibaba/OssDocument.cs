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

    /// <summary>The document has three levels. Walks over what is far deeper would end in a stack overflow, which no catch can stop.</summary>
    private const int MaxDepth = 16;

    /// <summary>What is shown of an unknown algorithm; it is never written.</summary>
    private const int MaxAlgorithm = 64;

    /// <summary>A live key is written back as it was read, so a longer one must not be cut: then the document is not understood.</summary>
    private const int MaxKey = 1024;

    /// <returns>Null when the text is not such a document.</returns>
    public static BucketEncryption? Read(string xml)
    {
        if (Parse(xml) is not { Root: { } root } || root.Name.LocalName != Root)
            return null;
        var rule = Child(root, Default);
        var key = Text(rule, Key);
        if (Text(rule, Algorithm) is not { } algorithm || key?.Length > MaxKey)
            return null;
        return algorithm switch
        {
            "None" => new BucketEncryption.None(), // as GetBucketInfo says it
            "AES256" => new BucketEncryption.Aes256(),
            "SM4" => new BucketEncryption.Sm4(),
            "KMS" => new BucketEncryption.Kms(key, Text(rule, DataEncryption) switch
            {
                "SM4" => DataCipher.Sm4,
                null or "AES256" or "None" => DataCipher.Aes256,
                _ => DataCipher.Other,
            }),
            _ => new BucketEncryption.Other(Failure.Cut(algorithm, MaxAlgorithm)),
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
        if (algorithm != "KMS")
            rule.Elements().Where(e => e.Name.LocalName.StartsWith("KMS", StringComparison.Ordinal)).Remove(); // known or not, they go only with KMS
        // The order of the vendor's own SDKs, though none is documented.
        if (target is not BucketEncryption.Kms { Cipher: DataCipher.Other })
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
            using var reader = XmlReader.Create(new StringReader(xml.TrimStart('\uFEFF')), settings);
            var document = XDocument.Load(reader);
            return document.Descendants().Any(e => e.Ancestors().Skip(MaxDepth).Any()) ? null : document;
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

    /// <summary>Requests are documented without a namespace; answers may have one. Attributes keep theirs, or two could become one.</summary>
    private static XElement WithoutNamespaces(XElement root)
    {
        foreach (var element in root.DescendantsAndSelf())
        {
            element.Name = element.Name.LocalName;
            element.Attributes().Where(a => a.IsNamespaceDeclaration).Remove();
        }
        return root;
    }
}
