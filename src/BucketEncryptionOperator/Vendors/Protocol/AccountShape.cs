using System.Collections.Immutable;
using System.Xml.Linq;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>How a list that comes in pages goes on.</summary>
/// <param name="Element">Element of a page that says where the next one begins.</param>
/// <param name="Parameter">Query parameter that takes it.</param>
internal sealed record ListPaging(string Element, string Parameter)
{
    /// <summary>
    /// By names: <c>IsTruncated</c> says whether there is a next page, and each begins after a greater name.
    /// </summary>
    public static ListPaging Marker { get; } = new("NextMarker", "marker");

    /// <summary>By tokens: there is a next page while there is one, and each is another.</summary>
    public static ListPaging Token { get; } = new("ContinuationToken", "continuation-token");

    /// <summary>Whether the list comes nearer to its end.</summary>
    /// <param name="before">Where its pages have begun so far, the last one last.</param>
    public bool Advances(IReadOnlyList<string> before, string next) =>
        this == Marker
            ? before.Count == 0 || string.CompareOrdinal(next, before[^1]) > 0
            : !before.Contains(next, StringComparer.Ordinal);
}

/// <summary>How one vendor says what is in an account.</summary>
internal sealed record AccountShape
{
    /// <summary>Query of every page of the list, beside where the page begins.</summary>
    public Func<StoreAddress, ImmutableArray<KeyValuePair<string, string?>>> ListQuery { get; init; } = static _ => [];

    /// <summary>Null: the list has one page, and one that is cut off has no end.</summary>
    public ListPaging? Paging { get; init; }

    /// <summary>Whether an entry of the list is a bucket.</summary>
    public Func<XElement, bool> IsBucket { get; init; } = static _ => true;

    /// <summary>Returns where the bucket of an entry is.</summary>
    public required Func<StoreAddress, XElement, BucketPlace> PlaceOfEntry { get; init; }

    /// <summary>Root of the answer to <c>?location</c>.</summary>
    public string LocationRoot { get; init; } = "LocationConstraint";

    /// <summary>
    /// Returns where a bucket is by the text of the answer to <c>?location</c>; <see cref="BucketPlace.Unknown"/> for
    /// a text that says nothing.
    /// </summary>
    public required Func<BucketAddress, string, BucketPlace> PlaceOfLocation { get; init; }

    /// <summary>Returns one page of the list.</summary>
    /// <param name="begin">Where it begins, as the page before has said it; null for the first.</param>
    public Resource Page(StoreAddress store, string? begin)
    {
        var query = ListQuery(store);
        return begin is null || Paging is not { } paging
            ? new Resource(query)
            : new Resource(query.Add(new(paging.Parameter, begin)));
    }

    /// <param name="region">In the store's spelling; null or empty where the vendor does not say it.</param>
    public static BucketPlace PlaceOf(string? region, VendorAddress address) =>
        string.IsNullOrEmpty(region) ? BucketPlace.Unknown
        : region == address.Region ? BucketPlace.Here
        : BucketPlace.Elsewhere;
}
