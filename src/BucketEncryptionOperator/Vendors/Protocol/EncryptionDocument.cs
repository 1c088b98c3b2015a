using System.Xml.Linq;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>How one vendor writes the document that all vendors have.</summary>
/// <param name="Root">Name of the outermost element.</param>
/// <param name="HasRule">The root has a level <c>Rule</c> below it.</param>
/// <param name="Namespace">Namespace of requests; may be empty.</param>
/// <param name="Kms">Names of the algorithm KMS: the first is written, the others are understood too.</param>
internal sealed record DocumentShape(string Root, bool HasRule, string Namespace, params IReadOnlyList<string> Kms)
{
    /// <summary>Name of the algorithm DSSE; null: the vendor has none.</summary>
    public string? Dsse { get; init; }

    /// <summary>
    /// The document says what is blocked. Elsewhere that element is one of those that are not known.
    /// </summary>
    public bool SaysBlocked { get; init; }

    /// <summary>A bucket key may stay switched on beside AES256, which makes no use of it.</summary>
    public bool TakesIdleBucketKey { get; init; }
}

/// <summary>
/// The body of the three operations: <c>root / [Rule /] ApplyServerSideEncryptionByDefault / SSEAlgorithm,
/// KMSMasterKeyID?, KMSDataEncryption?, ProjectID?</c>, and beside the last level <c>BucketKeyEnabled?,
/// BlockedEncryptionTypes? / EncryptionType+</c>. Reading goes by local names, in any order and namespace. Writing
/// starts from what was read and touches only these.
/// </summary>
internal sealed class EncryptionDocument(DocumentShape shape)
{
    private const string RuleName = "Rule";
    private const string Default = "ApplyServerSideEncryptionByDefault";
    private const string Algorithm = "SSEAlgorithm";
    private const string Key = "KMSMasterKeyID";
    private const string DataEncryption = "KMSDataEncryption";
    private const string Project = "ProjectID";
    private const string BucketKey = "BucketKeyEnabled";
    private const string BucketKeyWords = "BucketKey"; // also BucketKeyRotationPeriod
    private const string Blocked = "BlockedEncryptionTypes";
    private const string BlockedType = "EncryptionType";

    /// <summary>What is shown of an unknown algorithm, or of a blocked type; it is never written.</summary>
    private const int MaxWord = 64;

    /// <summary>Blocked types that are looked at. One is known.</summary>
    private const int MaxBlocked = 8;

    /// <summary>
    /// A live key or project is written back as it was read, so a longer one must not be cut: then the document is not
    /// understood.
    /// </summary>
    private const int MaxId = 1024;

    private readonly XNamespace _namespace = shape.Namespace;

    /// <summary>Name of the document, for messages.</summary>
    public string Name => shape.Root;

    /// <summary>Whether the root is this document's, understood or not.</summary>
    public bool IsRoot(XElement? root) => root?.Name.LocalName == shape.Root;

    /// <returns>Null when the text is not such a document, or is not understood.</returns>
    public BucketEncryption? Read(string xml) => Read(VendorXml.Parse(xml));

    /// <inheritdoc cref="Read(string)"/>
    public BucketEncryption? Read(XElement? document)
    {
        var (root, rule, inner) = Levels(document);
        if (root is null)
            return null;
        var encryption = SaysNothing(root, rule, inner) ? new BucketEncryption.None() : ReadDefault(rule, inner);
        return encryption is null
            ? null
            : encryption with
            {
                IdleBucketKey = encryption is not BucketEncryption.Kms && SaysBucketKey(rule),
                Blocked = BlockedIn(rule),
            };
    }

    private BucketEncryption? ReadDefault(XElement? rule, XElement? inner)
    {
        var (key, project) = (VendorXml.Text(inner, Key), VendorXml.Text(inner, Project));
        if (VendorXml.Text(inner, Algorithm) is not { } algorithm || key?.Length > MaxId || project?.Length > MaxId)
            return null;
        if (shape.Kms.Contains(algorithm, StringComparer.Ordinal))
        {
            var cipher = VendorXml.Text(inner, DataEncryption) switch
            {
                "SM4" => DataCipher.Sm4,
                null or "AES256" or "None" => DataCipher.Aes256,
                _ => DataCipher.Other,
            };
            return new BucketEncryption.Kms(key, cipher, key is null ? null : project, SaysBucketKey(rule));
        }
        return algorithm switch
        {
            // As Alibaba Cloud's GetBucketInfo says it
            "None" => new BucketEncryption.None(),
            "AES256" => new BucketEncryption.Aes256(),
            "SM4" => new BucketEncryption.Sm4(),
            _ when algorithm == shape.Dsse => new BucketEncryption.Dsse(key),
            _ => new BucketEncryption.Other(Failure.Cut(algorithm, MaxWord)),
        };
    }

    /// <summary>
    /// Returns the request that sets <paramref name="target"/> in <paramref name="basis"/> and keeps the rest. Without
    /// a basis: the shortest request that sets it.
    /// </summary>
    public string Write(BucketEncryption target, string? basis)
    {
        var (root, rule, inner) = Levels(basis is null ? null : VendorXml.Parse(basis));
        root ??= new XElement(shape.Root);
        if (!shape.HasRule)
            rule = root;
        else if (rule is null)
            root.Add(rule = new XElement(RuleName));
        if (inner is null)
            rule.Add(inner = new XElement(Default));
        switch (target)
        {
            case BucketEncryption.Aes256 or BucketEncryption.Sm4:
                // Known or not, they go only with KMS.
                inner
                    .Elements()
                    .Where(e =>
                        e.Name.LocalName.StartsWith("KMS", StringComparison.Ordinal) || e.Name.LocalName == Project
                    )
                    .Remove();
                if (!shape.TakesIdleBucketKey || (SaysBucketKey(rule) && !target.IdleBucketKey))
                    rule.Elements()
                        .Where(e => e.Name.LocalName.StartsWith(BucketKeyWords, StringComparison.Ordinal))
                        .Remove();
                Set(inner, Algorithm, target is BucketEncryption.Sm4 ? "SM4" : "AES256");
                break;
            case BucketEncryption.Kms kms:
                // From the last to the first: the order of the vendors' own SDKs, though none is documented to matter.
                Set(inner, Project, kms.ProjectId);
                if (kms.Cipher != DataCipher.Other)
                    Set(inner, DataEncryption, kms.Cipher == DataCipher.Sm4 ? "SM4" : null);
                Set(inner, Key, kms.KeyId);
                Set(inner, Algorithm, shape.Kms[0]);
                SetBucketKey(rule, kms.BucketKeyEnabled);
                break;
            case BucketEncryption.Dsse dsse when shape.Dsse is { } name:
                Set(inner, Project, value: null);
                Set(inner, DataEncryption, value: null);
                Set(inner, Key, dsse.KeyId);
                Set(inner, Algorithm, name);
                SetBucketKey(rule, enabled: false);
                break;
            // What is not understood stays as it is; what is blocked beside it may change.
            case BucketEncryption.Other other when ReadDefault(rule, inner) == other:
                break;
            default:
                throw new ArgumentException($"{target} cannot be put", nameof(target));
        }
        if (shape.SaysBlocked && target.Blocked is { } blocked && blocked != BlockedIn(rule))
            SetBlocked(rule, blocked);
        return InNamespace(root).ToString(SaveOptions.DisableFormatting);
    }

    /// <summary>
    /// Returns the request that says the same as <paramref name="read"/>, an answer that <see cref="Read(string)"/>
    /// understands.
    /// </summary>
    public string Repeat(string read) =>
        InNamespace(VendorXml.Parse(read) ?? throw new ArgumentException("no such document", nameof(read)))
            .ToString(SaveOptions.DisableFormatting);

    /// <summary>
    /// The levels of a document; where there is no level <c>Rule</c>, the root takes its place. All null when it is
    /// another document.
    /// </summary>
    private (XElement? Root, XElement? Rule, XElement? Inner) Levels(XElement? root)
    {
        root = root?.Name.LocalName == shape.Root ? root : null;
        var rule = shape.HasRule ? VendorXml.Child(root, RuleName) : root;
        // It is not documented which of two rules counts.
        return shape.HasRule && root?.Elements().Count(e => e.Name.LocalName == RuleName) > 1
            ? default
            : (root, rule, VendorXml.Child(rule, Default));
    }

    /// <summary>
    /// Whether the document sets no default encryption: no rule, or a rule that only blocks something, or an empty
    /// algorithm. An element that this version does not know may set a default in another way, so it does not count as
    /// nothing.
    /// </summary>
    private bool SaysNothing(XElement root, XElement? rule, XElement? inner) =>
        (!shape.HasRule || HasOnly(root, name => name == RuleName))
        && (
            rule is null
            || HasOnly(
                rule,
                name => name is Default or Blocked || name.StartsWith(BucketKeyWords, StringComparison.Ordinal)
            )
        )
        && (inner is null || HasOnly(inner, name => name is Algorithm or Key or DataEncryption or Project))
        && string.IsNullOrWhiteSpace(inner?.Value);

    /// <summary>The element has no other children than these, and no text.</summary>
    private static bool HasOnly(XElement element, Func<string, bool> isKnown) =>
        element.Elements().All(e => isKnown(e.Name.LocalName))
        && element.Nodes().OfType<XText>().All(t => string.IsNullOrWhiteSpace(t.Value));

    private static bool SaysBucketKey(XElement? rule) =>
        string.Equals(VendorXml.Text(rule, BucketKey), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// "false" is written only over another value: vendors that do not know the element need not see it.
    /// </summary>
    private static void SetBucketKey(XElement rule, bool enabled)
    {
        if (SaysBucketKey(rule) == enabled)
            return;
        rule.Elements().Where(e => e.Name.LocalName == BucketKey).Remove();
        VendorXml.Child(rule, Default)?.AddAfterSelf(new XElement(BucketKey, enabled));
    }

    /// <returns>Null: the document does not say.</returns>
    private BlockedTypes? BlockedIn(XElement? rule) =>
        shape.SaysBlocked && VendorXml.Child(rule, Blocked) is { } blocked
            ? BlockedTypes.Of(
                blocked
                    .Elements()
                    .Where(e => e.Name.LocalName == BlockedType && e.Value.Trim().Length > 0)
                    .Select(e => Failure.Cut(e.Value.Trim(), MaxWord))
                    .Take(MaxBlocked)
            )
            : null;

    private static void SetBlocked(XElement rule, BlockedTypes types)
    {
        rule.Elements().Where(e => e.Name.LocalName == Blocked).Remove();
        rule.Add(new XElement(Blocked, types.Words.Select(w => new XElement(BlockedType, w))));
    }

    /// <summary>Sets the child as the first one, or removes it.</summary>
    private static void Set(XElement inner, string localName, string? value)
    {
        inner.Elements().Where(e => e.Name.LocalName == localName).Remove();
        if (value is not null)
            inner.AddFirst(new XElement(localName, value));
    }

    /// <summary>
    /// Answers come in namespaces that differ; a request has one. Attributes keep theirs, or two could become one.
    /// </summary>
    private XElement InNamespace(XElement root)
    {
        foreach (var element in root.DescendantsAndSelf())
        {
            element.Name = _namespace + element.Name.LocalName;
            element.Attributes().Where(a => a.IsNamespaceDeclaration).Remove();
        }
        return root;
    }
}
