using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>Where states are read from.</summary>
/// <param name="IsSchemaOutdated">The cluster's CRDs lack what this version needs.</param>
internal sealed record StateSources(
    ObjectCache<BucketEncryptionPolicy> Policies,
    PolicyMetrics Verified,
    AccessKeyCircuitBreakers Breakers,
    VendorLimits Limits,
    Func<bool> IsSchemaOutdated,
    IReadOnlyList<Vendor> Vendors
);

/// <summary>
/// Metrics of the current state, computed when metrics are collected. A series that a callback no longer returns is no
/// longer exported: the SDK ensures that. Buckets and policies are those of the statuses, which every replica has in
/// memory; a query takes the maximum over pods. No label has the name of an object, endpoint or key, except with
/// <c>--metrics-per-bucket</c>.
/// </summary>
internal sealed class StateMetrics
{
    private static readonly string[] RowStates =
    [
        BucketStatus.InSync,
        BucketStatus.Drifted,
        BucketStatus.Failed,
        BucketStatus.Unknown,
        BucketStatus.Releasing,
    ];

    private readonly StateSources _from;
    private readonly Totals _throttled = new();
    private readonly HashSet<string> _codes;

    public StateMetrics(Meter meter, StateSources from, string version, bool perBucket)
    {
        _from = from;
        _codes = from.Vendors.SelectMany(v => v.Dialect.Errors.Codes).ToHashSet(StringComparer.Ordinal);
        meter.CreateObservableGauge(
            "bucketencryption_build_info",
            () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", version)),
            description: "1; the label has the version"
        );
        meter.CreateObservableGauge(
            "bucketencryption_crds_outdated",
            () => from.IsSchemaOutdated() ? 1L : 0,
            description: "1 while the operator waits for CRDs that have all that it needs"
        );
        meter.CreateObservableGauge(
            "bucketencryption_buckets",
            Buckets,
            description: "Buckets of policies by the state of their row"
        );
        meter.CreateObservableGauge(
            "bucketencryption_policies",
            Policies,
            description: "Policies by the status of their condition Ready"
        );
        meter.CreateObservableGauge(
            "bucketencryption_kms_key_policies",
            KmsKeys,
            description: "Policies that name a KMS key, by the status of their condition KeyUsable"
        );
        meter.CreateObservableGauge(
            "bucketencryption_access_keys",
            Keys,
            description: "Access keys in use: new, proven, or rejected by the vendor somewhere"
        );
        meter.CreateObservableGauge(
            "bucketencryption_bucket_errors",
            Errors,
            description: "Buckets by the code of what is wrong with them"
        );
        meter.CreateObservableGauge(
            "bucketencryption_oldest_verification_timestamp_seconds",
            Oldest,
            description: "When the policy that has waited longest was last verified"
        );
        Limiter(meter);
        Process(meter);
        if (!perBucket)
            return;
        meter.CreateObservableGauge(
            PerBucket,
            PerBucketStates,
            description: "1, for the state that a bucket of a policy is in"
        );
        meter.CreateObservableGauge(
            PerPolicy,
            PerPolicyTimes,
            description: "When every bucket of a policy was last read"
        );
    }

    public const string PerBucket = "bucketencryption_bucket_state";
    public const string PerPolicy = "bucketencryption_policy_verification_timestamp_seconds";

    private IEnumerable<Measurement<long>> Buckets()
    {
        var counts = RowStates.ToDictionary(s => s, _ => 0L, StringComparer.Ordinal);
        foreach (var (_, state) in _from.Policies.Snapshot().SelectMany(Rows))
            counts[state]++;
        return counts.Select(c => new Measurement<long>(c.Value, new KeyValuePair<string, object?>("state", c.Key)));
    }

    /// <summary>
    /// Returns the state of a bucket. One that no status has yet, or whose state another version wrote, is unknown.
    /// </summary>
    private static IEnumerable<(string Bucket, string State)> Rows(BucketEncryptionPolicy policy)
    {
        var rows = policy.Status?.Buckets ?? [];
        return rows.Select(r =>
                (r.Name, RowStates.Contains(r.State, StringComparer.Ordinal) ? r.State : BucketStatus.Unknown)
            )
            .Concat(
                policy
                    .Spec.Buckets.Select(b => b.Name)
                    .Except(rows.Select(r => r.Name), StringComparer.Ordinal)
                    .Select(b => (b, BucketStatus.Unknown))
            );
    }

    private IEnumerable<Measurement<long>> Policies() =>
        ByStatus("ready", p => p.Status?.Conditions.Find(ConditionTypes.Ready)?.Status ?? Condition.Unknown);

    private IEnumerable<Measurement<long>> KmsKeys() =>
        ByStatus("usable", p => p.Status?.Conditions.Find(ConditionTypes.KeyUsable)?.Status);

    /// <summary>Counts policies by the status of a condition; those that have none do not count.</summary>
    private IEnumerable<Measurement<long>> ByStatus(string label, Func<BucketEncryptionPolicy, string?> statusOf)
    {
        var statuses = _from.Policies.Snapshot().Select(statusOf).ToList();
        return new[] { Condition.True, Condition.False, Condition.Unknown }.Select(s => new Measurement<long>(
            statuses.Count(r => r == s),
            Label(label, s)
        ));
    }

    private IEnumerable<Measurement<long>> Keys()
    {
        var (fresh, proven, rejected) = _from.Breakers.States;
        return [new(fresh, State("new")), new(proven, State("proven")), new(rejected, State("rejected"))];

        static KeyValuePair<string, object?> State(string state) => new("state", state);
    }

    /// <summary>
    /// Counts failing buckets by code: the reasons of the operator and the codes in the vendors' tables. Any other code
    /// is <c>Other</c>, so that neither an endpoint nor an editor of a status can create series.
    /// </summary>
    private IEnumerable<Measurement<long>> Errors() =>
        _from
            .Policies.Snapshot()
            .SelectMany(p => p.Status?.Buckets ?? [])
            .Select(r => r.Error)
            .OfType<BucketError>()
            .CountBy(
                e =>
                    Reasons.Find(e.Code, e.HttpStatus) is not null || _codes.Contains(e.Code)
                        ? e.Code
                        : MeasuredCall.Other,
                StringComparer.Ordinal
            )
            .Select(c => new Measurement<long>(c.Value, Label("code", c.Key)));

    /// <summary>
    /// Returns the time of the oldest verification. Suspended policies, and those that are being deleted, do not count.
    /// </summary>
    private IEnumerable<Measurement<double>> Oldest()
    {
        var waiting = _from
            .Policies.Snapshot()
            .Where(p => p.Spec.Suspend != true && p.Metadata.DeletionTimestamp is null)
            .Select(VerifiedAt)
            .ToList();
        return waiting.Count == 0 ? [] : [new Measurement<double>(Seconds(waiting.Min()))];
    }

    private IEnumerable<Measurement<long>> PerBucketStates() =>
        from policy in _from.Policies.Snapshot()
        from row in Rows(policy)
        select new Measurement<long>(1, [.. Labels(policy), Label("bucket", row.Bucket), Label("state", row.State)]);

    private IEnumerable<Measurement<double>> PerPolicyTimes() =>
        _from.Policies.Snapshot().Select(p => new Measurement<double>(Seconds(VerifiedAt(p)), Labels(p)));

    private static KeyValuePair<string, object?>[] Labels(BucketEncryptionPolicy policy) =>
        [Label("namespace", policy.Metadata.Namespace), Label("policy", policy.Metadata.Name)];

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static double Seconds(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>
    /// Returns when a policy was last verified, from its status, which a standby knows too. A policy that was never
    /// verified counts from its creation.
    /// </summary>
    private DateTimeOffset VerifiedAt(BucketEncryptionPolicy policy) =>
        _from.Verified.VerifiedAt(policy.Metadata.Key)
        ?? policy.Status?.LastVerifiedTime
        ?? policy.Metadata.CreationTimestamp
        ?? DateTimeOffset.UnixEpoch;

    /// <summary>
    /// Makes the metrics of the rate limiters, by vendor. A limiter is per key and endpoint, and tenants choose both.
    /// An endpoint that is not a vendor's own counts as <c>Other</c>.
    /// </summary>
    private void Limiter(Meter meter)
    {
        Gauge(
            "rate",
            "Requests per second that vendors are found to take, all keys together",
            p => p.RequestsPerSecond
        );
        Gauge("rate_limit", "Requests per second that stores allow, all keys together", p => p.Limit.RequestsPerSecond);
        Gauge(
            "slowed_down",
            "Keys, per endpoint, that are slower than their store allows: the vendor asked for it",
            p => p.RequestsPerSecond < p.Limit.RequestsPerSecond ? 1 : 0
        );
        Gauge("in_flight", "Requests that wait for their answer", p => p.InFlight);
        Gauge("waiting", "Requests that wait for their turn", p => p.Waiting);
        meter.CreateObservableCounter(
            "bucketencryption_limiter_throttled_total",
            () =>
                _throttled
                    .Add([.. _from.Limits.States.Select(l => (l, VendorOf(l)))])
                    .Select(t => new Measurement<long>(t.Value, new KeyValuePair<string, object?>("vendor", t.Key))),
            description: "Answers of the vendor that ask to go slower"
        );

        void Gauge(string what, string description, Func<RateLimiterState, double> value) =>
            meter.CreateObservableGauge(
                "bucketencryption_limiter_" + what,
                () =>
                    _from
                        .Limits.States.GroupBy(VendorOf, StringComparer.Ordinal)
                        .Select(g => new Measurement<double>(g.Sum(value), Label("vendor", g.Key))),
                description: description
            );
    }

    private string VendorOf(RateLimiterState limiter)
    {
        var endpoint = new Uri($"{Uri.UriSchemeHttps}://{limiter.Endpoint}");
        return _from
                .Vendors.FirstOrDefault(v => v.Endpoints.Contain(endpoint) || v.KeyService.Endpoints.Contain(endpoint))
                ?.Name
            ?? MeasuredCall.Other;
    }

    private static void Process(Meter meter)
    {
        meter.CreateObservableCounter(
            "process_cpu_seconds_total",
            () => Environment.CpuUsage.TotalTime.TotalSeconds,
            description: "CPU time of the process"
        );
        meter.CreateObservableGauge(
            "process_resident_memory_bytes",
            () => Environment.WorkingSet,
            description: "Memory of the process"
        );
    }

    /// <summary>Sums that never fall, although an unused limiter is dropped with its count.</summary>
    private sealed class Totals
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, long> _totals = new(StringComparer.Ordinal);
        private Dictionary<(string, string), long> _seen = [];

        public IReadOnlyList<KeyValuePair<string, long>> Add(
            IReadOnlyList<(RateLimiterState Limiter, string Vendor)> limiters
        )
        {
            lock (_gate)
            {
                var now = new Dictionary<(string, string), long>();
                foreach (var (limiter, vendor) in limiters)
                {
                    var whose = (limiter.Principal, limiter.Endpoint);
                    var before = _seen.GetValueOrDefault(whose);
                    // Fewer than before: it was dropped, and made again.
                    var more = limiter.Throttled >= before ? limiter.Throttled - before : limiter.Throttled;
                    _totals[vendor] = _totals.GetValueOrDefault(vendor) + more;
                    now[whose] = limiter.Throttled;
                }
                _seen = now;
                return [.. _totals];
            }
        }
    }
}
