using System.Text.RegularExpressions;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Alibaba;

/// <summary>
/// OSS's host names, in the order in which they are tried:
/// <list type="bullet">
/// <item>
/// <c>{bucket}.cb-{id}.{region}.oss-cloudbox[-control].…</c> (CloudBox; which of the two takes bucket calls is
/// UNCONFIRMED: both do here)
/// </item>
/// <item>
/// <c>{bucket}.oss-{region}[-internal].…</c> (public, internal, private domains; <c>oss-accelerate[-overseas]</c> names
/// no region)
/// </item>
/// <item><c>{bucket}.{region}.oss.…</c> (dual stack)</item>
/// <item>
/// <c>{bucket}.{region}.aliyuncs.com</c>: no such name exists, but ali-oss 6.23 with an IP endpoint and a region
/// without <c>oss-</c> sends it (recorded)
/// </item>
/// </list>
/// Path style on OSS's public names is refused. Source: OSS Go SDK v2 (endpoint rules), recordings of ali-oss 6.23.
/// </summary>
internal static partial class OssHosts
{
    public static readonly HostRules Rules = new(
        [CloudBoxHost(), RegionHost(), DualStackHost(), RegionAsDomainHost()],
        ServiceHost(),
        PathsOnServiceHost: false,
        "accelerate",
        "accelerate-overseas"
    );

    [GeneratedRegex(
        @"^(?<bucket>[^.]+)\.(?<cb>cb-[a-z0-9]+)\.(?<region>[a-z0-9-]+)\.oss-cloudbox(-control)?\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex CloudBoxHost();

    [GeneratedRegex(
        @"^(?<bucket>[^.]+)\.oss-(?<region>[a-z0-9-]+?)(-internal)?\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex RegionHost();

    [GeneratedRegex(
        @"^(?<bucket>[^.]+)\.(?<region>[a-z0-9-]+)\.oss\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex DualStackHost();

    [GeneratedRegex(
        @"^(?<bucket>[^.]+)\.(?!oss\.)(?<region>[a-z0-9-]+)\.aliyuncs\.com$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex RegionAsDomainHost();

    [GeneratedRegex(
        @"^(oss-(?<region>[a-z0-9-]+?)(-internal)?|(?<region>[a-z0-9-]+)\.oss"
            + @"|(?<cb>cb-[a-z0-9]+)\.(?<region>[a-z0-9-]+)\.oss-cloudbox(-control)?)\.aliyuncs\.com$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}
