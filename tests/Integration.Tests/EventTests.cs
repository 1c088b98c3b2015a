using System.Text.Json.Nodes;
using Integration.Tests.Harness;
using KubeRuntime.Client;
using KubeRuntime.Events;
using KubeRuntime.Instrumentation;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>What people see with kubectl of what happened.</summary>
[Collection(ClusterTests.Name)]
public sealed class EventTests(ClusterFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task Describe_tells_what_was_done_and_what_somebody_else_did_once_each()
    {
        var scene = await fixture.SceneAsync();
        scene.CreateBuckets("ledger");
        await using var op = await fixture.OperatorAsync(scene);
        await scene.ApplyPolicyAsync("one", ["ledger"]);
        await scene.Cluster.WhenReadyIsAsync(scene.Namespace, "one", "True");
        await Eventually.TrueAsync(
            "the first event",
            async () => Occurrences(await EventsAsync(scene)) == 1,
            () => op.Log
        );

        scene.Vendor.Buckets.SetEncryptionBehindTheBack("ledger", xml: null);
        await Eventually.TrueAsync(
            "the events of the drift",
            async () => Occurrences(await EventsAsync(scene)) == 3,
            () => op.Log
        );
        var reads = scene.Received("ledger", ObjectStoreSimulator.Operations.Get);
        await Eventually.TrueAsync(
            "resyncs",
            () => scene.Received("ledger", ObjectStoreSimulator.Operations.Get) >= reads + 3
        );

        var events = await EventsAsync(scene);
        Assert.Equal(
            "DriftDetected Bucket ledger: default encryption was changed by somebody else, "
                + "from KMS with key key-1 to None.\n"
                + "EncryptionApplied Bucket ledger: default encryption is now KMS with key key-1; it was None.",
            string.Join('\n', events.Select(e => $"{e["reason"]} {e["note"]}").Order(StringComparer.Ordinal))
        );
        Assert.Equal(3, Occurrences(events));
        var described = await scene.Cluster.KubectlAsync("-n", scene.Namespace, "describe", "bep", "one");
        output.WriteLine(described[described.IndexOf("Events:", StringComparison.Ordinal)..]);
        Assert.Contains("DriftDetected", described, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_server_takes_first_events_and_series_of_namespaced_and_of_cluster_scoped_subjects()
    {
        var scene = await fixture.SceneAsync();
        var connection = KubeConfig.Load(fixture.Server.Kubeconfig, context: null, _ => null, TimeProvider.System);
        using var client = new KubeClient(connection, "event-tests/1.0", TimeProvider.System);
        using var meter = new System.Diagnostics.Metrics.Meter("test");
        var recorder = new EventRecorder(
            client,
            new EventReporter("example.com/test", "pod-1"),
            new Random(1),
            TimeProvider.System,
            NullLogger<EventRecorder>.Instance,
            new RuntimeMetrics(meter)
        );
        using var stop = new CancellationTokenSource();
        var running = recorder.RunAsync(stop.Token);
        var namespaced = new EventSubject("v1", "Secret", new NamespacedName(scene.Namespace, "oss-keys"), "uid-1");
        var cluster = new EventSubject(
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            new NamespacedName("", "system:node"),
            $"uid-{scene.Namespace}"
        );

        foreach (var subject in (EventSubject[])[namespaced, cluster, namespaced, cluster, cluster])
            recorder.Record(
                new Occurrence(
                    subject,
                    IsWarning: true,
                    "Seen",
                    "Look",
                    new string('ß', 4000),
                    TimeProvider.System.GetUtcNow()
                )
            );
        await stop.CancelAsync();
        await running;

        var stored = Assert.Single(await EventsAsync(scene));
        Assert.Equal(2, (int?)stored["series"]?["count"]);
        var ofCluster = (await EventsAsync(scene, "default")).Single(e =>
            (string?)e["regarding"]?["uid"] == cluster.Uid
        );
        Assert.Equal(3, (int?)ofCluster["series"]?["count"]);
        Assert.Equal(512, ((string?)ofCluster["note"])?.Length);
    }

    private static int Occurrences(List<JsonNode> events) => events.Sum(e => (int?)e["series"]?["count"] ?? 1);

    private static async Task<List<JsonNode>> EventsAsync(Scene scene, string? ns = null)
    {
        var list = JsonNode.Parse(
            await scene.Cluster.KubectlAsync(
                "-n",
                ns ?? scene.Namespace,
                "get",
                "events.v1.events.k8s.io",
                "-o",
                "json"
            )
        );
        return [.. (list?["items"]?.AsArray() ?? []).OfType<JsonNode>()];
    }
}
