using System.Globalization;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// Reads durations as Kubernetes users write them: <c>90s</c>, <c>10m</c>, <c>1h30m</c>. Whole numbers of h, m and s.
/// </summary>
internal static class GoDuration
{
    /// <returns>
    /// Null for a text that is not such a duration, or for more than <see cref="int.MaxValue"/> seconds.
    /// </returns>
    public static TimeSpan? Parse(string text)
    {
        long seconds = 0;
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]))
                continue;
            if (
                !int.TryParse(
                    text.AsSpan(start, i - start),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var number
                ) || text[i] is not ('h' or 'm' or 's')
            )
                return null;
            seconds +=
                number
                * (
                    text[i] == 'h' ? 3600L
                    : text[i] == 'm' ? 60L
                    : 1L
                );
            if (seconds > int.MaxValue)
                return null;
            start = i + 1;
        }
        return start == text.Length && text.Length > 0 ? TimeSpan.FromSeconds(seconds) : null;
    }
}
