using System.Diagnostics;
using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Vendors.Pipeline;

/// <summary>
/// Counts, times and traces each request that is sent to a vendor, until its answer is complete. Waits for permits and
/// requests that are not sent do not count. The label values are the program's own: vendors, operations, codes of the
/// tables. Any other code is <c>Other</c>, so that no endpoint can create series.
/// </summary>
internal sealed class VendorMetrics
{
    public const string SourceName = "BucketEncryptionOperator";

    /// <summary>A request beyond the last bound has timed out, with the default <c>--vendor-timeout</c>.</summary>
    private static readonly InstrumentAdvice<double> Bounds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly ActivitySource Source = new(SourceName);

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly TimeProvider _time;

    public VendorMetrics(Meter meter, TimeProvider time)
    {
        _time = time;
        _requests = meter.CreateCounter<long>(
            "bucketencryption_vendor_requests_total",
            description: "Requests to vendors by vendor, operation and code: OK, a known code, or Other"
        );
        _duration = meter.CreateHistogram(
            "bucketencryption_vendor_request_duration_seconds",
            "s",
            "Time until a vendor's answer was complete, or did not come",
            tags: null,
            Bounds
        );
    }

    public VendorMeter Of(Vendor vendor) => new(this, vendor, vendor.Dialect.Errors.Knows);

    /// <summary>The metrics of a vendor's key service.</summary>
    public VendorMeter OfKeyService(Vendor vendor) => new(this, vendor, vendor.KeyService.Dialect.Knows);

    internal MeasuredCall Begin(VendorMeter meter, string operation, VendorAddress address)
    {
        var vendor = meter.Vendor;
        var span = Source.StartActivity(operation, ActivityKind.Client);
        span?.SetTag("bucketencryption.vendor", vendor.Name)
            .SetTag("bucketencryption.bucket", address.BucketName)
            .SetTag("bucketencryption.operation", operation)
            .SetTag("server.address", address.Endpoint.Host)
            .SetTag("server.port", address.Endpoint.Port);
        return new MeasuredCall(meter, operation, span, _time.GetTimestamp());
    }

    internal void Ended(Vendor vendor, string operation, string code, long from)
    {
        _requests.Add(1, new("vendor", vendor.Name), new("operation", operation), new("code", code));
        _duration.Record(
            _time.GetElapsedTime(from).TotalSeconds,
            new("vendor", vendor.Name),
            new("operation", operation)
        );
    }
}

/// <summary>The metrics of one vendor.</summary>
/// <param name="knows">Whether a code is one of a table's.</param>
internal sealed class VendorMeter(VendorMetrics metrics, Vendor vendor, Func<string, bool> knows)
{
    public VendorMetrics Metrics => metrics;

    public Vendor Vendor => vendor;

    public bool Knows(string code) => knows(code);

    public MeasuredCall Begin(string operation, VendorAddress address) => metrics.Begin(this, operation, address);
}

/// <summary>
/// A request that is under way. It ends with an answer, or (disposed) when its caller stops waiting. A struct: a read
/// of a bucket allocates nothing for it.
/// </summary>
internal readonly struct MeasuredCall(VendorMeter meter, string operation, Activity? span, long from) : IDisposable
{
    public const string Ok = "OK";
    public const string Other = "Other";

    /// <param name="failure">Null for success.</param>
    public void Ended(Failure? failure)
    {
        var code = CodeOf(failure);
        meter.Metrics.Ended(meter.Vendor, operation, code, from);
        if (span is null)
            return;
        span.SetTag("bucketencryption.code", code);
        if (failure is null)
            return;
        span.SetTag("error.type", code).SetTag("bucketencryption.request_id", failure.RequestId);
        if (!ErrorTable.SaysNotConfigured(failure) && !ErrorTable.SaysNoTags(failure))
            span.SetStatus(ActivityStatusCode.Error);
    }

    public void Dispose() => span?.Dispose();

    /// <summary>A failure without a status is not the vendor's: its code is the operator's own.</summary>
    private string CodeOf(Failure? failure) =>
        failure is null ? Ok
        : failure.HttpStatus is null || meter.Knows(failure.Code) ? failure.Code
        : Other;
}
