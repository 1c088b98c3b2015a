using System.Globalization;
using System.Text.Json;

namespace KubeRuntime.Client;

/// <summary>
/// Reads times of objects. An API server's check of <c>format: date-time</c> (strfmt of kube-openapi) accepts more than
/// RFC 3339 as .NET reads it: letters of either case, a fraction of any length after any character, offsets of up to 99
/// hours. Any writer of the field may write such a time, and the rest of the object must stay readable.
/// </summary>
public static class KubeTime
{
    private const string Seconds = "yyyy-MM-dd'T'HH:mm:ss";
    private const int SecondsLength = 19;
    private const int OffsetLength = 6;

    /// <summary>
    /// Latest time that is read. A sum of a time in the range and any period of this program stays within the calendar.
    /// </summary>
    private static readonly DateTimeOffset Latest = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <returns>
    /// The time between 1970 and 9000 that is nearest to the one written; null when the value is not a time.
    /// </returns>
    public static DateTimeOffset? Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }
        return reader.TryGetDateTimeOffset(out var time) ? Bound(time) : Parse(reader.GetString() ?? "");
    }

    private static DateTimeOffset? Parse(string text)
    {
        // What follows a second T is not looked at by the API server.
        var parts = text.ToUpperInvariant().Split('T');
        var written = parts.Length > 1 ? $"{parts[0]}T{parts[1]}" : "";
        if (
            written.Length <= SecondsLength
            || !DateTime.TryParseExact(
                written[..SecondsLength],
                Seconds,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var local
            )
            || Offset(written[SecondsLength..]) is not { } offset
        )
            return null;
        var ticks = Math.Clamp(local.Ticks - offset.Ticks, DateTimeOffset.UnixEpoch.Ticks, Latest.Ticks);
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }

    /// <param name="rest">What follows the seconds: a fraction, which is dropped, and the offset.</param>
    private static TimeSpan? Offset(string rest)
    {
        if (rest.EndsWith('Z'))
            return TimeSpan.Zero;
        var sign = rest.Length < OffsetLength ? ' ' : rest[^OffsetLength];
        if (
            sign is not ('+' or '-')
            || !TimeSpan.TryParseExact(
                rest[^(OffsetLength - 1)..],
                "hh\\:mm",
                CultureInfo.InvariantCulture,
                out var offset
            )
        )
            return null;
        return sign == '+' ? offset : -offset;
    }

    private static DateTimeOffset Bound(DateTimeOffset time)
    {
        if (time < DateTimeOffset.UnixEpoch)
            return DateTimeOffset.UnixEpoch;
        return time > Latest ? Latest : time;
    }
}
