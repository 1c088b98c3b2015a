using BucketEncryptionOperator.Vendors;
using KubeRuntime.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace BucketEncryptionOperator.Telemetry;

/// <param name="Version">Of the operator.</param>
/// <param name="Otlp">Send metrics and traces to where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; the SDK reads it and its kin.</param>
internal sealed record ObservabilityOptions(string Version, bool Otlp);

/// <summary>
/// The OpenTelemetry SDK over the meters and sources of this process, for as long as it lives. It hears nothing of what was measured before it was made, so it is the first thing that is.
/// </summary>
internal sealed class Observability : IDisposable
{
    public const string MeterName = "BucketEncryptionOperator";

    /// <summary>
    /// Series of one metric; what is beyond is summed up in one that says so. The SDK sets memory for all of them aside at once, so its own 2000 would be for nothing.
    /// </summary>
    private const int MostSeries = 300;

    /// <summary>256 buckets a policy are many soon. Only with <c>--metrics-per-bucket</c>.</summary>
    private const int MostBuckets = 20_000;

    private readonly OpenTelemetrySdk _sdk;

    public Observability(ObservabilityOptions options)
    {
        var exporter = new PrometheusExporter();
        Prometheus = exporter;
        _sdk = OpenTelemetrySdk.Create(builder =>
        {
            builder.ConfigureResource(resource => resource
                .AddService("bucket-encryption-operator", serviceVersion: options.Version, autoGenerateServiceInstanceId: false, serviceInstanceId: Environment.MachineName)
                .AddEnvironmentVariableDetector()); // what the environment says goes before it
            builder.WithMetrics(metrics =>
            {
                metrics.AddMeter(RuntimeMetrics.MeterName, MeterName)
                    .AddView(instrument => new MetricStreamConfiguration { CardinalityLimit = instrument.Name is StateMetrics.PerBucket or StateMetrics.PerPolicy ? MostBuckets : MostSeries })
                    .AddReader(new BaseExportingMetricReader(exporter));
                if (options.Otlp)
                    metrics.AddOtlpExporter();
            });
            if (options.Otlp)
            {
                builder.WithTracing(traces => traces
                    .AddSource(RuntimeTraces.SourceName, VendorMetrics.SourceName, RuntimeTraces.HttpSourceName)
                    .SetSampler(new ParentBasedSampler(new OnlyReconciles()))
                    .AddOtlpExporter());
            }
        });
    }

    public PrometheusExporter Prometheus { get; }

    public void Dispose() => _sdk.Dispose();

    /// <summary>Watches, the lease and the exporter's own requests are nobody's children, and no trace of their own.</summary>
    private sealed class OnlyReconciles : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(samplingParameters.Name == RuntimeTraces.Reconcile ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }
}
