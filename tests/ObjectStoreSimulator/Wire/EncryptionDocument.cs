using System.Collections.Immutable;
using System.Xml.Linq;

namespace ObjectStoreSimulator.Wire;

/// <summary>
/// S3's document, which Huawei and JD Cloud share: <c>ServerSideEncryptionConfiguration</c> &gt; one <c>Rule</c> &gt;
/// one <c>ApplyServerSideEncryptionByDefault</c> &gt; one <c>SSEAlgorithm</c>. Names are compared without their
/// namespace. What the elements mean is each vendor's own business.
/// </summary>
internal sealed class EncryptionDocument
{
    public const string Algorithm = "SSEAlgorithm";
    public const string KeyId = "KMSMasterKeyID";
    public const string DataEncryption = "KMSDataEncryption";
    public const string ProjectId = "ProjectID";
    public const string BucketKeyEnabled = "BucketKeyEnabled";
    public const string BucketKeyRotationPeriod = "BucketKeyRotationPeriod";
    public const string Blocked = "BlockedEncryptionTypes";
    public const string Apply = "ApplyServerSideEncryptionByDefault";

    private const string Root = "ServerSideEncryptionConfiguration";

    private readonly XElement _rule;
    private readonly XElement _apply;

    private EncryptionDocument(XElement rule, XElement apply)
    {
        _rule = rule;
        _apply = apply;
    }

    /// <summary>Null: not this document. A known element that is there twice makes it another, too.</summary>
    public static EncryptionDocument? Read(ReadOnlyMemory<byte> body) =>
        StoreXml.Parse(body) is { } root
        && root.Name.LocalName == Root
        && StoreXml.Only(root, "Rule") is { } rule
        && StoreXml.Only(rule, Apply) is { } apply
        && StoreXml.Only(apply, Algorithm) is not null
        && apply
            .Elements()
            .Concat(rule.Elements())
            .GroupBy(element => element.Name.LocalName, StringComparer.Ordinal)
            .All(group => group.Count() == 1)
            ? new EncryptionDocument(rule, apply)
            : null;

    /// <summary>An element's text, wherever in the rule it stands. Null: absent or empty.</summary>
    public string? this[string name] => StoreXml.Text(_apply, name) ?? StoreXml.Text(_rule, name);

    /// <summary>Untrimmed; null when absent.</summary>
    public string? Raw(string name) => (StoreXml.Only(_apply, name) ?? StoreXml.Only(_rule, name))?.Value;

    /// <summary>The types below <see cref="Blocked"/>; null: the element is absent.</summary>
    public ImmutableArray<string>? BlockedTypes() =>
        StoreXml.Only(_rule, Blocked) is { } blocked
            ? [.. StoreXml.Children(blocked, "EncryptionType").Select(type => type.Value.Trim())]
            : null;

    /// <summary>
    /// The same document as GET is to give it: known elements that have a text, in the order of
    /// <paramref name="known"/>, then what is not known.
    /// </summary>
    /// <param name="space">The vendor's namespace.</param>
    /// <param name="known">Elements, in GET's order; those of the rule after <see cref="Apply"/> or before.</param>
    /// <param name="keepUnknown">False: elements that are not known are dropped.</param>
    public string Stored(XNamespace space, ImmutableArray<string> known, bool keepUnknown)
    {
        XElement apply = new(Apply, InOrder(_apply, known, keepUnknown));
        XElement[] beside =
        [
            .. InOrder(_rule, known, keepUnknown).Select(element => element.Name.LocalName == Apply ? apply : element),
        ];
        return StoreXml
            .InNamespace(new XElement(Root, new XElement("Rule", beside)), space)
            .ToString(SaveOptions.DisableFormatting);
    }

    private static IEnumerable<XElement> InOrder(XElement parent, ImmutableArray<string> known, bool keepUnknown) =>
        parent
            .Elements()
            .Where(element =>
                known.Contains(element.Name.LocalName, StringComparer.Ordinal)
                    ? StoreXml.HasText(element) || element.HasElements
                    : keepUnknown
            )
            .OrderBy(element => known.IndexOf(element.Name.LocalName) is >= 0 and var place ? place : int.MaxValue)
            .Select(element =>
                element.HasElements
                    ? new XElement(element)
                    : new XElement(element.Name, element.Attributes(), element.Value.Trim())
            );
}
