using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>
/// How OBS lists an account's buckets (API reference, "Listing buckets"; paging: the vendor's Go SDK).
/// </summary>
internal static class ObsAccount
{
    private const string FileSystem = "POSIX";

    /// <summary>Asks for buckets only. A parallel file system that is listed all the same is left out.</summary>
    public static KeyValuePair<string, string> NoFileSystems { get; } = new("x-obs-bucket-type", "OBJECT");

    /// <summary>The size of a page is the vendor's own; no number is documented.</summary>
    public static AccountShape Shape { get; } =
        new()
        {
            Paging = ListPaging.Marker,
            IsBucket = entry => VendorXml.Text(entry, "BucketType") != FileSystem,
            PlaceOfEntry = (store, entry) => AccountShape.PlaceOf(VendorXml.Text(entry, "Location"), store),
            LocationRoot = "Location",
            PlaceOfLocation = (bucket, location) => AccountShape.PlaceOf(location, bucket),
        };
}
