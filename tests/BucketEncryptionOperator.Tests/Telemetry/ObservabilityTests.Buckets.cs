using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Reconciling;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Tests.Telemetry;

public sealed partial class ObservabilityTests
{
    [Fact]
    public async Task A_bucket_is_followed_from_the_change_of_its_policy_through_drift_to_a_blown_fuse()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        var outdated = true;
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => outdated, VendorCatalog.All),
            "1.2.3",
            perBucket: false
        );
        bench.Vendor[Bucket] = None;
        bench.Start(Given.Policy(Bucket, "of-nobody"));

        Assert.Equal(
            (0, 2, 1),
            (
                Value("bucketencryption_buckets", "InSync"),
                Value("bucketencryption_buckets", "Unknown"),
                Value("bucketencryption_crds_outdated")
            )
        );
        bench.Time.Advance(TimeSpan.FromSeconds(20));
        await bench.ReconcileAsync();
        Assert.Equal(
            (1, 1, 1),
            (
                Value("bucketencryption_buckets", "InSync"),
                Value("bucketencryption_policies", "False"),
                Value("bucketencryption_bucket_errors", "NoSuchBucket")
            )
        );
        Assert.Equal(
            (null, 1),
            (Value("bucketencryption_apply_duration_seconds_count"), Value("bucketencryption_access_keys", "proven"))
        );

        (bench.Vendor["of-nobody"], outdated) = (Aes, false);
        await bench.SettleAsync();
        Assert.Equal(
            (1, 20),
            (
                Value("bucketencryption_apply_duration_seconds_count"),
                Math.Floor(Value("bucketencryption_apply_duration_seconds_sum")!.Value / 20) * 20
            )
        );
        Assert.Equal(
            (2, 1, 0),
            (
                Value("bucketencryption_buckets", "InSync"),
                Value("bucketencryption_policies", "True"),
                Value("bucketencryption_crds_outdated")
            )
        );
        Assert.Null(Value("bucketencryption_bucket_errors", "NoSuchBucket"));
        Assert.Equal(
            (0, 0),
            (Value("bucketencryption_drift_found_total"), Value("bucketencryption_drift_corrected_total"))
        );

        bench.Vendor[Bucket] = None;
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await bench.SettleAsync();
        Assert.Equal(
            (1, 1),
            (Value("bucketencryption_drift_found_total"), Value("bucketencryption_drift_corrected_total"))
        );
        Assert.Equal(0, Value("bucketencryption_fuse_blown_total", "NotConverging"));

        bench.Vendor[Bucket] = None;
        bench.Vendor.DropsWrites = true;
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await bench.SettleAsync();
        Assert.Equal(
            (2, 2),
            (Value("bucketencryption_drift_found_total"), Value("bucketencryption_drift_corrected_total"))
        );
        Assert.Equal(
            1,
            Value("bucketencryption_fuse_blown_total", "NotConverging")
                + Value("bucketencryption_fuse_blown_total", "Contested")
        );
    }

    [Fact]
    public async Task The_oldest_verification_is_the_exact_time_though_the_status_has_it_only_now_and_then()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => false, VendorCatalog.All),
            "1.2.3",
            perBucket: false
        );
        bench.Vendor[Bucket] = Aes;
        await bench.Start(Given.Policy(Bucket)).SettleAsync();
        var told = bench.Status.LastVerifiedTime;
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        var now = bench.Time.GetUtcNow();
        await bench.ReconcileAsync();

        Assert.Equal(told, bench.Status.LastVerifiedTime);
        Assert.Equal(
            now.ToUnixTimeMilliseconds() / 1000.0,
            Value("bucketencryption_oldest_verification_timestamp_seconds")
        );

        bench.Put(Given.Policy(Bucket) with { Spec = Given.Policy(Bucket).Spec with { Suspend = true } });
        Assert.Null(Value("bucketencryption_oldest_verification_timestamp_seconds"));
    }

    [Fact]
    public async Task Buckets_and_policies_are_named_only_where_somebody_asks_for_it()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => false, VendorCatalog.All),
            "1.2.3",
            perBucket: true
        );
        bench.Vendor[Bucket] = Aes;
        await bench.Start(Given.Policy(Bucket)).SettleAsync();

        var text = Scrape();

        Assert.True(
            Labels(text, StateMetrics.PerBucket)
                .SetEquals([
                    $"namespace=\"{Given.Namespace}\"",
                    "policy=\"archive\"",
                    $"bucket=\"{Bucket}\"",
                    "state=\"InSync\"",
                ]),
            text
        );
        Assert.All(
            text.Split('\n').Where(l => l.Contains(Bucket, StringComparison.Ordinal)),
            l => Assert.StartsWith(StateMetrics.PerBucket, l, StringComparison.Ordinal)
        );
        Assert.True(
            Labels(text, StateMetrics.PerPolicy).SetEquals([$"namespace=\"{Given.Namespace}\"", "policy=\"archive\""]),
            text
        );
    }

    [Fact]
    public async Task A_policy_that_is_gone_is_not_remembered_by_a_reconcile_that_ends_later()
    {
        await using var bench = new Workbench(meter: _meter);
        bench.Vendor[Bucket] = Aes;
        await bench.Start(Given.Policy(Bucket)).SettleAsync();
        var last = bench.Policies.Find(Given.PolicyKey)!;
        var known = bench.Metrics.VerifiedAt(Given.PolicyKey);
        bench.Delete(Given.PolicyKey);

        bench.Metrics.RecordStatus(
            last,
            new ComposedStatus(last.Status!, ImmutableDictionary<string, BucketError>.Empty),
            new Findings([], Failure: null, Attempt: 0),
            isWritten: false
        );

        Assert.NotNull(known);
        Assert.Null(bench.Metrics.VerifiedAt(Given.PolicyKey));
    }
}
