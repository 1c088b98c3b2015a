using System.CommandLine;

namespace BucketEncryptionOperator.Commands;

/// <summary>The form of a report.</summary>
internal enum ReportFormat
{
    Csv,
    Json,
    Html,
    OpenReports,
}

/// <summary><c>report</c>: evidence for auditors, from the cluster's statuses: docs/commands.md.</summary>
internal static class ReportCommand
{
    private static readonly Option<ReportFormat> Format = new("--output", "-o")
    {
        Description = "csv, json, html (one page that needs nothing else) or openreports (Report objects).",
        Required = true,
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            "report",
            "Write evidence for auditors: every bucket of the cluster's policies with its state, what was found, and when."
        )
        {
            Format,
        };
        ClusterTarget.AddTo(command);
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                var console = CommandConsole.Of(parsed, environment);
                return console.RunAsync(
                    async () =>
                    {
                        using var cluster = ClusterTarget.Connect(parsed, environment, time);
                        var rows = await ClusterTarget.RowsAsync(parsed, cluster, cancellationToken);
                        var evidence = new EvidenceReport(time.GetUtcNow(), cluster.Server, rows);
                        await console.Output.WriteAsync(TextOf(evidence, parsed.GetValue(Format)));
                        return 0;
                    },
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static string TextOf(EvidenceReport evidence, ReportFormat format) =>
        format switch
        {
            ReportFormat.Csv => evidence.ToCsv(),
            ReportFormat.Json => evidence.ToJson(),
            ReportFormat.Html => ReportPage.Of(evidence),
            ReportFormat.OpenReports => OpenReports.Of(evidence),
            _ => throw new InvalidOperationException($"{format}"),
        };
}
