using System.Buffers;
using System.Buffers.Binary;
using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// An object's annotations as far as the program reads them, and a hash of all others, by which a change of one is
/// seen. Annotations may have 256 KiB per object, and a cache has all objects of a kind. Enumerates those that are
/// kept, ordered by name.
/// </summary>
[CollectionBuilder(typeof(AnnotationCollection), nameof(Create))]
[JsonConverter(typeof(AnnotationsConverter))]
public readonly struct AnnotationCollection
    : IEnumerable<KeyValuePair<string, string>>,
        IEquatable<AnnotationCollection>
{
    private readonly ImmutableArray<KeyValuePair<string, string>> _kept;
    private readonly UInt128 _others;

    internal AnnotationCollection(IEnumerable<KeyValuePair<string, string>> kept, UInt128 others) =>
        (_kept, _others) = ([.. kept.OrderBy(a => a.Key, StringComparer.Ordinal)], others);

    /// <summary>Whether the object has no annotation, kubectl's copy of the object aside.</summary>
    public bool IsEmpty => Kept.IsEmpty && _others == 0;

    private ImmutableArray<KeyValuePair<string, string>> Kept => _kept.IsDefault ? [] : _kept;

    /// <summary>Returns the value of a kept annotation; null where the object does not have it.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in Kept)
            {
                if (key == name)
                    return value;
            }
            return null;
        }
    }

    public static bool operator ==(AnnotationCollection a, AnnotationCollection b) => a.Equals(b);

    public static bool operator !=(AnnotationCollection a, AnnotationCollection b) => !a.Equals(b);

    /// <summary>For collection expressions: all are kept.</summary>
    public static AnnotationCollection Create(ReadOnlySpan<KeyValuePair<string, string>> all) =>
        new(all.ToArray(), others: 0);

    public bool Equals(AnnotationCollection other) =>
        _others == other._others && Kept.AsSpan().SequenceEqual(other.Kept.AsSpan());

    public override bool Equals(object? obj) => obj is AnnotationCollection other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Kept.Length, _others);

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => Kept.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>
/// Reads annotations into an <see cref="AnnotationCollection"/>. A program names those that it keeps by a converter of
/// its own, derived from this one, among the converters of its JSON context. Values that are not text are passed over,
/// and so is kubectl's copy of the object, which says nothing new.
/// </summary>
public class AnnotationsConverter : JsonConverter<AnnotationCollection>
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>Maximum length of a kept value, in bytes. A longer one counts as one of the others.</summary>
    private const int MaxKept = 1024;

    private readonly string[] _kept;

    /// <summary>Keeps none.</summary>
    public AnnotationsConverter()
        : this([]) { }

    /// <param name="kept">Names of the annotations that the program reads.</param>
    protected AnnotationsConverter(params string[] kept) => _kept = kept;

    public override AnnotationCollection Read(
        ref Utf8JsonReader reader,
        Type typeToConvert,
        JsonSerializerOptions options
    )
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return [];
        }
        List<KeyValuePair<string, string>>? kept = null;
        UInt128 others = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCopy = reader.ValueTextEquals(LastApplied);
            var name = NameOfKept(ref reader);
            var digest = name is null && !isCopy ? Hash(ref reader, before: 0) : 0;
            reader.Read();
            if (isCopy || reader.TokenType != JsonTokenType.String)
                reader.Skip();
            else if (name is not null && Length(ref reader) <= MaxKept && reader.GetString() is { } text)
                (kept ??= []).Add(new(name, text));
            else
                others += Hash(ref reader, digest); // a sum: in whatever order they come
        }
        return new AnnotationCollection(kept ?? [], others);
    }

    /// <summary>Writes those that are kept.</summary>
    public override void Write(Utf8JsonWriter writer, AnnotationCollection value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
            writer.WriteString(name, text);
        writer.WriteEndObject();
    }

    private string? NameOfKept(ref Utf8JsonReader reader)
    {
        foreach (var name in _kept)
        {
            if (reader.ValueTextEquals(name))
                return name;
        }
        return null;
    }

    private static int Length(ref Utf8JsonReader reader) =>
        reader.HasValueSequence ? checked((int)reader.ValueSequence.Length) : reader.ValueSpan.Length;

    /// <summary>Hashes what the reader stands on, without making a string of it.</summary>
    /// <param name="before">The hash of what comes before it.</param>
    private static UInt128 Hash(ref Utf8JsonReader reader, UInt128 before)
    {
        const int Ahead = 16;
        var buffer = ArrayPool<byte>.Shared.Rent(Ahead + Length(ref reader));
        try
        {
            BinaryPrimitives.WriteUInt128LittleEndian(buffer, before);
            var length = reader.CopyString(buffer.AsSpan(Ahead));
            return BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(buffer.AsSpan(0, Ahead + length)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true); // a Secret's annotations go through here too
        }
    }
}
