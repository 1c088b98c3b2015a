using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// The evidence as <c>Report</c> objects of openreports.io/v1alpha1, which Policy Reporter and others show: one per
/// namespace, and more where one would be too large. pass: as declared; fail: read, and not as declared; error: could
/// not be found out; skip: the policy is suspended.
/// </summary>
internal static class OpenReports
{
    /// <summary>
    /// Maximum size of an object's results in bytes: a request to etcd has at most 1.5 MiB, and each result is stored
    /// once more in managedFields.
    /// </summary>
    private const int MaxBytes = 500 * 1024;

    private const string Source = "bucket-encryption-operator";
    private const string Name = "bucket-encryption";

    public static string Of(EvidenceReport evidence)
    {
        var items = evidence
            .Rows.GroupBy(r => r.Namespace, StringComparer.Ordinal)
            .SelectMany(group => Chunks(group).Select((results, i) => ReportOf(group.Key, i, results)));
        return JsonSerializer.Serialize(
                new OpenReportList { Items = [.. items] },
                OpenReportsJsonContext.Default.OpenReportList
            ) + "\n";
    }

    private static IEnumerable<ImmutableArray<OpenReportResult>> Chunks(IEnumerable<StatusRow> rows)
    {
        var chunk = ImmutableArray.CreateBuilder<OpenReportResult>();
        var size = 0;
        foreach (var row in rows)
        {
            var result = ResultOf(row);
            var bytes = Encoding.UTF8.GetByteCount(
                JsonSerializer.Serialize(result, OpenReportsJsonContext.Default.OpenReportResult)
            );
            if (size + bytes > MaxBytes && chunk.Count > 0)
            {
                yield return chunk.ToImmutable();
                chunk.Clear();
                size = 0;
            }
            chunk.Add(result);
            size += bytes;
        }
        yield return chunk.ToImmutable();
    }

    private static OpenReport ReportOf(string ns, int index, ImmutableArray<OpenReportResult> results) =>
        new()
        {
            Metadata = new OpenReportMeta
            {
                Name = index == 0 ? Name : string.Create(CultureInfo.InvariantCulture, $"{Name}-{index + 1}"),
                Namespace = ns,
                Labels = ImmutableDictionary<string, string>.Empty.Add("app.kubernetes.io/managed-by", Source),
            },
            Summary = new OpenReportSummary
            {
                Pass = results.Count(r => r.Result == "pass"),
                Fail = results.Count(r => r.Result == "fail"),
                Error = results.Count(r => r.Result == "error"),
                Skip = results.Count(r => r.Result == "skip"),
            },
            Results = results,
        };

    private static OpenReportResult ResultOf(StatusRow row)
    {
        var result = row switch
        {
            { Suspended: true } => "skip",
            { State: BucketStatus.InSync } => "pass",
            { State: BucketStatus.Drifted } => "fail",
            _ => "error",
        };
        return new OpenReportResult
        {
            Policy = row.Policy,
            Rule = "encrypted-as-declared",
            Category = "Encryption",
            Severity = result is "fail" ? "high" : "info",
            Result = result,
            Scored = true,
            Message = $"{row.Bucket ?? "policy " + row.Policy}: {row.Reason ?? row.State}. {row.Message}".TrimEnd(),
            Timestamp = row.LastVerified is { } at ? new OpenReportTime { Seconds = at.ToUnixTimeSeconds() } : null,
            Resources =
            [
                new OpenReportResource
                {
                    ApiVersion = $"{ApiResources.Group}/{ApiResources.Version}",
                    Kind = ApiResources.Policy,
                    Name = row.Policy,
                    Namespace = row.Namespace,
                },
            ],
            Properties = PropertiesOf(row),
        };
    }

    private static ImmutableSortedDictionary<string, string> PropertiesOf(StatusRow row) =>
        new (string Name, string? Value)[]
        {
            ("bucket", row.Bucket),
            ("store", row.Store),
            ("vendor", row.Vendor),
            ("mode", row.Mode),
            ("state", row.State),
            ("declared", row.DeclaredText),
            ("observed", row.ObservedText),
            ("kmsKeyId", row.Observed?.KmsKeyId),
            ("keyUsable", row.KeyUsable?.Status),
            ("keyReason", row.KeyUsable?.Reason),
            ("generation", row.Generation.ToString(CultureInfo.InvariantCulture)),
        }
            .Where(p => !string.IsNullOrEmpty(p.Value))
            .ToImmutableSortedDictionary(p => p.Name, p => p.Value ?? "", StringComparer.Ordinal);
}

internal sealed record OpenReportList
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "List";

    public required ImmutableArray<OpenReport> Items { get; init; }
}

internal sealed record OpenReport
{
    public string ApiVersion { get; } = "openreports.io/v1alpha1";

    public string Kind { get; } = "Report";

    public required OpenReportMeta Metadata { get; init; }

    public string Source { get; } = "bucket-encryption-operator";

    public required OpenReportSummary Summary { get; init; }

    public required ImmutableArray<OpenReportResult> Results { get; init; }
}

internal sealed record OpenReportMeta
{
    public required string Name { get; init; }

    public required string Namespace { get; init; }

    public required ImmutableDictionary<string, string> Labels { get; init; }
}

internal sealed record OpenReportSummary
{
    public int Pass { get; init; }

    public int Fail { get; init; }

    public int Warn { get; init; }

    public int Error { get; init; }

    public int Skip { get; init; }
}

internal sealed record OpenReportResult
{
    public required string Policy { get; init; }

    public required string Rule { get; init; }

    public required string Category { get; init; }

    public required string Severity { get; init; }

    public required string Result { get; init; }

    public required bool Scored { get; init; }

    public required string Message { get; init; }

    /// <summary>Not a text, but seconds since the epoch.</summary>
    public OpenReportTime? Timestamp { get; init; }

    public required ImmutableArray<OpenReportResource> Resources { get; init; }

    public required ImmutableSortedDictionary<string, string> Properties { get; init; }
}

internal sealed record OpenReportTime
{
    public required long Seconds { get; init; }

    public int Nanos { get; init; }
}

internal sealed record OpenReportResource
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public required string Name { get; init; }

    public required string Namespace { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n"
)]
[JsonSerializable(typeof(OpenReportList))]
[JsonSerializable(typeof(OpenReportResult))]
internal sealed partial class OpenReportsJsonContext : JsonSerializerContext;
