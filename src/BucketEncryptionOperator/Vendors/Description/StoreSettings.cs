using System.Collections.Immutable;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>A setting of a store that only one vendor knows.</summary>
/// <param name="Name">The name by which the vendor finds it.</param>
/// <param name="Where">Where its author wrote it, for messages.</param>
internal sealed record VendorSetting(string Name, string Where, string Value);

/// <summary>A vendor does not accept a setting.</summary>
/// <param name="advice">What is accepted.</param>
internal sealed class SettingException(VendorSetting setting, string advice)
    : Exception($"{setting.Where}: \"{setting.Value}\" is not valid: {advice}.");

/// <summary>What the author of a store says, whatever form it was written in.</summary>
/// <param name="Endpoint">As given, or the vendor's default.</param>
internal sealed record StoreSettings(string Region, Uri Endpoint)
{
    /// <summary>Settings for the vendor alone. A vendor ignores those that it does not know.</summary>
    public ImmutableArray<VendorSetting> ForVendor { get; init; } = [];

    public VendorSetting? Find(string name) => ForVendor.FirstOrDefault(s => s.Name == name);

    /// <summary>Whether a text can be a part of a host name, as regions and ids of installations are.</summary>
    public static bool IsLabel(string text) =>
        text.Length <= DnsName.MaxLabel && DnsName.IsLabel(text, edgeHyphens: true);
}
