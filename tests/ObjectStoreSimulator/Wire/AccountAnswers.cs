using System.Collections.Immutable;
using System.Xml.Linq;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator.Wire;

/// <summary>One page of the buckets of an account, in the order of their names.</summary>
/// <param name="Last">Name of the last bucket, when more follow; else null.</param>
internal sealed record BucketPage(ImmutableArray<KeyValuePair<string, BucketSettings>> Buckets, string? Last);

/// <summary>What dialects share of their answers about an account and its buckets.</summary>
internal static class AccountAnswers
{
    /// <summary>The simulator keeps no time of creation.</summary>
    public const string CreationDate = "2026-01-01T00:00:00.000Z";

    /// <summary>What the key's account owns, whatever the region.</summary>
    public static IEnumerable<KeyValuePair<string, BucketSettings>> BucketsOf(World world, Account account) =>
        world.Buckets.All.Where(bucket => bucket.Value.Owner == account.Owner);

    /// <param name="buckets">In the order of their names.</param>
    /// <param name="after">Names up to this one have been listed.</param>
    /// <param name="size">The vendor's size of a page; the setting <c>listPageSize</c> makes it smaller.</param>
    public static BucketPage Page(
        IEnumerable<KeyValuePair<string, BucketSettings>> buckets,
        string? after,
        int size,
        SettingValues settings
    )
    {
        ImmutableArray<KeyValuePair<string, BucketSettings>> rest =
        [
            .. buckets.Where(bucket => after is null || string.CompareOrdinal(bucket.Key, after) > 0),
        ];
        int length = Math.Min(size, settings.ListPageSize ?? size);
        return rest.Length <= length
            ? new BucketPage(rest, Last: null)
            : new BucketPage([.. rest.Take(length)], rest[length - 1].Key);
    }

    /// <param name="asked">A size that the client asks for, as it was sent.</param>
    /// <returns>The size, or null when it is not a number from 1 to <paramref name="max"/>.</returns>
    public static int? SizeOf(string? asked, int usual, int max) =>
        asked is null ? usual
        : int.TryParse(asked, out int size) && size >= 1 && size <= max ? size
        : null;

    public static XElement Tagging(XNamespace space, IReadOnlyDictionary<string, string> tags) =>
        new(
            space + "Tagging",
            new XElement(
                space + "TagSet",
                tags.Select(tag => new XElement(
                    space + "Tag",
                    new XElement(space + "Key", tag.Key),
                    new XElement(space + "Value", tag.Value)
                ))
            )
        );

    /// <summary>How most vendors say that a bucket has no tags.</summary>
    public static StoreError NoTags(SettingValues settings) =>
        new(404, settings.NoTagsCode ?? "NoSuchTagSet", "The TagSet does not exist");
}
