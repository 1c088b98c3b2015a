using Integration.Tests.Harness;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>What an operator that is told of a collector sends to it.</summary>
[Collection(ClusterTests.Name)]
public sealed class TelemetryTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const string Reconcile = "reconcile";

    private const string Read = "GetBucketEncryption";
    private const string Write = "PutBucketEncryption";

    [Fact]
    public async Task A_reconcile_is_one_trace_whose_spans_add_up_and_metrics_come_beside_it()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("traced");
        await using var op = OperatorProcess.Launch(
            fixture.Server.Kubeconfig,
            scene.Endpoint,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
                ["OTEL_RESOURCE_ATTRIBUTES"] = "k8s.cluster.name=test",
            },
            "--watch-namespaces",
            scene.Namespace
        );
        await op.WhenReadyAsync();
        await scene.ApplyPolicyAsync("traced", ["traced"], resync: "1h");
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "traced", "True", detail: () => op.Log);

        ReceivedSpan[] trace = [];
        await Eventually.TrueAsync(
            "the trace of the reconcile that wrote has come whole",
            () =>
            {
                var write = collector.Spans.FirstOrDefault(s => s.Name == Write);
                trace = [.. collector.Spans.Where(s => s.Trace == write?.Trace).OrderBy(s => s.Start)];
                return trace.Any(s => s.Name == Reconcile);
            },
            () => string.Join('\n', collector.Spans) + op.Log
        );
        await Eventually.TrueAsync(
            "metrics come too",
            () =>
                collector.Metrics.ContainsKey("bucketencryption_vendor_requests_total")
                && collector.Metrics.ContainsKey("controller_runtime_reconcile_total")
        );

        var root = Assert.Single(trace, s => s.Name == Reconcile);
        foreach (var span in trace)
            output.WriteLine(
                $"{(span.Start - root.Start) / 1e6, 8:0.0} ms  {span.Took / 1e6, 8:0.0} ms  "
                    + $"{Indent(trace, span)}{span.Name} {span["http.request.method"]} "
                    + $"{span["http.response.status_code"]}"
            );
        Assert.Equal("", root.Parent);
        Assert.Equal((scene.Namespace, "traced"), (root["k8s.namespace.name"], root["kuberuntime.object.name"]));
        Assert.Contains(root["kuberuntime.reconcile.id"], op.Log, StringComparison.Ordinal);
        Assert.Contains(root.Trace, op.Log, StringComparison.Ordinal);
        Assert.Contains("k8s.cluster.name=test", root.Resource, StringComparison.Ordinal);
        // Everything hangs together, and nothing is longer than what it is part of.
        foreach (var span in trace.Where(s => s != root))
        {
            var parent = Assert.Single(trace, s => s.Id == span.Parent);
            Assert.True(
                parent.Start <= span.Start && span.End <= parent.End,
                $"{span.Name} is not within {parent.Name}"
            );
        }
        // One bucket: its calls are one after the other, so the parts cannot be more than the whole.
        var parts = trace.Where(s => s.Parent == root.Id).ToList();
        Assert.True(parts.Sum(s => (decimal)s.Took) <= root.Took, "the parts are longer than the whole");
        var vendor = parts.Where(s => s["bucketencryption.vendor"].Length > 0).ToList();
        // The look, the read before the write where the look is a second old by then, the write, and the read that
        // confirms it.
        Assert.InRange(vendor.Count, 3, 4);
        Assert.Equal(
            [Read, .. Enumerable.Repeat(Read, vendor.Count - 3), Write, Read],
            vendor.Select(s => s.Name),
            StringComparer.Ordinal
        );
        Assert.All(
            vendor,
            call =>
                Assert.Equal(("traced", scene.Endpoint.Host), (call["bucketencryption.bucket"], call["server.address"]))
        );
        Assert.All(
            vendor,
            call => Assert.Single(trace, s => s.Parent == call.Id && s["http.response.status_code"].Length > 0)
        );
        Assert.Equal(
            [.. vendor.SkipLast(2).Select(_ => "NoSuchServerSideEncryptionRule"), "OK", "OK"],
            vendor.Select(s => s["bucketencryption.code"]),
            StringComparer.Ordinal
        );
        Assert.Contains(parts, s => s["http.request.method"] == "PATCH" && s["http.response.status_code"] == "200");
        // The Secret is read once for policy and store; whichever came first has it in its trace.
        Assert.Contains(
            collector.Spans,
            s =>
                s.Parent.Length > 0
                && s["http.request.method"] == "GET"
                && s["url.full"].Contains("/secrets/", StringComparison.Ordinal)
        );
        // Watches and the exporter's own requests begin no trace.
        Assert.All(collector.Spans.Where(s => s.Parent.Length == 0), s => Assert.Equal(Reconcile, s.Name));
        // The vendor is not told of it.
        Assert.All(
            scene.Vendor.Recorder.All,
            r => Assert.DoesNotContain(r.Headers, h => h.Key.StartsWith("trace", StringComparison.OrdinalIgnoreCase))
        );
    }

    [Fact]
    public async Task What_was_measured_last_is_sent_before_the_process_ends()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        var scene = await fixture.SceneAsync();
        await using var op = OperatorProcess.Launch(
            fixture.Server.Kubeconfig,
            scene.Endpoint,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "3600000",
            },
            "--watch-namespaces",
            scene.Namespace
        );
        await op.WhenReadyAsync();
        Assert.Empty(collector.Metrics);

        await op.TerminateAsync();

        Assert.Contains("rest_client_requests_total", collector.Metrics.Keys, StringComparer.Ordinal);
        Assert.Contains("dotnet.gc.collections", collector.Metrics.Keys, StringComparer.Ordinal);
    }

    private static string Indent(ReceivedSpan[] trace, ReceivedSpan span) =>
        span.Parent.Length == 0
            ? ""
            : "  " + (trace.FirstOrDefault(s => s.Id == span.Parent) is { } parent ? Indent(trace, parent) : "");
}
