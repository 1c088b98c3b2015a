using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.Huawei;
using ObjectStoreSimulator.Identity;
using ObjectStoreSimulator.JDCloud;
using ObjectStoreSimulator.KeyServices;
using ObjectStoreSimulator.S3;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>
/// Whose store a simulator is. Names are those of a BucketStore's <c>spec.vendor</c>; its S3 is AWS here, and MinIO
/// the other kind.
/// </summary>
internal enum Vendor
{
    AlibabaOSS,
    HuaweiOBS,
    JDCloudOSS,
    S3,
    MinIO,
}

internal static class Vendors
{
    /// <summary>The vendor's store, token services and key service, on one port.</summary>
    public static IDialect Speak(this Vendor vendor, World world) =>
        new KeyServiceRoom(world, vendor, new IdentityRoom(world, StoreOf(vendor, world)));

    private static IDialect StoreOf(Vendor vendor, World world) =>
        vendor switch
        {
            Vendor.AlibabaOSS => new AlibabaDialect(world),
            Vendor.HuaweiOBS => new HuaweiDialect(world),
            Vendor.JDCloudOSS => new JDCloudDialect(world),
            Vendor.S3 => new S3Dialect(world, new AwsRules()),
            Vendor.MinIO => new S3Dialect(world, new MinioRules()),
            _ => throw new ArgumentOutOfRangeException(nameof(vendor), vendor, "No dialect."),
        };
}
