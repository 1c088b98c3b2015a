using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// Reads equal texts as one string where it can: the objects of a kind repeat their namespace, their keys, and what
/// their conditions say, and a cache of many would hold a copy of each. It remembers one text a slot, so what it holds
/// is bounded, and a text that has lost its slot costs a copy and nothing else. Not for kinds that carry secrets: a
/// text may stay in its slot for as long as the process lives.
/// </summary>
public sealed class RepeatedTextConverter : JsonConverter<string>
{
    private const int Slots = 4096;

    /// <summary>Bytes. With the number of slots it bounds what is held: 1 MiB.</summary>
    private const int Longest = 128;

    // Written by any thread without a lock: a reference is written whole, and either text would do.
    private readonly string?[] _texts = new string?[Slots];

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Take(ref reader, JsonTokenType.String);

    /// <summary>A key of a dictionary.</summary>
    public override string ReadAsPropertyName(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    ) => Take(ref reader, JsonTokenType.PropertyName) ?? "";

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);

    private string? Take(ref Utf8JsonReader reader, JsonTokenType wanted)
    {
        if (
            reader.TokenType != wanted
            || reader.ValueIsEscaped
            || reader.HasValueSequence
            || reader.ValueSpan.Length > Longest
        )
            return reader.GetString();
        var hash = default(HashCode);
        hash.AddBytes(reader.ValueSpan);
        ref var slot = ref _texts[(uint)hash.ToHashCode() % Slots];
        // False for other characters: those are never shared
        if (slot is { } text && Ascii.Equals(reader.ValueSpan, text))
            return text;
        text = reader.GetString();
        slot = text;
        return text;
    }
}
