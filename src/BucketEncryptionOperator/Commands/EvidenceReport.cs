using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Output;

namespace BucketEncryptionOperator.Commands;

/// <summary>Evidence for auditors: what the operator has found at each bucket, and when.</summary>
/// <param name="Cluster">The API server that was asked.</param>
internal sealed record EvidenceReport(DateTimeOffset At, string Cluster, ImmutableArray<StatusRow> Rows)
{
    private static readonly ImmutableArray<string> Columns =
    [
        "namespace",
        "policy",
        "generation",
        "observedGeneration",
        "mode",
        "store",
        "vendor",
        "bucket",
        "state",
        "declared",
        "observed",
        "kmsKeyId",
        "keyUsable",
        "keyReason",
        "reason",
        "message",
        "lastVerified",
        "lastApplied",
    ];

    public string ToCsv()
    {
        var text = new StringBuilder(CsvText.Line(Columns));
        foreach (var row in Rows)
            text.Append(CsvText.Line(CellsOf(row)));
        return text.ToString();
    }

    public string ToJson() =>
        JsonSerializer.Serialize(
            new EvidenceDocument
            {
                GeneratedAt = At,
                Cluster = Cluster,
                Total = Rows.Length,
                AsDeclared = Rows.Count(r => r.IsAsDeclared),
                Buckets = Rows,
            },
            EvidenceJsonContext.Default.EvidenceDocument
        ) + "\n";

    /// <summary>A time as Kubernetes writes it; empty where there is none.</summary>
    public static string TimeText(DateTimeOffset? time) => time is { } at ? KubeTimeConverter.Text(at) : "";

    private static IEnumerable<string> CellsOf(StatusRow row) =>
        [
            row.Namespace,
            row.Policy,
            $"{row.Generation}",
            $"{row.ObservedGeneration}",
            row.Mode,
            row.Store,
            row.Vendor ?? "",
            row.Bucket ?? "",
            row.State,
            row.DeclaredText,
            row.ObservedText,
            row.Observed?.KmsKeyId ?? "",
            row.KeyUsable?.Status ?? "",
            row.KeyUsable?.Reason ?? "",
            row.Reason ?? "",
            row.Message ?? "",
            TimeText(row.LastVerified),
            TimeText(row.LastApplied),
        ];
}

internal sealed record EvidenceDocument
{
    public required DateTimeOffset GeneratedAt { get; init; }

    public required string Cluster { get; init; }

    public required int Total { get; init; }

    public required int AsDeclared { get; init; }

    public required ImmutableArray<StatusRow> Buckets { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n",
    Converters = [typeof(KubeTimeConverter), typeof(OptionalKubeTimeConverter)]
)]
[JsonSerializable(typeof(EvidenceDocument))]
internal sealed partial class EvidenceJsonContext : JsonSerializerContext;
