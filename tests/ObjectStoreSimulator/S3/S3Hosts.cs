using System.Text.RegularExpressions;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.S3;

/// <summary>
/// <c>{bucket}.s3[-fips][.dualstack].{region}.amazonaws.com[.cn]</c>, <c>{bucket}.s3.amazonaws.com</c> (no region) and
/// the same shape on private domains; the bucket may have dots. Path style is taken everywhere. Source: AWS "Virtual
/// hosting of buckets", "Endpoints and quotas".
/// </summary>
internal static partial class S3Hosts
{
    public static readonly HostRules Rules = new([RegionHost(), PlainHost()], ServiceHost(), PathsOnServiceHost: true);

    [GeneratedRegex(
        @"^(?<bucket>.+?)\.s3(-fips)?(\.dualstack)?[.-](?<region>[a-z]{2}(-[a-z]+)+-[0-9]+)\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex RegionHost();

    [GeneratedRegex(@"^(?<bucket>.+?)\.s3\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PlainHost();

    [GeneratedRegex(
        @"^s3(-fips)?(\.dualstack)?([.-](?<region>[a-z]{2}(-[a-z]+)+-[0-9]+))?\.",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ServiceHost();
}
