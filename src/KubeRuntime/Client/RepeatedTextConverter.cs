using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// Reads equal texts as one string where it can: the objects of a kind repeat their namespace, their keys, and what
/// their conditions say, and a cache of many would hold a copy of each. It is a two-way set-associative cache, so what
/// it holds is bounded, and an evicted text costs a copy and nothing else. Not for kinds that carry secrets: a text may
/// stay for as long as the process lives.
/// </summary>
public sealed class RepeatedTextConverter : JsonConverter<string>
{
    private const int Sets = 2048;

    /// <summary>Bytes. With the number of texts it bounds what is held: about 1 MiB.</summary>
    private const int Longest = 128;

    // Two neighbours are a set. Written by any thread without a lock: a reference is written whole, and either text
    // would do.
    private readonly string?[] _texts = new string?[2 * Sets];

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
        var set = _texts.AsSpan(2 * (int)(Hash(reader.ValueSpan) % Sets), 2);
        // False for other characters: those are never shared
        if (set[0] is { } newer && Ascii.Equals(reader.ValueSpan, newer))
            return newer;
        if (set[1] is { } older && Ascii.Equals(reader.ValueSpan, older))
            return older;
        var text = reader.GetString();
        set[1] = set[0];
        set[0] = text;
        return text;
    }

    /// <summary>
    /// The same in every process, so that what an object costs is too. It needs no random seed: texts that collide on
    /// purpose are copied, and nothing else happens.
    /// </summary>
    private static uint Hash(ReadOnlySpan<byte> text)
    {
        var hash = (uint)text.Length;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
            hash = BitOperations.Crc32C(hash, BinaryPrimitives.ReadUInt64LittleEndian(text));
        foreach (var octet in text)
            hash = BitOperations.Crc32C(hash, octet);
        return hash;
    }
}
