using System.Diagnostics.Metrics;
using BucketEncryptionOperator.Vendors.Pipeline;
using KubeRuntime.Instrumentation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace BucketEncryptionOperator.Telemetry;

/// <summary>
/// The meters and trace sources that the OpenTelemetry SDK listens to, and where it sends them. The host makes the
/// providers and disposes them. The SDK does not see what was measured before its MeterProvider was made.
/// </summary>
internal static class Observability
{
    public const string MeterName = "BucketEncryptionOperator";

    /// <summary>.NET's own meter: garbage collector, thread pool, exceptions.</summary>
    public const string DotnetMeterName = "System.Runtime";

    /// <summary>
    /// Series per metric; the SDK adds up what is beyond in one series with a label of its own. The SDK allocates all
    /// of them with the metric, so its default of 2000 would waste memory.
    /// </summary>
    private const int MaxSeries = 300;

    /// <summary>
    /// Series per metric of <see cref="DotnetMeterName"/>: at most five, and one per type of exception.
    /// </summary>
    private const int MaxDotnetSeries = 50;

    /// <summary>Series per metric with a series per bucket. Only with <c>--metrics-per-bucket</c>.</summary>
    private const int MaxPerBucketSeries = 20_000;

    /// <param name="version">Version of the operator.</param>
    /// <param name="sendOtlp">
    /// Sends metrics and traces by OTLP too. The SDK reads the address and its other settings from the host's
    /// configuration, as <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and so on.
    /// </param>
    public static void AddObservability(this IServiceCollection services, string version, bool sendOtlp)
    {
        services.AddSingleton<PrometheusExporter>();
        var telemetry = services
            .AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource
                    .AddService(
                        "bucket-encryption-operator",
                        serviceVersion: version,
                        autoGenerateServiceInstanceId: false,
                        serviceInstanceId: Environment.MachineName
                    )
                    .AddEnvironmentVariableDetector()
            ) // last, so that OTEL_RESOURCE_ATTRIBUTES wins
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter(RuntimeMetrics.MeterName, MeterName, DotnetMeterName)
                    .AddView(i => new MetricStreamConfiguration { CardinalityLimit = MaxSeriesOf(i) })
                    .AddReader(s => new BaseExportingMetricReader(s.GetRequiredService<PrometheusExporter>()));
                if (sendOtlp)
                    metrics.AddOtlpExporter();
            });
        if (sendOtlp)
        {
            telemetry.WithTracing(traces =>
                traces
                    .AddSource(RuntimeTraces.SourceName, VendorMetrics.SourceName, RuntimeTraces.HttpSourceName)
                    .SetSampler(new ParentBasedSampler(new OnlyReconciles()))
                    .AddOtlpExporter()
            );
        }
    }

    private static int MaxSeriesOf(Instrument instrument) =>
        instrument switch
        {
            { Name: StateMetrics.PerBucket or StateMetrics.PerPolicy } => MaxPerBucketSeries,
            { Meter.Name: DotnetMeterName } => MaxDotnetSeries,
            _ => MaxSeries,
        };

    /// <summary>Drops root spans other than reconciles: watches, the lease and the exporter's own requests.</summary>
    private sealed class OnlyReconciles : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(
                samplingParameters.Name == RuntimeTraces.Reconcile
                    ? SamplingDecision.RecordAndSample
                    : SamplingDecision.Drop
            );
    }
}
