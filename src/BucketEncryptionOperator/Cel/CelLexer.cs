using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace BucketEncryptionOperator.Cel;

internal enum CelTokenKind
{
    Name,
    Int,
    Text,
    Symbol,
    End,
}

/// <param name="Text">The name, the symbol, the digits, or the value of a string literal.</param>
internal readonly record struct CelToken(CelTokenKind Kind, string Text);

/// <summary>An expression has a form that this reader does not know, or is not CEL.</summary>
internal sealed class CelSyntaxException(string message) : Exception(message);

/// <summary>Splits an expression into tokens. String literals are plain or raw (<c>r'…'</c>), on one line.</summary>
internal static class CelLexer
{
    /// <summary>Longer ones first: <c>!=</c> is not <c>!</c> and <c>=</c>.</summary>
    private static readonly string[] Symbols =
    [
        "==",
        "!=",
        "<=",
        ">=",
        "&&",
        "||",
        "<",
        ">",
        "!",
        "-",
        "?",
        ":",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
    ];

    /// <exception cref="CelSyntaxException" />
    public static ImmutableArray<CelToken> Read(string expression)
    {
        var tokens = ImmutableArray.CreateBuilder<CelToken>();
        var at = 0;
        while (true)
        {
            while (at < expression.Length && char.IsWhiteSpace(expression[at]))
                at++;
            if (at == expression.Length)
                break;
            tokens.Add(ReadOne(expression, ref at));
        }
        tokens.Add(new CelToken(CelTokenKind.End, "the end"));
        return tokens.ToImmutable();
    }

    private static CelToken ReadOne(string text, ref int at)
    {
        var c = text[at];
        if (c is '\'' or '"')
            return ReadText(text, ref at, isRaw: false);
        if (c is 'r' or 'R' && at + 1 < text.Length && text[at + 1] is '\'' or '"')
        {
            at++;
            return ReadText(text, ref at, isRaw: true);
        }
        if (char.IsAsciiLetter(c) || c == '_')
            return new CelToken(CelTokenKind.Name, TakeWhile(text, ref at, IsOfName));
        if (char.IsAsciiDigit(c))
            return new CelToken(CelTokenKind.Int, TakeWhile(text, ref at, char.IsAsciiDigit));
        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, at, symbol, 0, symbol.Length) != 0)
                continue;
            at += symbol.Length;
            return new CelToken(CelTokenKind.Symbol, symbol);
        }
        throw new CelSyntaxException(string.Create(CultureInfo.InvariantCulture, $"'{c}' at character {at + 1}"));
    }

    private static bool IsOfName(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static string TakeWhile(string text, ref int at, Func<char, bool> isPart)
    {
        var start = at;
        while (at < text.Length && isPart(text[at]))
            at++;
        return text[start..at];
    }

    private static CelToken ReadText(string text, ref int at, bool isRaw)
    {
        var quote = text[at++];
        var value = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            var c = text[at++];
            value.Append(c == '\\' && !isRaw ? Escaped(text, ref at) : c);
        }
        if (at == text.Length)
            throw new CelSyntaxException("a string without its end");
        at++;
        return new CelToken(CelTokenKind.Text, value.ToString());
    }

    private static char Escaped(string text, ref int at) =>
        (at < text.Length ? text[at++] : '\0') switch
        {
            '\\' => '\\',
            '\'' => '\'',
            '"' => '"',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => throw new CelSyntaxException("an escape sequence that is not supported"),
        };
}
