using System.Collections.Immutable;

namespace BucketEncryptionOperator.Credentials;

/// <summary>
/// A partition of AWS: regions with accounts, roles and bucket names of their own, and in most cases with a domain of
/// their own. Source: the partition table of AWS's SDKs.
/// </summary>
/// <param name="Id">As in an ARN.</param>
/// <param name="Domain">Of its services' endpoints.</param>
/// <param name="RegionPrefix">What its region ids begin with; empty for the rest.</param>
internal sealed record AwsPartition(string Id, string Domain, string RegionPrefix)
{
    private static readonly AwsPartition Commercial = new("aws", "amazonaws.com", "");

    private static readonly ImmutableArray<AwsPartition> All =
    [
        Commercial,
        new("aws-cn", "amazonaws.com.cn", "cn-"),
        new("aws-us-gov", "amazonaws.com", "us-gov-"),
        new("aws-eusc", "amazonaws.eu", "eusc-"),
        new("aws-iso", "c2s.ic.gov", "us-iso-"),
        new("aws-iso-b", "sc2s.sgov.gov", "us-isob-"),
        new("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-"),
        new("aws-iso-f", "csp.hci.ic.gov", "us-isof-"),
    ];

    public static ImmutableArray<string> Domains { get; } =
    [.. All.Select(p => p.Domain).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether it is the one that has endpoints of no region.</summary>
    public bool HasGlobalEndpoints => this == Commercial;

    public static AwsPartition OfRegion(string region) => All.FirstOrDefault(p => p.HasRegion(region)) ?? Commercial;

    /// <summary>
    /// The partition of an endpoint's host; null for a host that is not in a domain of AWS. Two share a domain: the
    /// region in the name tells them apart.
    /// </summary>
    public static AwsPartition? OfHost(string host)
    {
        var sharing = All.Where(p => host.EndsWith("." + p.Domain, StringComparison.OrdinalIgnoreCase)).ToList();
        return sharing.Find(p => host.Split('.').Any(p.HasRegion)) ?? sharing.FirstOrDefault();
    }

    private bool HasRegion(string region) =>
        RegionPrefix.Length > 0 && region.StartsWith(RegionPrefix, StringComparison.OrdinalIgnoreCase);
}
