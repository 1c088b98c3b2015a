using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Output;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// <c>status</c>: one row per bucket of the cluster's policies, from their statuses: docs/commands.md.
/// </summary>
internal static class StatusCommand
{
    private const string Name = "status";

    private static readonly ImmutableArray<string> Columns =
    [
        "STATE",
        "POLICY",
        "BUCKET",
        "STORE",
        "VENDOR",
        "DECLARED",
        "FOUND",
        "REASON",
        "SINCE",
        "HINT",
    ];

    private static readonly Option<bool> NotCompliant = new("--not-compliant")
    {
        Description = "Only buckets that are not as declared, or not known to be.",
    };
    private static readonly Option<OutputFormat> Format = new("--output", "-o")
    {
        Description = "table, json, yaml or markdown.",
        DefaultValueFactory = _ => OutputFormat.Table,
    };

    private static readonly Option<bool> Watch = new("--watch", "-w")
    {
        Description =
            "Go on until it is stopped: on a terminal the table as it is, elsewhere each row that changes, as a line "
            + "of text or (-o json) of JSON.",
    };

    public static Command Build(Func<string, string?> environment, TimeProvider time)
    {
        var command = new Command(
            Name,
            "Show what the statuses of the cluster's policies say of each bucket. Exit code 0: all are as declared; 2: "
                + "some are not; 1: errors."
        )
        {
            NotCompliant,
            Watch,
            Format,
        };
        ClusterTarget.AddTo(command);
        CommandConsole.SetAction(
            command,
            environment,
            (parsed, console, token) => RunAsync(parsed, console, environment, time, token)
        );
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed,
        CommandConsole console,
        Func<string, string?> environment,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var format = parsed.GetValue(Format);
        if (format == OutputFormat.Github)
            throw new UsageException("--output must be table, json, yaml or markdown: there is no file to annotate");
        if (parsed.GetValue(Watch) && format is not (OutputFormat.Table or OutputFormat.Json))
            throw new UsageException("--output must be table or json with --watch");
        using var cluster = ClusterTarget.Connect(parsed, environment, time);
        var all = await ClusterTarget.RowsAsync(parsed, cluster, cancellationToken);
        if (parsed.GetValue(Watch))
        {
            var screen = new StatusScreen(console, time, format == OutputFormat.Json, parsed.GetValue(NotCompliant));
            return await new StatusWatch(cluster, time).RunAsync(
                ClusterTarget.ScopeOf(parsed, cluster),
                policies => ClusterTarget.Meant(parsed, policies),
                screen.ShowAsync,
                cancellationToken
            );
        }
        var shown = parsed.GetValue(NotCompliant) ? [.. all.Where(r => !r.IsAsDeclared)] : all;
        await WriteAsync(console, format, shown, all, time);
        return ExitCodeOf(all);
    }

    /// <summary>Returns 0 where all buckets are as declared.</summary>
    public static int ExitCodeOf(ImmutableArray<StatusRow> rows) => rows.All(r => r.IsAsDeclared) ? 0 : 2;

    /// <param name="now">The ages of the rows end at it.</param>
    public static TextTable TableOf(IEnumerable<StatusRow> rows, DateTimeOffset now) =>
        new(Columns, [.. rows.Select(row => CellsOf(row, now))]);

    public static string SummaryOf(ImmutableArray<StatusRow> rows) =>
        $"{rows.Count(r => r.IsAsDeclared)} of {rows.Length} as declared.";

    private static async Task WriteAsync(
        CommandConsole console,
        OutputFormat format,
        ImmutableArray<StatusRow> shown,
        ImmutableArray<StatusRow> all,
        TimeProvider time
    )
    {
        var report = new StatusReport { Buckets = shown };
        switch (format)
        {
            case OutputFormat.Json:
                await console.WriteLineAsync(JsonSerializer.Serialize(report, StatusJsonContext.Default.StatusReport));
                return;
            case OutputFormat.Yaml:
                var json = JsonSerializer.SerializeToElement(report, StatusJsonContext.Default.StatusReport);
                await console.Output.WriteAsync(YamlText.Of(json));
                return;
        }
        var table = TableOf(shown, time.GetUtcNow());
        var summary = SummaryOf(all);
        if (format == OutputFormat.Markdown)
            await console.Output.WriteAsync(table.ToMarkdown() + "\n" + summary + "\n");
        else
        {
            if (shown.Length > 0)
                await console.WriteTableAsync(table);
            await console.WriteLineAsync(summary);
        }
    }

    private static ImmutableArray<TableCell> CellsOf(StatusRow row, DateTimeOffset now) =>
        [
            new TableCell(
                row.State,
                row.State switch
                {
                    BucketStatus.InSync => CellTone.Good,
                    BucketStatus.Drifted or BucketStatus.Failed => CellTone.Bad,
                    _ => CellTone.Changed,
                }
            ),
            $"{row.Namespace}/{row.Policy}",
            row.Bucket ?? "",
            row.Store,
            row.Vendor ?? "",
            row.DeclaredText,
            row.ObservedText,
            row.Reason ?? "",
            row.Since is { } since && since > DateTimeOffset.UnixEpoch ? Age(now - since) : "",
            row.Hint ?? row.Message ?? "",
        ];

    /// <summary>As kubectl shows an age, in one unit.</summary>
    private static string Age(TimeSpan age) =>
        age.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays}d")
        : age.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours}h")
        : age.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes}m")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)age.TotalSeconds)}s");
}
