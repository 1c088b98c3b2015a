using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KubeRuntime.Api;

/// <summary>
/// Labels or annotations, in the order of their names so that two can be compared; an array, for most objects have few and a mirror has many objects. What is
/// not text is passed over, and so is kubectl's copy of the whole object, which would double the mirror. (Public for the generated readers of other assemblies.)
/// </summary>
public sealed class LabelsConverter : JsonConverter<ImmutableArray<KeyValuePair<string, string>>>
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    public override ImmutableArray<KeyValuePair<string, string>> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return [];
        }
        var found = new List<KeyValuePair<string, string>>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var keep = !reader.ValueTextEquals(LastApplied);
            var name = keep ? reader.GetString() : null;
            reader.Read();
            if (name is not null && reader.TokenType == JsonTokenType.String && reader.GetString() is { } text)
                found.Add(new(name, text));
            else
                reader.Skip();
        }
        found.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return [.. found];
    }

    public override void Write(Utf8JsonWriter writer, ImmutableArray<KeyValuePair<string, string>> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
            writer.WriteString(name, text);
        writer.WriteEndObject();
    }
}
