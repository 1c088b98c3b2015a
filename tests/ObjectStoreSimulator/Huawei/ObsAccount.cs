using System.Xml.Linq;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// OBS's list of buckets, their location and their tags, in OBS's words or in AWS's. Source: the API pages of the three
/// calls; paging: the vendor's Go SDK, and its default size is UNCONFIRMED.
/// </summary>
internal static class ObsAccount
{
    private const int LargestPage = 1000;

    private static readonly XNamespace Space = "http://obs.myhwclouds.com/doc/2015-06-30/";

    /// <summary>
    /// <c>marker</c> and <c>max-keys</c>, and the header <c>x-obs-bucket-type</c>. In AWS's words the location comes
    /// only if <c>x-amz-location</c> asks for it.
    /// </summary>
    public static (XElement? Document, StoreError? Refusal) List(StoreCall call, Account account, World world)
    {
        StoreAddress address = call.Address;
        ObsWords words = ObsWords.Of(call.Request);
        string? kind = call.Request.Header(words.HeaderPrefix + "bucket-type");
        int? size = AccountAnswers.SizeOf(address.Value("max-keys"), LargestPage, LargestPage);
        if (size is null || kind is not (null or "OBJECT" or "POSIX"))
        {
            return (null, ObsErrors.InvalidListArgument);
        }

        BucketPage page = AccountAnswers.Page(
            AccountAnswers.BucketsOf(world, account).Where(bucket => kind is null || kind == KindOf(bucket.Value)),
            address.Value("marker"),
            size.Value,
            world.Settings.Values
        );
        bool tellsLocation = words == ObsWords.Native || call.Request.Header("x-amz-location") == "true";
        XElement result = new(
            Space + "ListAllMyBucketsResult",
            new XElement(Space + "Owner", new XElement(Space + "ID", account.Owner)),
            new XElement(
                Space + "Buckets",
                page.Buckets.Select(bucket => new XElement(
                    Space + "Bucket",
                    new XElement(Space + "Name", bucket.Key),
                    new XElement(Space + "CreationDate", AccountAnswers.CreationDate),
                    tellsLocation ? new XElement(Space + "Location", bucket.Value.Region) : null,
                    new XElement(Space + "BucketType", KindOf(bucket.Value))
                ))
            )
        );
        if (page.Last is { } last)
        {
            result.Add(
                new XElement(Space + "IsTruncated", true),
                new XElement(Space + "MaxKeys", size),
                new XElement(Space + "NextMarker", last)
            );
        }

        return (result, null);
    }

    public static XElement Location(BucketSettings bucket, ObsWords words) =>
        words == ObsWords.Native
            ? new XElement(Space + "Location", bucket.Region)
            : new XElement(
                Space + "CreateBucketConfiguration",
                new XElement(Space + "LocationConstraint", bucket.Region)
            );

    public static XElement? Tags(BucketSettings bucket) =>
        bucket.Tags is { Count: > 0 } tags ? AccountAnswers.Tagging(Space, tags) : null;

    private static string KindOf(BucketSettings bucket) =>
        bucket.FileSystem == FileSystemKind.None ? "OBJECT" : "POSIX";
}
