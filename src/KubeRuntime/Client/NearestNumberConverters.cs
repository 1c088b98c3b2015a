using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// Reads a number beyond the range as the nearest in it. A schema without a range takes any integer, and one field that
/// somebody has set to 9999999999 must not make the object unreadable. (Public for the generated readers of other
/// assemblies.)
/// </summary>
public sealed class NearestInt32Converter : JsonConverter<int>
{
    public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TryGetInt32(out var number) ? number : int.CreateSaturating(reader.GetDouble());

    public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value);
}

/// <inheritdoc cref="NearestInt32Converter"/>
public sealed class NearestInt64Converter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TryGetInt64(out var number) ? number : long.CreateSaturating(reader.GetDouble());

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value);
}
