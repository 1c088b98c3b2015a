using System.Collections.Immutable;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>A document about an account or a bucket of it, which a read must be answered with.</summary>
internal interface IAccountDocument
{
    /// <summary>Local name of its root.</summary>
    string Root { get; }

    /// <summary>Maximum size: bytes on the wire, and characters.</summary>
    int MaxSize { get; }

    /// <summary>Whether everything in the document that counts is understood.</summary>
    /// <param name="root">Has the name <see cref="Root"/>.</param>
    bool Understands(XElement root);
}

/// <summary>One page of the list of an account's buckets.</summary>
/// <param name="Next">Where the next page begins; null after the last one.</param>
internal sealed record BucketListPage(ImmutableArray<ListedBucket> Buckets, string? Next);

/// <summary>
/// The answer to <c>GET /</c>: <c>ListAllMyBucketsResult / Buckets / Bucket* / Name</c>, and beside <c>Buckets</c>
/// whether and where the list goes on.
/// </summary>
internal sealed class BucketListDocument(AccountShape shape, StoreAddress store) : IAccountDocument
{
    /// <summary>Far beyond any vendor's limit for a name. A longer one is not a name.</summary>
    private const int MaxName = 255;

    public string Root => "ListAllMyBucketsResult";

    /// <summary>
    /// Enough for 1 000 entries of Alibaba Cloud's, the longest, with half a KiB each, and for 25 000 of Ceph's, which
    /// come all at once.
    /// </summary>
    public int MaxSize => VendorXml.MaxLongSize;

    public bool Understands(XElement root) => Read(root) is not null;

    /// <returns>Null when something is not understood: nothing may be concluded from the rest.</returns>
    public BucketListPage? Read(XElement root)
    {
        var lists = root.Elements().Where(e => e.Name.LocalName == "Buckets").ToList();
        var (isKnown, next) = ReadNext(root);
        if (lists is not [var list] || !isKnown)
            return null;
        var found = ImmutableArray.CreateBuilder<ListedBucket>();
        foreach (var entry in list.Elements())
        {
            if (
                entry.Name.LocalName != "Bucket"
                || VendorXml.Text(entry, "Name") is not { Length: <= MaxName } name
                || entry.Elements().Count(e => e.Name.LocalName == "Name") > 1
            )
                return null;
            if (shape.IsBucket(entry))
                found.Add(new ListedBucket(name, shape.PlaceOfEntry(store, entry)));
        }
        return new BucketListPage(found.DrainToImmutable(), next);
    }

    /// <summary>A list that says that it is cut off, and not how it goes on, is not understood.</summary>
    private (bool IsKnown, string? Next) ReadNext(XElement root)
    {
        bool? isCut = VendorXml.Text(root, "IsTruncated")?.ToLowerInvariant() switch
        {
            null or "false" => false,
            "true" => true,
            _ => null,
        };
        var next = shape.Paging is { } paging ? VendorXml.Text(root, paging.Element) : null;
        if (shape.Paging == ListPaging.Token && next is not null)
            isCut = true;
        return isCut switch
        {
            true => (next is not null, next),
            false => (true, null),
            null => (false, null),
        };
    }
}

/// <summary>The answer to <c>?location</c>: one element with a text.</summary>
internal sealed class LocationDocument(AccountShape shape, BucketAddress bucket) : IAccountDocument
{
    public string Root => shape.LocationRoot;

    public int MaxSize => VendorXml.MaxSize;

    public bool Understands(XElement root) => Read(root) != BucketPlace.Unknown;

    public BucketPlace Read(XElement root) =>
        root.HasElements ? BucketPlace.Unknown : shape.PlaceOfLocation(bucket, root.Value.Trim());
}

/// <summary>The answer to <c>?tagging</c>: <c>Tagging / TagSet? / Tag* / Key, Value</c>.</summary>
internal sealed class TaggingDocument : IAccountDocument
{
    public string Root => "Tagging";

    public int MaxSize => VendorXml.MaxSize;

    public bool Understands(XElement root) => Read(root) is not null;

    /// <returns>Null when something is not understood, and when a key stands there twice.</returns>
    public static ImmutableDictionary<string, string>? Read(XElement root)
    {
        var tags = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var sets = root.Elements().ToList();
        if (sets.Count > 1 || sets.Exists(s => s.Name.LocalName != "TagSet"))
            return null;
        foreach (var tag in sets.Elements())
        {
            if (
                tag.Name.LocalName != "Tag"
                || VendorXml.Child(tag, "Key")?.Value is not { Length: > 0 } key
                || VendorXml.Child(tag, "Value")?.Value is not { } value
                || !tags.TryAdd(key, value)
            )
                return null;
        }
        return tags.ToImmutable();
    }
}
