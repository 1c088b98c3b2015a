using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>Where Alibaba Cloud OSS is, and what it offers. Facts and sources: docs/vendors/alibaba.md.</summary>
internal static class OssDescription
{
    private const string Domain = "aliyuncs.com";

    /// <summary>
    /// Hosts of the finance clouds whose names do not have the region's id in them. The last is a location
    /// in the vendor's CSI driver, and UNCONFIRMED as a host.
    /// </summary>
    private static readonly Dictionary<string, string> FinanceHosts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["oss-cn-hzfinance.aliyuncs.com"] = "cn-hangzhou-finance",
        ["oss-cn-hzfinance-internal.aliyuncs.com"] = "cn-hangzhou-finance",
        ["oss-cn-hzjbp-a-internal.aliyuncs.com"] = "cn-hangzhou-finance",
        ["oss-cn-hzjbp-b-internal.aliyuncs.com"] = "cn-hangzhou-finance",
        ["oss-cn-shanghai-finance-1-pub.aliyuncs.com"] = "cn-shanghai-finance-1",
        ["oss-cn-shanghai-finance-1-pub-internal.aliyuncs.com"] = "cn-shanghai-finance-1",
        ["oss-cn-szfinance.aliyuncs.com"] = "cn-shenzhen-finance-1",
        ["oss-cn-szfinance-internal.aliyuncs.com"] = "cn-shenzhen-finance-1",
        ["oss-cn-beijing-finance-1-pub.aliyuncs.com"] = "cn-beijing-finance-1",
        ["oss-cn-beijing-finance-1-pub-internal.aliyuncs.com"] = "cn-beijing-finance-1",
        ["cn-shanghai-finance.oss.aliyuncs.com"] = "cn-shanghai-finance-1",
        ["cn-shenzhen-finance.oss.aliyuncs.com"] = "cn-shenzhen-finance-1",
        ["oss-cn-hzjbp.aliyuncs.com"] = "cn-hangzhou-finance",
    };

    public static EndpointNames Endpoints { get; } =
        new(
            Default,
            [
                "oss-{region}.aliyuncs.com",
                "oss-{region}-internal.aliyuncs.com",
                "{region}.oss.aliyuncs.com", // dual stack
                "*.{region}.oss-cloudbox.aliyuncs.com",
                "*.{region}.oss-cloudbox-control.aliyuncs.com",
            ]
        )
        {
            Global = ["oss-accelerate.aliyuncs.com", "oss-accelerate-overseas.aliyuncs.com"],
            Named = FinanceHosts,
            SdkPrefix = "oss-",
            IsIrregular = region =>
                region.Contains("-finance", StringComparison.Ordinal)
                || region.Contains("-gov", StringComparison.Ordinal),
            Partition = PartitionOf,
        };

    public static ShellNames Shell { get; } =
        new(
            "oss",
            "alibaba",
            RegionUse.InSignature4,
            new KeyVariables("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"),
            new KeyVariables(
                "ALIBABA_CLOUD_ACCESS_KEY_ID",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
                "ALIBABA_CLOUD_SECURITY_TOKEN"
            )
        )
        {
            RegionVariables = ["OSS_REGION"],
        };

    /// <inheritdoc cref="Vendor.Bind"/>
    public static StoreTraits Bind(StoreSettings settings)
    {
        var options = OssOptions.Read(settings);
        return options.CloudBoxId is null
            ? new StoreTraits(
                "AlibabaOSS",
                ["AES256", "KMS", "SM4", "None"],
                [Addressing.VirtualHost, Addressing.Path, Addressing.CName]
            )
            {
                DataEncryption = true,
                Options = options,
            }
            : new StoreTraits("AlibabaOSS on a CloudBox", ["AES256", "None"], [Addressing.VirtualHost, Addressing.Path])
            {
                NeedsEndpoint = true,
                Partition = options.CloudBoxId,
                Options = options,
            };
    }

    private static string Default(string region) =>
        "https://"
        + region switch
        {
            "cn-hangzhou-finance" => "oss-cn-hzfinance.aliyuncs.com",
            "cn-shanghai-finance-1" => "oss-cn-shanghai-finance-1-pub.aliyuncs.com",
            "cn-shenzhen-finance-1" => "oss-cn-szfinance.aliyuncs.com",
            "cn-beijing-finance-1" => "oss-cn-beijing-finance-1-pub.aliyuncs.com",
            _ => $"oss-{region}.{Domain}",
        };

    /// <summary>A CloudBox has buckets of its own; its id stands in its endpoints.</summary>
    private static string? PartitionOf(Uri endpoint)
    {
        var cloudBox = EndpointNames.DomainOf(endpoint, "oss-cloudbox." + Domain, "oss-cloudbox-control." + Domain);
        return cloudBox is not null && endpoint.IdnHost.Split('.') is [.., var id, _, _, _, _]
            ? id
            : EndpointNames.DomainOf(endpoint, Domain);
    }
}
