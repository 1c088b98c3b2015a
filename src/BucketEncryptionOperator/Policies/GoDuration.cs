using System.Globalization;

namespace BucketEncryptionOperator.Policies;

/// <summary>Durations as Kubernetes users write them: <c>90s</c>, <c>10m</c>, <c>1h30m</c>. Whole numbers of h, m and s.</summary>
internal static class GoDuration
{
    public static TimeSpan? Parse(string text)
    {
        var total = TimeSpan.Zero;
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]))
                continue;
            if (!int.TryParse(text.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return null;
            if (text[i] is not ('h' or 'm' or 's'))
                return null;
            total += text[i] == 'h' ? TimeSpan.FromHours(number) : text[i] == 'm' ? TimeSpan.FromMinutes(number) : TimeSpan.FromSeconds(number);
            start = i + 1;
        }
        return start == text.Length && text.Length > 0 ? total : null;
    }
}
