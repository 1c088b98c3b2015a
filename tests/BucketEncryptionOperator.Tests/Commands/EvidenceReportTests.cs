using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Commands;

namespace BucketEncryptionOperator.Tests.Commands;

/// <summary>That a cluster takes the Report objects, ClusterCommandsTests shows.</summary>
public sealed class EvidenceReportTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 4, 11, 33, TimeSpan.Zero);

    [Fact]
    public void Csv_quotes_what_must_be_and_has_no_formula()
    {
        var csv = Report(
                Row("ledger", BucketStatus.Failed) with
                {
                    KeyUsable = new KeyStatus("False", "KeyDisabled", "KMS key k cannot be used."),
                    Reason = "AccessDenied",
                    Message = "=HYPERLINK(\"x\"), a\nb",
                }
            )
            .ToCsv()
            .Split("\r\n");

        Assert.StartsWith(
            "namespace,policy,generation,observedGeneration,mode,store,vendor,bucket,state",
            csv[0],
            StringComparison.Ordinal
        );
        Assert.Equal(
            "team,finance,3,3,Enforce,BucketStore/oss,AlibabaOSS,ledger,Failed,KMS with key k,AES256,,"
                + "False,KeyDisabled,AccessDenied,\"'=HYPERLINK(\"\"x\"\"), a\nb\",2026-11-21T04:11:33Z,",
            csv[1]
        );
    }

    [Fact]
    public void Json_has_totals_and_every_row()
    {
        var json = JsonDocument
            .Parse(Report(Row("ledger", BucketStatus.InSync), Row("archive", BucketStatus.Drifted)).ToJson())
            .RootElement;

        Assert.Equal(2, json.GetProperty("total").GetInt32());
        Assert.Equal(1, json.GetProperty("asDeclared").GetInt32());
        Assert.Equal("2026-11-21T04:11:33Z", json.GetProperty("generatedAt").GetString());
        Assert.Equal(
            "KMS",
            json.GetProperty("buckets")[0].GetProperty("declared").GetProperty("algorithm").GetString()
        );
    }

    [Fact]
    public void The_page_needs_nothing_else_and_encodes_what_is_a_strangers()
    {
        var page = ReportPage.Of(
            Report(
                Row("ledger", BucketStatus.InSync),
                Row("archive", BucketStatus.Failed) with
                {
                    Reason = "Bad",
                    Message = "<script>alert(1)</script> {{rows}}",
                }
            )
        );

        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("<tr data-state").Length - 1);
        Assert.DoesNotContain("{{meta}}", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=", page);
        Assert.Contains("<dt>InSync</dt><dd>1</dd>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BucketStatus.InSync, false, "pass")]
    [InlineData(BucketStatus.Drifted, false, "fail")]
    [InlineData(BucketStatus.Failed, false, "error")]
    [InlineData(BucketStatus.Unknown, false, "error")]
    [InlineData(BucketStatus.Drifted, true, "skip")]
    public void A_state_is_a_result(string state, bool suspended, string result)
    {
        var report = JsonDocument
            .Parse(OpenReports.Of(Report(Row("ledger", state) with { Suspended = suspended ? true : null })))
            .RootElement.GetProperty("items")[0];

        Assert.Equal(result, report.GetProperty("results")[0].GetProperty("result").GetString());
        Assert.Equal(1, report.GetProperty("summary").GetProperty(result).GetInt32());
        Assert.Equal(
            At.ToUnixTimeSeconds(),
            report.GetProperty("results")[0].GetProperty("timestamp").GetProperty("seconds").GetInt64()
        );
    }

    [Fact]
    public void A_namespace_with_many_buckets_has_several_objects_each_within_the_budget()
    {
        var rows = Enumerable.Range(0, 3000).Select(i => Row($"bucket-{i}", BucketStatus.InSync)).ToArray();

        var items = JsonDocument
            .Parse(OpenReports.Of(Report(rows)))
            .RootElement.GetProperty("items")
            .EnumerateArray()
            .ToList();

        Assert.True(items.Count > 1);
        Assert.Equal(3000, items.Sum(i => i.GetProperty("results").GetArrayLength()));
        Assert.All(items, i => Assert.True(JsonSerializer.SerializeToUtf8Bytes(i).Length < 700 * 1024));
        Assert.Equal(
            ["bucket-encryption", "bucket-encryption-2"],
            items.Take(2).Select(i => i.GetProperty("metadata").GetProperty("name").GetString())
        );
    }

    private static EvidenceReport Report(params StatusRow[] rows) =>
        new(At, "https://cluster.example.com:6443", [.. rows]);

    private static StatusRow Row(string bucket, string state) =>
        new()
        {
            Namespace = "team",
            Policy = "finance",
            Bucket = bucket,
            Store = "BucketStore/oss",
            Vendor = "AlibabaOSS",
            Mode = "Enforce",
            Declared = new EncryptionSpec
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k" },
            },
            Observed = new ObservedEncryption { Algorithm = "AES256" },
            State = state,
            LastVerified = At,
            Generation = 3,
            ObservedGeneration = 3,
        };
}
