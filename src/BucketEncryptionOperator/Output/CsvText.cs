using System.Text;

namespace BucketEncryptionOperator.Output;

/// <summary>
/// Writes lines of CSV (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe: what
/// is in it may be a stranger's.
/// </summary>
internal static class CsvText
{
    private const string FormulaStarts = "=+-@\t\r";

    public static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(Cell)) + "\r\n";

    private static string Cell(string text)
    {
        if (text.Length > 0 && FormulaStarts.Contains(text[0], StringComparison.Ordinal))
            text = "'" + text;
        if (text.AsSpan().IndexOfAny("\",\r\n") < 0)
            return text;
        return new StringBuilder(text.Length + 2)
            .Append('"')
            .Append(text.Replace("\"", "\"\"", StringComparison.Ordinal))
            .Append('"')
            .ToString();
    }
}
