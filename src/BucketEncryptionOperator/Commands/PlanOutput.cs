using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Manifests;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;

namespace BucketEncryptionOperator.Commands;

/// <summary>Writes a plan in the form that the caller asks for.</summary>
internal sealed class PlanOutput(CommandConsole console)
{
    private static readonly ImmutableArray<string> Columns =
    [
        "ACTION",
        "POLICY",
        "BUCKET",
        "FROM",
        "TO",
        "REASON",
        "MESSAGE",
    ];

    public async Task WriteAsync(
        OutputFormat format,
        PlanReport report,
        ManifestSet files,
        ImmutableArray<PlanRow> rows
    )
    {
        switch (format)
        {
            case OutputFormat.Table:
                foreach (var problem in files.Problems)
                    await console.ErrorLineAsync(problem.ToString());
                if (rows.Length > 0)
                    await console.WriteTableAsync(TableOf(report, rows));
                await console.WriteLineAsync(report.Summary + ".");
                break;
            case OutputFormat.Markdown:
                await console.Output.WriteAsync(Markdown(report, files, rows));
                break;
            case OutputFormat.Github:
                await console.Output.WriteAsync(Annotations(report, rows));
                break;
            case OutputFormat.Json:
                await console.WriteLineAsync(JsonSerializer.Serialize(report, PlanJsonContext.Default.PlanReport));
                break;
            case OutputFormat.Yaml:
                var json = JsonSerializer.SerializeToElement(report, PlanJsonContext.Default.PlanReport);
                await console.Output.WriteAsync(YamlText.Of(json));
                break;
            default:
                throw new InvalidOperationException($"{format}");
        }
    }

    private static TextTable TableOf(PlanReport report, ImmutableArray<PlanRow> rows) =>
        new(Columns, [.. rows.Select((row, i) => CellsOf(row, report.Buckets[i]))]);

    private static ImmutableArray<TableCell> CellsOf(PlanRow row, PlannedBucket shown) =>
        [
            new TableCell(shown.Action, ToneOf(row.Action)),
            $"{shown.Namespace}/{shown.Policy}",
            row.Bucket,
            row.Observed?.ToString() ?? "",
            row.Target?.ToString() ?? "",
            row.Why?.Code ?? "",
            row.Why?.Message ?? "",
        ];

    private static CellTone ToneOf(PlanAction action) =>
        action switch
        {
            PlanAction.None => CellTone.Good,
            PlanAction.Put or PlanAction.Delete => CellTone.Changed,
            PlanAction.Refused or PlanAction.Error => CellTone.Bad,
            _ => CellTone.Plain,
        };

    private static string Markdown(PlanReport report, ManifestSet files, ImmutableArray<PlanRow> rows)
    {
        var text = new StringBuilder();
        text.Append($"**Bucket encryption plan:** {report.Summary}.\n");
        foreach (var problem in files.Problems)
            text.Append(text.Length > 0 && problem == files.Problems[0] ? "\n" : "")
                .Append($"- {TextTable.Escaped(problem.ToString())}\n");
        if (rows.Length > 0)
            text.Append('\n').Append(TableOf(report, rows).ToMarkdown());
        return text.ToString();
    }

    /// <summary>Annotates what would change and what is wrong. A bucket that is as declared is no news.</summary>
    private static string Annotations(PlanReport report, ImmutableArray<PlanRow> rows)
    {
        var text = new StringBuilder();
        foreach (var problem in report.Problems)
        {
            var message = problem.Field is null ? problem.Message : $"{problem.Field}: {problem.Message}";
            text.Append(new GithubAnnotation("error", problem.File, problem.Line ?? 0, "Invalid manifest", message));
        }
        foreach (var (row, shown) in rows.Zip(report.Buckets))
        {
            var level = row.Action switch
            {
                PlanAction.Put or PlanAction.Delete => "notice",
                PlanAction.Refused or PlanAction.Error => "error",
                _ => null,
            };
            if (level is null)
                continue;
            var subject = row.Bucket.Length == 0 ? $"policy {shown.Policy}" : $"bucket {row.Bucket}";
            var message = row.Why is { } why
                ? $"{subject}: {why.Code}: {why.Message} {why.Hint}".TrimEnd()
                : $"{subject}: {row.Observed} becomes {row.Target}";
            text.Append(new GithubAnnotation(level, shown.File, shown.Line, $"Encryption: {shown.Action}", message));
        }
        return text.ToString();
    }
}
