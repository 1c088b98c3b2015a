using System.Text.Json;
using System.Text.Json.Nodes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Api;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Reconciling;
using KubeRuntime.Controllers;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Specs;

/// <summary>
/// A status is written by others too. Whatever the API server takes as one must not hide the spec, nor stop a
/// reconcile.
/// </summary>
public sealed class OddStatusTests(ITestOutputHelper output)
{
    private const string Bucket = "finance-archive";

    private static readonly DateTimeOffset Evening = new(2026, 11, 21, 1, 47, 57, TimeSpan.Zero);

    [Theory]
    [InlineData("bucketencryptionpolicies.yaml")]
    [InlineData("bucketstores.yaml")]
    [InlineData("clusterbucketstores.yaml")]
    public void Whatever_the_schema_accepts_is_read(string file)
    {
        var samples = new CrdSamples(RandomSeed.NewRandom(output.WriteLine));
        var schema = CrdSchema.Load(file);
        for (var i = 0; i < RandomSeed.Cases(3000); i++)
        {
            var json = new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "x" },
                ["spec"] = samples.Of(schema["spec"]),
                ["status"] = samples.Of(schema["status"]),
            };
            Assert.Empty(schema["status"].Violations(json["status"], "status"));

            var bad = Record.Exception(() =>
                file switch
                {
                    "bucketstores.yaml" => (object?)JsonSerializer.Deserialize(json, ApiResources.Stores.ObjectType),
                    "clusterbucketstores.yaml" => JsonSerializer.Deserialize(
                        json,
                        ApiResources.ClusterStores.ObjectType
                    ),
                    _ => JsonSerializer.Deserialize(json, ApiResources.Policies.ObjectType),
                }
            );

            Assert.True(bad is null, $"{bad?.Message}\n{json}");
        }
    }

    [Theory]
    [InlineData("9999999999", int.MaxValue)]
    [InlineData("9223372036854775807", int.MaxValue)]
    [InlineData("1e30", int.MaxValue)]
    [InlineData("2.0", 2)]
    [InlineData("-1", 0)]
    [InlineData("-9999999999", 0)]
    public void A_count_beyond_its_range_is_read_as_the_nearest(string written, int read)
    {
        var row = ReadRow($$"""{"hash": "h", "count": {{written}}, "notBefore": "2026-11-21T01:47:57Z"}""");

        Assert.Equal(read, row.Writes?.Count);
    }

    [Theory]
    [InlineData("2026-11-21T01:47:57Z")]
    [InlineData("2026-11-21t01:47:57z")]
    [InlineData("2026-11-21t09:47:57+08:00")]
    [InlineData("2026-11-20T20:17:57-05:30")]
    [InlineData("2026-11-21T01:47:57,25z")]
    [InlineData("2026-11-21T01:47:57.000000000000000000000000Z")]
    [InlineData("2026-11-21T01:47:57ZT and more")]
    public void A_time_is_read_in_every_form_that_the_API_server_takes(string written)
    {
        var status = Read($$"""{"lastVerifiedTime": "{{written}}"}""");

        Assert.Equal(Evening, status.LastVerifiedTime!.Value, TimeSpan.FromMilliseconds(1));
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("2026-02-31T00:00:00Z")]
    [InlineData("2026-11-21T01:47:57+99:99")]
    public void A_time_that_is_none_is_absent_and_the_first_of_all_where_it_cannot_be(string written)
    {
        var status = Read(
            $$"""
            {"lastVerifiedTime": "{{written}}", "conditions": [{"type": "Ready", "status": "True", "reason": "R",
            "message": "", "lastTransitionTime": "{{written}}"}]}
            """
        );

        Assert.Null(status.LastVerifiedTime);
        Assert.Equal(DateTimeOffset.UnixEpoch, status.Conditions.Find("Ready")?.LastTransitionTime);
    }

    /// <summary>Something is always added to a time, or taken from it.</summary>
    [Theory]
    [InlineData("9999-12-31T23:59:59Z", 9000)]
    [InlineData("9999-12-31T23:59:59.999-14:00", 9000)]
    [InlineData("0001-01-01T00:00:00Z", 1970)]
    [InlineData("0001-01-01T00:00:00+14:00", 1970)]
    public void A_time_at_the_ends_of_the_calendar_leaves_room(string written, int year)
    {
        var status = Read($$"""{"lastVerifiedTime": "{{written}}"}""");

        Assert.Equal(new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero), status.LastVerifiedTime);
    }

    [Fact]
    public async Task No_status_stops_a_reconcile_or_leads_to_one_that_cannot_be_written()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var samples = new CrdSamples(random);
        var schema = CrdSchema.Load("bucketencryptionpolicies.yaml")["status"];
        for (var i = 0; i < RandomSeed.Cases(300); i++)
        {
            var json = samples.Of(schema);
            if (json["buckets"] is JsonArray { Count: > 0 } rows)
                rows[0]!["name"] = Bucket;
            var policy = Given.Policy(Bucket);
            policy = policy with
            {
                Spec = policy.Spec with { DeletionPolicy = random.Next(2) == 0 ? "Restore" : "Retain" },
                Status = Read(json.ToJsonString()),
            };
            await using var bench = new Workbench().Start(policy);
            bench.Vendor[Bucket] = new BucketEncryption.None();

            await bench.ReconcileAsync([Given.PolicyKey], workers: 1);

            Assert.True(
                bench.Status.Conditions.Find("Ready")?.Reason != "OperatorBug",
                $"{json}\n{string.Join('\n', bench.Logs)}"
            );
            var written = JsonSerializer.SerializeToNode(bench.Status, ApiJsonContext.Default.PolicyStatus);
            Assert.True(!schema.Violations(written, "status").Any(), $"{json}\n{written}");
        }
    }

    private static BucketStatus ReadRow(string writes) =>
        Assert.Single(
            Read(
                """{"buckets": [{"name": "b-one", "state": "Drifted", "writes": WRITES}]}""".Replace(
                    "WRITES",
                    writes,
                    StringComparison.Ordinal
                )
            ).Buckets
        );

    private static PolicyStatus Read(string status)
    {
        const string Policy = """
            {"metadata": {"name": "x"}, "spec": {"storeRef": {"name": "s"}, "buckets": [{"name": "b-one"}],
            "encryption": {"algorithm": "AES256"}}, "status": STATUS}
            """;
        return JsonSerializer
            .Deserialize(Policy.Replace("STATUS", status, StringComparison.Ordinal), ApiResources.Policies.ObjectType)!
            .Status!;
    }
}
