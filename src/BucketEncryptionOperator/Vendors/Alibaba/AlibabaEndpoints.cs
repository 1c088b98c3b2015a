namespace BucketEncryptionOperator.Vendors.Alibaba;

/// <summary>Where Alibaba Cloud OSS is (help pages "Regions and endpoints" and "Access OSS via CloudBox").</summary>
internal static class AlibabaEndpoints
{
    /// <summary>
    /// OSS's own names only. <c>*.aliyuncs.com</c> as a whole also holds names that a customer can get and serve from
    /// (functions, gateways): signed requests must not go there.
    /// </summary>
    public static IReadOnlyList<string> Patterns { get; } =
    [
        "oss-*.aliyuncs.com", // public, -internal, accelerate
        "*.oss.aliyuncs.com", // dual stack
    ];

    public static string Public(string region) => $"https://oss-{region}.aliyuncs.com";
}
