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

    private static readonly Option<bool> Serve = new("--serve")
    {
        Description =
            "With html: show the page on this machine's loopback address, live, until it is stopped. Its address is "
            + "printed, and is not to be guessed.",
    };
    private static readonly Option<int> Port = new("--port")
    {
        Description = "With --serve. Default: any that is free.",
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            "report",
            "Write evidence for auditors: every bucket of the cluster's policies with its state, what was "
                + "found, and when."
        )
        {
            Format,
            Serve,
            Port,
        };
        ClusterTarget.AddTo(command);
        CommandConsole.SetAction(
            command,
            environment,
            async (parsed, console, cancellationToken) =>
            {
                var format = parsed.GetValue(Format);
                if (parsed.GetValue(Serve) && format != ReportFormat.Html)
                    throw new UsageException("--serve goes only with --output html");
                using var cluster = ClusterTarget.Connect(parsed, environment, time);
                var evidence = await ReadAsync(cancellationToken);
                if (parsed.GetValue(Serve))
                    return await new ReportServer(console, ReadAsync).RunAsync(
                        parsed.GetValue(Port),
                        cancellationToken
                    );
                await console.Output.WriteAsync(TextOf(evidence, format));
                return 0;

                async Task<EvidenceReport> ReadAsync(CancellationToken token) =>
                    new(time.GetUtcNow(), cluster.Server, await ClusterTarget.RowsAsync(parsed, cluster, token));
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
