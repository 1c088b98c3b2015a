using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Api;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// How many buckets of the accounts the policies with a selector cover: the numbers of their
/// <c>status.discovery</c>, which every replica has in memory, added up by the vendor of their stores. Two policies
/// that mean one bucket both count it. The labels name no store and no policy: tenants choose both. A policy whose
/// store cannot be read has no vendor, and does not count.
/// </summary>
internal sealed class AccountMetrics
{
    public const string Name = "bucketencryption_account_buckets";

    private static readonly (string Coverage, Func<DiscoveryStatus, int> Count)[] Coverages =
    [
        ("matched", d => d.Matched),
        ("excluded", d => d.Excluded),
        ("otherRegions", d => d.OtherRegions),
        ("ownedByOthers", d => d.OwnedByOthers),
        ("notCovered", d => d.NotCovered),
    ];

    private readonly ObjectCache<BucketEncryptionPolicy> _policies;
    private readonly Func<BucketEncryptionPolicy, string?> _vendorOf;

    /// <param name="vendorOf">Vendor of the policy's store; null where there is no store that can be read.</param>
    public AccountMetrics(
        Meter meter,
        ObjectCache<BucketEncryptionPolicy> policies,
        Func<BucketEncryptionPolicy, string?> vendorOf
    )
    {
        (_policies, _vendorOf) = (policies, vendorOf);
        meter.CreateObservableGauge(
            Name,
            Buckets,
            description: "Buckets of accounts, as policies with a selector count them in status.discovery"
        );
    }

    private IEnumerable<Measurement<long>> Buckets()
    {
        var accounts =
            from policy in _policies.Snapshot()
            where policy.Spec.BucketSelector is not null
            let discovery = policy.Status?.Discovery
            let vendor = _vendorOf(policy)
            where discovery is not null && vendor is not null
            select (vendor, discovery);
        return from account in accounts.GroupBy(a => a.vendor, a => a.discovery, StringComparer.Ordinal)
            from coverage in Coverages
            select new Measurement<long>(
                account.Sum(d => (long)coverage.Count(d)),
                new KeyValuePair<string, object?>("vendor", account.Key),
                new KeyValuePair<string, object?>("coverage", coverage.Coverage)
            );
    }
}
