using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Specs;
using Integration.Tests.Harness;
using Xunit.Abstractions;

namespace Integration.Tests;

/// <summary>
/// The largest statuses that a selector can have, stored by the real API server: 1 000 rows with the longest names and
/// texts. The API server refuses an object of 1.5 MiB, and drops all managed fields of one that comes near.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class LargeStatusTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private static readonly ObservedEncryption Key = new()
    {
        Algorithm = "KMS",
        KmsKeyId = "arn:aws:kms:ap-southeast-1:111122223333:key/0d0466b0-e727-4d9c-b35d-f84bb474a37f",
        BucketKeyEnabled = true,
    };

    [Theory]
    [InlineData("settled")]
    [InlineData("denied")]
    [InlineData("contested")]
    [InlineData("planned")]
    [InlineData("refused")]
    [InlineData("unread")]
    [InlineData("missing")]
    [InlineData("owned by others")]
    [InlineData("everything at once")]
    public async Task A_thousand_rows_of_the_worst_are_stored_with_their_managed_fields(string state)
    {
        var scene = await fixture.SceneAsync();
        using var api = KubeApi.Open(scene.Cluster.Kubeconfig);
        var path = $"/apis/bucketencryption.io/v1alpha1/namespaces/{scene.Namespace}/bucketencryptionpolicies/large";
        var spec = JsonNode.Parse(
            """
            {"storeRef": {"name": "oss"}, "bucketSelector": {"matchNames": ["*"]}, "mode": "Audit",
             "encryption": {"algorithm": "AES256"}}
            """
        );
        var (code, body) = await api.ApplyAsync(
            path,
            new JsonObject
            {
                ["apiVersion"] = "bucketencryption.io/v1alpha1",
                ["kind"] = "BucketEncryptionPolicy",
                ["spec"] = spec,
            }
        );
        KubeApi.Done(code, body, path);
        var full = new PolicyStatus
        {
            ObservedGeneration = 1,
            Buckets = [.. Enumerable.Range(0, BucketSelector.MaxBuckets).Select(i => Row(state, i))],
        };

        var fitted = StatusSize.Fit(full);
        var began = TimeProvider.System.GetTimestamp();
        (code, body) = await api.PatchAsync(path + "/status", new JsonObject { ["status"] = Json(fitted) });
        var took = TimeProvider.System.GetElapsedTime(began);
        KubeApi.Done(code, body, path);
        var stored = await api.GetAsync(path);
        var managed = stored!["metadata"]!["managedFields"]!.ToJsonString().Length;
        output.WriteLine(
            $"{state}: composed {Size(full)}, sent {Size(fitted)} bytes; object "
                + $"{stored.ToJsonString().Length} bytes; managedFields {managed} bytes; PATCH "
                + $"{took.TotalMilliseconds:0} ms"
        );

        Assert.True(Size(fitted) <= StatusSize.Max, $"{Size(fitted)}");
        Assert.Equal(BucketSelector.MaxBuckets, stored["status"]!["buckets"]!.AsArray().Count);
        Assert.Contains(
            stored["metadata"]!["managedFields"]!.AsArray(),
            f => (string?)f!["subresource"] == "status" && f["fieldsV1"] is not null
        );
        Assert.Equal(
            full.Buckets.Select(r => (r.Name, r.State, r.Error?.Code, r.Error?.Hint)),
            StatusSize
                .Expand(stored["status"].Deserialize(ApiJsonContext.Default.PolicyStatus)!)
                .Buckets.Select(r => (r.Name, r.State, r.Error?.Code, r.Error?.Hint))
        );
    }

    private static BucketStatus Row(string state, int i)
    {
        var row = new BucketStatus
        {
            Name = $"{i:0000}-{new string('b', 58)}",
            State = BucketStatus.InSync,
            Partition = "objects-of-a-private-installation.storage.example.com:9000",
            Observed = Key,
            ClaimedTime = Now,
            LastAppliedTime = Now,
        };
        return state switch
        {
            "settled" => row with { VendorKeyId = Key.KmsKeyId },
            "denied" => row with
            {
                State = BucketStatus.Failed,
                Error = Error("AccessDenied", 403),
                ClaimDeniedTime = Now,
            },
            "contested" => row with
            {
                State = BucketStatus.Drifted,
                Error = Error("Contested", status: null),
                Writes = Writes(i),
            },
            "planned" => row with { State = BucketStatus.Drifted, Planned = Plan },
            "refused" => row with
            {
                State = BucketStatus.Drifted,
                Planned = Plan,
                Error = Error("TooManyWrites", status: null),
                Writes = Writes(i),
            },
            "unread" => row with { State = BucketStatus.Unknown, Observed = null, Error = Error("HTTP_502", 502) },
            "missing" => row with { State = BucketStatus.Failed, Observed = null, Error = Error("NoSuchBucket", 404) },
            "owned by others" => row with
            {
                State = BucketStatus.Drifted,
                Error = Error("OwnedByOthers", status: null),
            },
            _ => Row(
                ((string[])["settled", "denied", "contested", "planned", "refused", "unread", "missing"])[i % 7],
                i
            ) with
            {
                Denied = new DeniedWrites { Count = 3, Since = Now },
            },
        };
    }

    private static PlannedWrite Plan { get; } =
        new()
        {
            Operation = PlannedWrite.Put,
            Target = Key,
            Document = new string('d', PlannedWrite.MaxDocument),
        };

    private static WriteRecord Writes(int i) =>
        new()
        {
            Hash = $"Kms/Key/{Key.KmsKeyId}/{i}",
            Count = 12,
            NotBefore = Now,
            Kept = true,
            Correction = true,
            RecordedTime = Now,
        };

    private static BucketError Error(string code, int? status) =>
        new()
        {
            Operation = "GetBucketEncryption",
            Code = code,
            HttpStatus = status,
            Ec = status is null ? null : "0003-00000001",
            Message = new string('m', 1024),
            Hint = $"What to do about {code}: {new string('h', 300)}",
            RequestId = status is null ? null : Guid.NewGuid().ToString(),
            Since = status == 502 ? Now : null,
        };

    private static JsonNode Json(PolicyStatus status) =>
        JsonSerializer.SerializeToNode(status, ApiJsonContext.Default.PolicyStatus)!;

    private static int Size(PolicyStatus status) =>
        JsonSerializer.SerializeToUtf8Bytes(status, ApiJsonContext.Default.PolicyStatus).Length;
}
