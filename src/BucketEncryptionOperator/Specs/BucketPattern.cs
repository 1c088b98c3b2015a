namespace BucketEncryptionOperator.Specs;

/// <summary>
/// A pattern of bucket names, compared as a whole: <c>*</c> stands for any text, also an empty one, and <c>?</c> for
/// one character. Nothing else is special.
/// </summary>
internal static class BucketPattern
{
    public const int MaxLength = 128;

    /// <summary>Returns whether the text can be a pattern; the CRDs check the same.</summary>
    public static bool IsValid(string pattern) =>
        pattern.Length is > 0 and <= MaxLength
        && pattern.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '*' or '?');

    /// <summary>
    /// Returns whether the name matches, in at most (length of the pattern) × (length of the name) steps: a mismatch
    /// goes back to the last <c>*</c> only.
    /// </summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        var (at, next) = (0, 0);
        var (star, resume) = (-1, 0);
        while (next < name.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
                (star, resume, at) = (at, next, at + 1);
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == name[next]))
                (at, next) = (at + 1, next + 1);
            else if (star >= 0)
                (at, next, resume) = (star + 1, resume + 1, resume + 1);
            else
                return false;
        }
        return pattern[at..].TrimStart('*').IsEmpty;
    }
}
