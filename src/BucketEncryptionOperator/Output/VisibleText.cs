using System.Globalization;
using System.Text;

namespace BucketEncryptionOperator.Output;

/// <summary>
/// A stranger's text as one line: nothing in it steers a terminal, begins a line of its own, or turns the order of what
/// stands beside it.
/// </summary>
internal static class VisibleText
{
    public static string Of(string text)
    {
        var visible = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            visible.Append(IsHidden(rune) ? " " : rune.ToString());
        return visible.ToString();
    }

    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
        || rune.Value is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
