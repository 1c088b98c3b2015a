using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// Reads labels, ordered by name so that two objects' can be compared; an array, for most objects have few and a cache
/// has many objects. Values that are not text are passed over. (Public for the generated readers of other assemblies.)
/// </summary>
public sealed class LabelsConverter : JsonConverter<ImmutableArray<KeyValuePair<string, string>>>
{
    /// <summary>
    /// Maximum number of characters that are kept per object. The API server bounds each label but not their number;
    /// what is beyond is kept as one hash, under a name that no label can have, so that a change of it is seen.
    /// </summary>
    private const int MaxText = 32 * 1024;

    public override ImmutableArray<KeyValuePair<string, string>> Read(
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
        var found = new List<KeyValuePair<string, string>>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name is not null && reader.TokenType == JsonTokenType.String && reader.GetString() is { } text)
                found.Add(new(name, text));
            else
                reader.Skip();
        }
        found.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return Bounded(found);
    }

    public override void Write(
        Utf8JsonWriter writer,
        ImmutableArray<KeyValuePair<string, string>> value,
        JsonSerializerOptions options
    )
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
            writer.WriteString(name, text);
        writer.WriteEndObject();
    }

    private static ImmutableArray<KeyValuePair<string, string>> Bounded(List<KeyValuePair<string, string>> labels)
    {
        var (count, length) = (0, 0);
        while (count < labels.Count && (length += labels[count].Key.Length + labels[count].Value.Length) <= MaxText)
            count++;
        if (count == labels.Count)
            return [.. labels];
        var rest = string.Concat(labels.Skip(count).Select(l => $"{l.Key}={l.Value}\n"));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(rest)));
        return [new("", hash), .. labels.Take(count)];
    }
}
