using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// Times of the library's models as Kubernetes' MicroTime, whose reader takes six digits after the second, no more and
/// no fewer; the library writes a whole second without any. A time that cannot be read is the earliest one.
/// </summary>
internal sealed class MicroTimeConverter : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KubeTime.Read(ref reader)?.UtcDateTime ?? DateTime.UnixEpoch;

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(
            value.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
        );
}

/// <summary>The same where a time may be absent: one that cannot be read is.</summary>
internal sealed class OptionalMicroTimeConverter : JsonConverter<DateTime?>
{
    private static readonly MicroTimeConverter Present = new();

    public override DateTime? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        KubeTime.Read(ref reader)?.UtcDateTime;

    public override void Write(Utf8JsonWriter writer, DateTime? value, JsonSerializerOptions options)
    {
        if (value is { } time)
            Present.Write(writer, time, options);
        else
            writer.WriteNullValue();
    }
}
