using System.Text;
using System.Text.RegularExpressions;

namespace BucketEncryptionOperator.Cel;

/// <summary>
/// The patterns of <c>matches</c>. CEL's are RE2's: they are matched in linear time, and <c>$</c> is the very end of
/// the text, where .NET allows a line break after it.
/// </summary>
internal static class CelPattern
{
    /// <exception cref="CelSyntaxException">The pattern has a form whose meaning differs from RE2's.</exception>
    public static Regex Compile(string pattern)
    {
        var text = new StringBuilder(pattern.Length);
        var isClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\')
            {
                if (i + 1 == pattern.Length || char.IsAsciiLetterOrDigit(pattern[i + 1]))
                    throw new CelSyntaxException($"a class or reference in a pattern: {pattern}");
                text.Append(c).Append(pattern[++i]);
                continue;
            }
            isClass = c switch
            {
                '[' => true,
                ']' => false,
                _ => isClass,
            };
            text.Append(c == '$' && !isClass ? @"\z" : c.ToString());
        }
        return new Regex(
            text.ToString(),
            RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
        );
    }
}
