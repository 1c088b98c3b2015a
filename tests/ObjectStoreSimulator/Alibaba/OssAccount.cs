using System.Collections.Immutable;
using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// OSS's ListBuckets, GetBucketLocation and GetBucketTags. Source: the help pages of the three calls and the Go SDK v2;
/// what a CloudBox lists is UNCONFIRMED: here its own buckets, and no endpoint of a region lists those.
/// </summary>
internal static class OssAccount
{
    private const int UsualPage = 100;
    private const int LargestPage = 1000;

    /// <summary>
    /// <c>prefix</c>, <c>marker</c>, <c>max-keys</c>, <c>tag-key</c> and <c>tag-value</c>. The head of the result is
    /// there only when something is cut off.
    /// </summary>
    public static (XElement? Document, StoreError? Refusal) List(StoreCall call, Account account, World world)
    {
        StoreAddress address = call.Address;
        int? size = AccountAnswers.SizeOf(address.Value("max-keys"), UsualPage, LargestPage);
        string? key = address.Value("tag-key");
        string? value = address.Value("tag-value");
        if (size is null || (value is not null && key is null))
        {
            return (null, OssErrors.InvalidListArgument);
        }

        BucketPage page = AccountAnswers.Page(
            AccountAnswers
                .BucketsOf(world, account)
                .Where(bucket =>
                    bucket.Value.CloudBoxId == address.CloudBoxId
                    && bucket.Key.StartsWith(address.Value("prefix") ?? "", StringComparison.Ordinal)
                    && (key is null || HasTag(bucket.Value, key, value))
                ),
            address.Value("marker"),
            size.Value,
            world.Settings.Values
        );
        XElement result = new("ListAllMyBucketsResult");
        if (page.Last is { } last)
        {
            result.Add(
                new XElement("Prefix", address.Value("prefix")),
                new XElement("Marker", address.Value("marker")),
                new XElement("MaxKeys", size),
                new XElement("IsTruncated", true),
                new XElement("NextMarker", last)
            );
        }

        result.Add(
            new XElement("Owner", new XElement("ID", account.Owner), new XElement("DisplayName", account.Owner)),
            new XElement("Buckets", page.Buckets.Select(bucket => Entry(bucket.Key, bucket.Value.Region)))
        );
        return (result, null);
    }

    public static XElement Location(BucketSettings bucket) => new("LocationConstraint", $"oss-{bucket.Region}");

    /// <summary>No tags are an empty set.</summary>
    public static XElement Tags(BucketSettings bucket) =>
        AccountAnswers.Tagging(XNamespace.None, bucket.Tags ?? ImmutableSortedDictionary<string, string>.Empty);

    private static bool HasTag(BucketSettings bucket, string key, string? value) =>
        bucket.Tags?.TryGetValue(key, out string? has) == true && (value is null || has == value);

    private static XElement Entry(string name, string region) =>
        new(
            "Bucket",
            new XElement("CreationDate", AccountAnswers.CreationDate),
            new XElement("ExtranetEndpoint", $"oss-{region}.aliyuncs.com"),
            new XElement("IntranetEndpoint", $"oss-{region}-internal.aliyuncs.com"),
            new XElement("Location", $"oss-{region}"),
            new XElement("Name", name),
            new XElement("Region", region),
            new XElement("StorageClass", "Standard")
        );
}
