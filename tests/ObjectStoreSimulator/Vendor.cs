using ObjectStoreSimulator.Alibaba;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>Whose store a simulator is. Names are those of an ObjectStore's <c>spec.vendor</c>; MinIO is the other kind of S3.</summary>
internal enum Vendor
{
    AlibabaOSS,
}

internal static class Vendors
{
    public static IDialect Speak(this Vendor vendor, World world) => vendor switch
    {
        Vendor.AlibabaOSS => new AlibabaDialect(world),
        _ => throw new ArgumentOutOfRangeException(nameof(vendor), vendor, "No dialect."),
    };
}
