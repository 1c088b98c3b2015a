using Spectre.Console;

namespace BucketEncryptionOperator.Output;

/// <summary>Draws a table on a terminal: colours, and columns that fit its width.</summary>
internal static class TerminalTable
{
    public static void Write(TextTable table, TextWriter terminal)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings { Ansi = AnsiSupport.Detect, Out = new AnsiConsoleOutput(terminal) }
        );
        var shown = table.Shown();
        var drawn = new Table { Border = TableBorder.Simple };
        foreach (var column in shown)
            drawn.AddColumn(new TableColumn(new Text(table.Columns[column], new Style(decoration: Decoration.Bold))));
        foreach (var row in table.Rows)
            drawn.AddRow(shown.Select(c => new Text(row[c].Text, StyleOf(row[c].Tone))));
        console.Write(drawn);
    }

    private static Style StyleOf(CellTone tone) =>
        tone switch
        {
            CellTone.Good => new Style(Color.Green),
            CellTone.Changed => new Style(Color.Yellow),
            CellTone.Bad => new Style(Color.Red),
            _ => Style.Plain,
        };
}
