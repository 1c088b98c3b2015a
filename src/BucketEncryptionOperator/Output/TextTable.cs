using System.Collections.Immutable;
using System.Text;

namespace BucketEncryptionOperator.Output;

/// <summary>What a cell means, for its colour.</summary>
internal enum CellTone
{
    Plain,
    Good,
    Changed,
    Bad,
}

/// <summary>One cell. Control characters are replaced: a name of a vendor must not steer a terminal.</summary>
internal readonly record struct TableCell(string Text, CellTone Tone = CellTone.Plain)
{
    public string Text { get; } = VisibleText.Of(Text);

    public static implicit operator TableCell(string text) => new(text);
}

/// <summary>A table as text: columns between blanks, or Markdown.</summary>
internal sealed record TextTable(ImmutableArray<string> Columns, ImmutableArray<ImmutableArray<TableCell>> Rows)
{
    /// <summary>Returns the table with its columns below one another. An empty column is left out.</summary>
    public string ToPlainText(bool withHead = true)
    {
        var shown = Shown();
        var widths = shown.Select(WidthOf).ToArray();
        var text = new StringBuilder();
        if (withHead)
            AppendLine(i => Columns[shown[i]]);
        foreach (var row in Rows)
            AppendLine(i => row[shown[i]].Text);
        return text.ToString();

        void AppendLine(Func<int, string> cell)
        {
            var line = new StringBuilder();
            for (var i = 0; i < widths.Length; i++)
                line.Append(cell(i).PadRight(widths[i] + 2));
            text.Append(line.ToString().TrimEnd()).Append('\n');
        }
    }

    public string ToMarkdown()
    {
        var shown = Shown();
        var text = new StringBuilder();
        text.Append(Line(shown.Select(c => Columns[c]))).Append(Line(shown.Select(_ => "---")));
        foreach (var row in Rows)
            text.Append(Line(shown.Select(c => Escaped(row[c].Text))));
        return text.ToString();

        static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";
    }

    /// <summary>
    /// Returns the text as Markdown shows it: nothing in it is markup or HTML, and it calls nobody. GitHub and GitLab
    /// look for <c>@name</c> and <c>#1</c> in what is shown, so that no escape helps there: an empty character does.
    /// </summary>
    public static string Escaped(string text)
    {
        const string Special = @"\`*_{}[]<>|&~$";
        var escaped = new StringBuilder(text.Length);
        foreach (var c in VisibleText.Of(text))
            escaped.Append(
                c switch
                {
                    '@' or '#' => $"{c}&#8203;",
                    _ when Special.Contains(c, StringComparison.Ordinal) => $"\\{c}",
                    _ => c.ToString(),
                }
            );
        return escaped.ToString();
    }

    /// <summary>Returns the columns in which something is.</summary>
    public int[] Shown() =>
        [.. Enumerable.Range(0, Columns.Length).Where(c => Rows.Length == 0 || Rows.Any(r => r[c].Text.Length > 0))];

    private int WidthOf(int column) => Rows.Select(r => r[column].Text.Length).Append(Columns[column].Length).Max();
}
