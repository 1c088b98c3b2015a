using System.Xml.Linq;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>How OSS lists an account's buckets (help pages "ListBuckets" and "GetBucketLocation").</summary>
internal static class OssAccount
{
    /// <summary>The maximum.</summary>
    private const string PageSize = "1000";

    public static AccountShape Shape { get; } =
        new()
        {
            ListQuery = _ => [new("max-keys", PageSize)],
            Paging = ListPaging.Marker,
            PlaceOfEntry = PlaceOfEntry,
            PlaceOfLocation = (bucket, location) => AccountShape.PlaceOf(RegionOf(location), bucket),
        };

    /// <summary>
    /// A CloudBox has buckets of its own, and its list has no others (help page "List OSS on CloudBox buckets"); what
    /// regions it gives them is UNCONFIRMED.
    /// </summary>
    private static BucketPlace PlaceOfEntry(StoreAddress store, XElement entry) =>
        store.OptionsOr(OssOptions.Default).CloudBoxId is not null
            ? BucketPlace.Here
            : AccountShape.PlaceOf(
                RegionOf(VendorXml.Text(entry, "Region") ?? VendorXml.Text(entry, "Location")),
                store
            );

    /// <summary>
    /// The id of <c>cn-hangzhou</c>, <c>oss-cn-hangzhou</c>, and of the finance clouds' <c>oss-cn-hzfinance</c>.
    /// </summary>
    private static string? RegionOf(string? said) =>
        said is null ? null : OssDescription.Endpoints.RegionMeant(said, endpoint: null) ?? said;
}
