using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>Where Huawei Cloud OBS is, and what it offers. Facts and sources: docs/vendors/huawei.md.</summary>
internal static class ObsStores
{
    public static EndpointNames Endpoints { get; } = new(
        region => $"https://obs.{region}.myhuaweicloud.{(region.StartsWith("eu-", StringComparison.Ordinal) ? "eu" : "com")}",
        ["obs.{region}.myhuaweicloud.com", "obs.{region}.myhuaweicloud.eu"]);

    public static ShellNames Shell { get; } = new("obs", "huawei", RegionUse.None, new KeyVariables("OBS_ACCESS_KEY_ID", "OBS_SECRET_ACCESS_KEY", "OBS_SECURITY_TOKEN"));

    /// <summary>Virtual host only: in the path style the vendor's own clients leave the native signature, and do not agree on what is signed.</summary>
    public static StoreTraits Describe(StoreSettings settings) => new("HuaweiOBS", ["AES256", "KMS", "None"], [Addressing.VirtualHost])
    {
        DataEncryption = true,
        KeyProjects = true,
        BucketKeys = true,
        Partition = EndpointNames.DomainOf(settings.Endpoint, "myhuaweicloud.com", "myhuaweicloud.eu"),
    };
}
