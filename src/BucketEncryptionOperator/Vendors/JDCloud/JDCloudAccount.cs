using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.JDCloud;

/// <summary>
/// How JD Cloud lists an account's buckets: all at once, and without their regions, which each bucket is asked for.
/// </summary>
internal static class JDCloudAccount
{
    public static AccountShape Shape { get; } =
        new()
        {
            PlaceOfEntry = static (_, _) => BucketPlace.Unknown,
            PlaceOfLocation = (bucket, location) => AccountShape.PlaceOf(RegionOf(location), bucket),
        };

    /// <summary>The old names are announced to become the ids.</summary>
    private static string RegionOf(string location) =>
        location switch
        {
            "huabei" => "cn-north-1",
            "suqian" => "cn-east-1",
            "shanghai" => "cn-east-2",
            "guangzhou" => "cn-south-1",
            _ => location,
        };
}
