using System.Globalization;
using System.Text.RegularExpressions;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// What a plain word of YAML means, as kubectl reads it (sigs.k8s.io/yaml): YAML 1.1, with <c>yes</c>, <c>on</c>, octal
/// and hexadecimal numbers, and dates as texts.
/// </summary>
internal static partial class YamlScalars
{
    /// <exception cref="ManifestException">JSON has no such value.</exception>
    public static ManifestNode Plain(SourcePosition at, string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return new ManifestNode.Null(at);
            case "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return new ManifestNode.Bool(at, Value: true);
            case "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return new ManifestNode.Bool(at, Value: false);
            case ".nan" or ".NaN" or ".NAN" or ".inf" or ".Inf" or ".INF":
            case "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF":
                throw new ManifestException(at, $"{text} is not a number that JSON has");
            default:
                return text[0] is '+' or '-' or '.' || char.IsAsciiDigit(text[0])
                    ? Number(at, text.Replace("_", "", StringComparison.Ordinal)) ?? new ManifestNode.Text(at, text)
                    : new ManifestNode.Text(at, text);
        }
    }

    private static ManifestNode? Number(SourcePosition at, string text)
    {
        var isNegative = text.StartsWith('-');
        if (Magnitude(text is ['+' or '-', .. var rest] ? rest : text) is { } magnitude)
        {
            var value = isNegative ? -(Int128)magnitude : magnitude;
            return value >= long.MinValue && value <= long.MaxValue
                ? new ManifestNode.Integer(at, (long)value)
                : new ManifestNode.Number(at, (double)value);
        }
        if (!FloatForm().IsMatch(text))
            return null;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return null;
        if (!double.IsFinite(number))
            throw new ManifestException(at, $"{text} is not a number that JSON has");
        // As JSON a whole number of this size has neither a fraction nor an exponent
        const double Whole = 1e21;
        return double.IsInteger(number) && Math.Abs(number) < Math.Min(Whole, long.MaxValue)
            ? new ManifestNode.Integer(at, (long)number)
            : new ManifestNode.Number(at, number);
    }

    /// <returns>Null for what is not a whole number of at most 64 bits.</returns>
    private static ulong? Magnitude(string digits)
    {
        var (radix, from) = digits switch
        {
            ['0', 'x' or 'X', ..] => (16UL, 2),
            ['0', 'b' or 'B', ..] => (2UL, 2),
            ['0', 'o' or 'O', ..] => (8UL, 2),
            ['0', _, ..] => (8UL, 1),
            _ => (10UL, 0),
        };
        if (digits.Length == from)
            return null;
        UInt128 value = 0;
        foreach (var c in digits.AsSpan(from))
        {
            if (!char.IsAsciiHexDigit(c) || Convert.ToUInt64(c.ToString(), 16) is var digit && digit >= radix)
                return null;
            value = (value * radix) + digit;
            if (value > ulong.MaxValue)
                return null;
        }
        return (ulong)value;
    }

    [GeneratedRegex(
        @"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex FloatForm();
}
