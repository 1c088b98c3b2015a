using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Telemetry;
using BucketEncryptionOperator.Tests.Reconciling;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Throttling;

namespace BucketEncryptionOperator.Tests.Telemetry;

public sealed partial class ObservabilityTests
{
    /// <summary>Endpoints and keys are tenants' to choose, and may change as often as they like.</summary>
    [Fact]
    public async Task Limiters_are_told_by_vendor_however_many_endpoints_and_keys_there_are()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => false, VendorCatalog.All),
            "1.2.3",
            perBucket: false
        );
        for (var i = 0; i < 500; i++)
        {
            var at = i < 400 ? Address with { Endpoint = new Uri($"https://store-{i}.example") } : Address;
            using var turn = await limits.EnterAsync(
                at,
                new AccessKey($"LTAI-{i}", "secret", SecurityToken: null),
                "Get",
                requests: 1,
                CancellationToken.None
            );
            turn.Send().Answered(i % 100 == 0 ? new Failure(FailureKind.Throttled, "Get", "SlowDown") : null);
        }
        using var waits = await limits.EnterAsync(
            Address,
            new AccessKey("LTAI", "secret", SecurityToken: null),
            "Get",
            requests: 1,
            CancellationToken.None
        );

        var text = Scrape();

        Assert.All(
            text.Split('\n').Where(l => l.StartsWith("bucketencryption_limiter_", StringComparison.Ordinal)),
            l => Assert.Matches("^bucketencryption_limiter_[a-z_]+{vendor=\"(AlibabaOSS|Other)\"} ", l)
        );
        Assert.Equal(
            (1, 0),
            (
                Value("bucketencryption_limiter_in_flight", "AlibabaOSS"),
                Value("bucketencryption_limiter_in_flight", "Other")
            )
        );
        Assert.Equal(
            (1, 4),
            (
                Value("bucketencryption_limiter_throttled_total", "AlibabaOSS"),
                Value("bucketencryption_limiter_throttled_total", "Other")
            )
        );
        Assert.Equal(
            (1, 4),
            (
                Value("bucketencryption_limiter_slowed_down", "AlibabaOSS"),
                Value("bucketencryption_limiter_slowed_down", "Other")
            )
        );
    }

    /// <summary>A counter that falls is a restart for whoever reads it.</summary>
    [Fact]
    public async Task What_was_throttled_stays_counted_when_its_limiter_is_gone()
    {
        await using var bench = new Workbench(meter: _meter);
        using var limits = new VendorLimits(bench.Time);
        _ = new StateMetrics(
            _meter,
            new StateSources(bench.Policies, bench.Metrics, bench.Breakers, limits, () => false, VendorCatalog.All),
            "1.2.3",
            perBucket: false
        );
        await ThrottleAsync("first");
        var one = Value("bucketencryption_limiter_throttled_total", "AlibabaOSS");
        bench.Time.Advance(TimeSpan.FromHours(2));
        await ThrottleAsync("second"); // and the first is dropped
        var two = Value("bucketencryption_limiter_throttled_total", "AlibabaOSS");

        Assert.Equal((1, 2), (one, two));

        async Task ThrottleAsync(string key)
        {
            using var turn = await limits.EnterAsync(
                Address,
                new AccessKey(key, "secret", SecurityToken: null),
                "Get",
                requests: 1,
                CancellationToken.None
            );
            turn.Send().Answered(new Failure(FailureKind.Throttled, "Get", "SlowDown"));
        }
    }
}
