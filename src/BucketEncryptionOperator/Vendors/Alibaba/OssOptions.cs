using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Alibaba;

internal enum OssSignature
{
    V4,
    V1,
}

/// <summary>What a store sets for Alibaba Cloud alone.</summary>
/// <param name="CloudBoxId">Takes the region's place in a V4 signature; null outside of a CloudBox.</param>
internal sealed record OssOptions(OssSignature Signature, string? CloudBoxId) : VendorOptions
{
    private const string SignatureVersion = "signatureVersion";
    private const string CloudBox = "cloudBoxId";

    /// <summary>A store that sets nothing.</summary>
    public static OssOptions Default { get; } = new(OssSignature.V4, CloudBoxId: null);

    /// <exception cref="SettingException">A setting is invalid.</exception>
    public static OssOptions Read(StoreSettings settings)
    {
        var cloudBox = settings.Find(CloudBox);
        if (cloudBox is not null && !StoreSettings.IsLabel(cloudBox.Value))
            throw new SettingException(cloudBox, "use lower-case letters, digits and hyphens, at most 63 characters");
        return new OssOptions(ReadSignature(settings.Find(SignatureVersion)), cloudBox?.Value);
    }

    private static OssSignature ReadSignature(VendorSetting? setting) =>
        setting?.Value switch
        {
            null => Default.Signature,
            nameof(OssSignature.V4) => OssSignature.V4,
            nameof(OssSignature.V1) => OssSignature.V1,
            _ => throw new SettingException(setting, "use V4 or V1"),
        };
}
