using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.JDCloud;

/// <summary>
/// JD Cloud's list of buckets, their location and their tags. The list has no regions and no pages, and whether it has
/// the buckets of all regions is UNCONFIRMED: here it has. Source: the vendor's pages of the calls.
/// </summary>
internal static class JDCloudAccount
{
    /// <summary>As the page's sample has it, without a slash at the end.</summary>
    private static readonly XNamespace Space = "http://s3.amazonaws.com/doc/2006-03-01";

    public static XElement List(Account account, World world) =>
        new(
            Space + "ListAllMyBucketsResult",
            new XElement(
                Space + "Owner",
                new XElement(Space + "ID", account.Owner),
                new XElement(Space + "DisplayName", account.Owner)
            ),
            new XElement(
                Space + "Buckets",
                AccountAnswers
                    .BucketsOf(world, account)
                    .Select(bucket => new XElement(
                        Space + "Bucket",
                        new XElement(Space + "Name", bucket.Key),
                        new XElement(Space + "CreationDate", AccountAnswers.CreationDate)
                    ))
            )
        );

    /// <summary>In the old names, which are announced to become the ids.</summary>
    public static XElement Location(BucketSettings bucket) =>
        new(
            Space + "LocationConstraint",
            bucket.Region switch
            {
                "cn-north-1" => "huabei",
                "cn-east-1" => "suqian",
                "cn-east-2" => "shanghai",
                "cn-south-1" => "guangzhou",
                var id => id,
            }
        );

    /// <summary>What the vendor says where there are none is UNCONFIRMED.</summary>
    public static XElement? Tags(BucketSettings bucket) =>
        bucket.Tags is { Count: > 0 } tags ? AccountAnswers.Tagging(XNamespace.None, tags) : null;
}
