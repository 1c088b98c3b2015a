using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Huawei;

/// <summary>
/// Where Huawei Cloud OBS and the same service of its partners' clouds are, and what it offers. Facts and sources:
/// docs/vendors/huawei.md.
/// </summary>
internal static class ObsDescription
{
    private const string Huawei = "myhuaweicloud.com";
    private const string HuaweiEurope = "myhuaweicloud.eu";
    private const string OpenTelekomCloud = "otc.t-systems.com";
    private const string FlexibleEngine = "prod-cloud-ocb.orange-business.com";
    private const string CloudRu = "hc.sbercloud.ru";
    private const string G42Cloud = "g42cloud.com";

    public static EndpointNames Endpoints { get; } =
        new(
            Default,
            [
                $"obs.{{region}}.{Huawei}",
                $"obs.{{region}}.{HuaweiEurope}",
                $"obs.{{region}}.{OpenTelekomCloud}",
                $"oss.{{region}}.{FlexibleEngine}",
                $"obs.{{region}}.{CloudRu}",
                $"obs.{{region}}.{G42Cloud}",
            ]
        )
        {
            Superseded = [$"obs.{Huawei}"],
            Partition = endpoint =>
                EndpointNames.DomainOf(
                    endpoint,
                    Huawei,
                    HuaweiEurope,
                    OpenTelekomCloud,
                    FlexibleEngine,
                    CloudRu,
                    G42Cloud
                ),
        };

    /// <summary>
    /// The key services, in the same domains. Of the partners' only Open Telekom Cloud's is confirmed.
    /// </summary>
    public static EndpointNames KeyServices { get; } =
        new(
            static region => KeyServiceOf(Default(region)),
            [
                .. ((string[])[Huawei, HuaweiEurope, OpenTelekomCloud, FlexibleEngine, CloudRu, G42Cloud]).Select(d =>
                    $"kms.{{region}}.{d}"
                ),
            ]
        );

    public static ShellNames Shell { get; } =
        new(
            "obs",
            "huawei",
            RegionUse.None,
            new KeyVariables("OBS_ACCESS_KEY_ID", "OBS_SECRET_ACCESS_KEY", "OBS_SECURITY_TOKEN")
        );

    /// <summary>
    /// Virtual host only: in the path style the vendor's own clients leave the native signature, and do not agree on
    /// what is signed.
    /// </summary>
    public static StoreTraits Traits { get; } =
        new("HuaweiOBS", ["AES256", "KMS", "None"], [Addressing.VirtualHost])
        {
            DataEncryption = true,
            KeyProjects = true,
            BucketKeys = true,
        };

    /// <summary>
    /// Returns the key service of the region and cloud that an endpoint of an object store is in; null for an endpoint
    /// that is none of these.
    /// </summary>
    public static Uri? KeyServiceBeside(Uri endpoint) =>
        Endpoints.Contain(endpoint) ? new Uri(KeyServiceOf($"https://{endpoint.IdnHost}")) : null;

    /// <summary>The service's name is the first label.</summary>
    private static string KeyServiceOf(string store) =>
        "https://kms" + store[store.IndexOf('.', StringComparison.Ordinal)..];

    /// <summary>Ids that only one partner's cloud has lead there. <c>ae-ad-1</c> is also one of Huawei's own.</summary>
    private static string Default(string region) =>
        "https://"
        + region switch
        {
            "eu-de" or "eu-nl" => $"obs.{region}.{OpenTelekomCloud}",
            "eu-west-0" => $"oss.{region}.{FlexibleEngine}",
            "ru-moscow-1" => $"obs.{region}.{CloudRu}",
            _ when region.StartsWith("eu-", StringComparison.Ordinal) => $"obs.{region}.{HuaweiEurope}",
            _ => $"obs.{region}.{Huawei}",
        };
}
