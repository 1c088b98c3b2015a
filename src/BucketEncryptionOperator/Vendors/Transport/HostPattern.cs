namespace BucketEncryptionOperator.Vendors.Transport;

/// <summary>
/// A host name in which <c>*</c> stands for one or more letters, digits and hyphens, so never for a dot. Upper and
/// lower case are equal. Matching takes at most the product of the two lengths in steps. A regular expression with a
/// bound (<c>NonBacktracking</c>) needs milliseconds and megabytes to be made, and each start makes fifty patterns.
/// </summary>
internal sealed class HostPattern(string text)
{
    private const char Wildcard = '*';

    private readonly string[]? _labels = text.Contains(Wildcard, StringComparison.Ordinal) ? text.Split('.') : null;

    /// <summary>True when the pattern has no wildcard: it is one host.</summary>
    public bool IsFullName => _labels is null;

    public bool Matches(string host)
    {
        if (_labels is null)
            return text.Equals(host, StringComparison.OrdinalIgnoreCase);
        var next = 0;
        foreach (var label in host.AsSpan().Split('.'))
        {
            if (next == _labels.Length || !LabelMatches(_labels[next++], host.AsSpan()[label]))
                return false;
        }
        return next == _labels.Length;
    }

    /// <summary>
    /// Each wildcard takes as little as it can. Where the rest does not fit, the last one takes one character more.
    /// An earlier one need not: what it would take, the last one can take, too.
    /// </summary>
    private static bool LabelMatches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> label)
    {
        // With this, a wildcard may take any character of the label.
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }
        var (p, at, lastWildcard, lastTaken) = (0, 0, -1, 0);
        while (at < label.Length)
        {
            if (p < pattern.Length && pattern[p] == Wildcard)
            {
                (lastWildcard, lastTaken) = (p, at + 1);
                (p, at) = (p + 1, at + 1);
            }
            else if (p < pattern.Length && char.ToLowerInvariant(pattern[p]) == char.ToLowerInvariant(label[at]))
            {
                (p, at) = (p + 1, at + 1);
            }
            else if (lastWildcard >= 0)
            {
                lastTaken++;
                (p, at) = (lastWildcard + 1, lastTaken);
            }
            else
            {
                return false;
            }
        }
        return p == pattern.Length;
    }
}
