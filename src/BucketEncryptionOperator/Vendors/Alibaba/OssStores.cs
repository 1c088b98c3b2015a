using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Alibaba;

internal enum OssSignature
{
    V4,
    V1,
}

/// <param name="CloudBoxId">Takes the region's place in a V4 signature; null outside of a CloudBox.</param>
internal sealed record OssOptions(OssSignature Signature, string? CloudBoxId) : VendorOptions;

/// <summary>Where Alibaba Cloud OSS is, and what it offers. Facts and sources: docs/vendors/alibaba.md.</summary>
internal static class OssStores
{
    public static EndpointNames Endpoints { get; } = new(
        region => $"https://oss-{region}.aliyuncs.com",
        [
            "oss-{region}.aliyuncs.com",
            "oss-{region}-internal.aliyuncs.com",
            "{region}.oss.aliyuncs.com", // dual stack
            "*.{region}.oss-cloudbox.aliyuncs.com",
            "*.{region}.oss-cloudbox-control.aliyuncs.com",
        ],
        "oss-accelerate.aliyuncs.com",
        "oss-accelerate-overseas.aliyuncs.com");

    public static ShellNames Shell { get; } = new(
        "oss", "alibaba", RegionUse.InSignature4,
        new KeyVariables("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"),
        new KeyVariables("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"))
    {
        RegionVariables = ["OSS_REGION"],
    };

    public static StoreTraits Describe(StoreSettings settings)
    {
        var options = new OssOptions(settings.SignatureVersion == "V1" ? OssSignature.V1 : OssSignature.V4, settings.CloudBoxId);
        return settings.CloudBoxId is null
            ? new StoreTraits("AlibabaOSS", ["AES256", "KMS", "SM4", "None"], [Addressing.VirtualHost, Addressing.Path, Addressing.CName])
            {
                DataEncryption = true,
                Partition = EndpointNames.DomainOf(settings.Endpoint, "aliyuncs.com"),
                Options = options,
            }
            : new StoreTraits("AlibabaOSS on a CloudBox", ["AES256", "None"], [Addressing.VirtualHost, Addressing.Path])
            {
                NeedsEndpoint = true,
                Partition = settings.CloudBoxId,
                Options = options,
            };
    }
}
