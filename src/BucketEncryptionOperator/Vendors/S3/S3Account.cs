using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.S3;

/// <summary>
/// How S3 lists an account's buckets. AWS does it in pages, over all regions of a partition; MinIO and Ceph are sites
/// with one region, whatever they call it, and list everything at once.
/// </summary>
internal static class S3Account
{
    /// <summary>
    /// AWS tells the region of a bucket in lists that are asked for in pages only. It allows ten times as many.
    /// </summary>
    private const string PageSize = "1000";

    public static AccountShape Shape { get; } =
        new()
        {
            ListQuery = store => IsAws(store) ? [new("max-buckets", PageSize)] : [],
            Paging = ListPaging.Token,
            PlaceOfEntry = (store, entry) =>
                IsAws(store) ? AccountShape.PlaceOf(VendorXml.Text(entry, "BucketRegion"), store) : BucketPlace.Here,
            PlaceOfLocation = (bucket, location) =>
                IsAws(bucket) ? AccountShape.PlaceOf(RegionOf(location), bucket) : BucketPlace.Here,
        };

    private static bool IsAws(VendorAddress address) => AwsPartition.OfHost(address.Endpoint.IdnHost) is not null;

    /// <summary>The first two regions keep what they were called before regions had names.</summary>
    private static string RegionOf(string location) =>
        location switch
        {
            "" => "us-east-1",
            "EU" => "eu-west-1",
            _ => location,
        };
}
