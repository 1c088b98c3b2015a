using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Informers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>
/// Counts what happens to policies as it is reported, and knows exactly when each was last verified: its status has
/// that only now and then. A settled policy costs a look-up and two assignments.
/// </summary>
internal sealed class PolicyMetrics
{
    /// <summary>From a tenth of a second to half a day.</summary>
    private static readonly InstrumentAdvice<double> Bounds = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200],
    };

    private static readonly string[] BackOffReasons =
    [
        .. Reasons.All.Where(r => r.Has(ReasonTraits.BackOff)).Select(r => r.Name).Order(StringComparer.Ordinal),
    ];

    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, PolicyTimes> _policies = [];
    private readonly Counter<long> _found;
    private readonly Counter<long> _corrected;
    private readonly Counter<long> _fuses;
    private readonly Histogram<double> _apply;
    private readonly TimeProvider _time;

    public PolicyMetrics(Meter meter, TimeProvider time)
    {
        _time = time;
        _found = meter.CreateCounter<long>(
            "bucketencryption_drift_found_total",
            description: "Buckets that were as declared, or that only Audit looks at, and were found to be otherwise"
        );
        _corrected = meter.CreateCounter<long>(
            "bucketencryption_drift_corrected_total",
            description: "Of those, buckets that were written to, and the vendor took it"
        );
        _fuses = meter.CreateCounter<long>(
            "bucketencryption_fuse_blown_total",
            description: "Buckets whose writes were stopped for a while, by reason: NotConverging, "
                + "DisableNotEffective, Contested"
        );
        _apply = meter.CreateHistogram(
            "bucketencryption_apply_duration_seconds",
            "s",
            "Time from a change of a spec until its policy is Compliant",
            tags: null,
            Bounds
        );
        _found.Add(0); // counters begin at zero, so that the first is a rise that an alert sees
        _corrected.Add(0);
        foreach (var reason in BackOffReasons)
            _fuses.Add(0, new KeyValuePair<string, object?>("reason", reason));
    }

    /// <summary>
    /// A policy was created, changed or deleted. What its status reports already was there before this process.
    /// </summary>
    public void Changed(Change<BucketEncryptionPolicy> change)
    {
        lock (_gate)
        {
            if (change.New is not { Metadata: var now } policy)
            {
                _policies.Remove(change.Key);
                return;
            }
            var entry = Find(now);
            if (entry is null)
                _policies[change.Key] = entry = new PolicyTimes(now.Uid);
            var old = change.Old?.Metadata;
            var isNewSpec = old is null || old.Uid != now.Uid || old.Generation != now.Generation;
            if (isNewSpec && policy.Status?.ObservedGeneration != now.Generation)
                entry.ChangedAt = _time.GetTimestamp();
        }
    }

    /// <summary>When this process has last read every bucket of the policy; null where it has not yet.</summary>
    public DateTimeOffset? VerifiedAt(NamespacedName policy)
    {
        lock (_gate)
            return _policies.GetValueOrDefault(policy)?.VerifiedAt;
    }

    /// <summary>What was done, whether or not a status can be written.</summary>
    public void RecordDone(BucketEncryptionPolicy policy, Findings findings)
    {
        foreach (var result in findings.Buckets)
        {
            if (result.Applied is null || RowOf(policy, result.Bucket)?.State != BucketStatus.InSync)
                continue;
            _found.Add(1);
            _corrected.Add(1);
        }
    }

    /// <param name="isWritten">The status was written, for it says something new.</param>
    public void RecordStatus(BucketEncryptionPolicy policy, ComposedStatus composed, Findings findings, bool isWritten)
    {
        var status = composed.Status;
        if (isWritten)
            CountRows(policy, composed, findings.Written);
        long? changedAt = null;
        lock (_gate)
        {
            // A reconcile may end after its policy has gone: what is known of it went with it.
            if (Find(policy.Metadata) is not { } entry)
                return;
            if (findings.IsVerified)
                entry.VerifiedAt = _time.GetUtcNow();
            if (
                entry.ChangedAt is not null
                && status.ObservedGeneration == policy.Metadata.Generation
                && status.Conditions.Find(ConditionTypes.Compliant)?.Status == Condition.True
            )
                (changedAt, entry.ChangedAt) = (entry.ChangedAt, null);
        }
        if (changedAt is { } from)
            _apply.Record(_time.GetElapsedTime(from).TotalSeconds);
    }

    private void CountRows(BucketEncryptionPolicy policy, ComposedStatus composed, IReadOnlySet<string> written)
    {
        foreach (var row in composed.Status.Buckets)
        {
            var before = RowOf(policy, row.Name);
            var changed =
                before is { State: BucketStatus.InSync, Observed: { } kept }
                && row is { State: not BucketStatus.InSync, Observed: { } seen }
                && kept != seen
                && !written.Contains(row.Name);
            if (changed || (row.Planned is not null && before?.Planned is null))
                _found.Add(1);
            if (composed.NewErrorOf(row) is { } error && error.Has(ReasonTraits.BackOff))
                _fuses.Add(1, new KeyValuePair<string, object?>("reason", error.Code));
        }
    }

    /// <summary>The bucket's row in the last status, if that is of the same spec.</summary>
    private static BucketStatus? RowOf(BucketEncryptionPolicy policy, string bucket) =>
        policy.Status is { } status && status.ObservedGeneration == policy.Metadata.Generation
            ? status.Buckets.FirstOrDefault(r => r.Name == bucket)
            : null;

    /// <summary>What is known of this policy; null where it is gone, or another one has its name.</summary>
    private PolicyTimes? Find(ObjectMeta policy) =>
        _policies.TryGetValue(policy.Key, out var entry) && entry.Uid == policy.Uid ? entry : null;

    /// <summary>Guarded by the gate.</summary>
    private sealed class PolicyTimes(string uid)
    {
        public string Uid => uid;

        public long? ChangedAt { get; set; }

        public DateTimeOffset? VerifiedAt { get; set; }
    }
}
