using System.Text.Json.Nodes;
using BucketEncryptionOperator.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace BucketEncryptionOperator.Tests.Api;

/// <summary>
/// One node of a CRD's OpenAPI schema, read from crds/. Knows the part of OpenAPI that our CRDs use: type, properties,
/// items, required, enum, format, lengths, counts and ranges.
/// </summary>
internal sealed class CrdSchema
{
    private readonly YamlMappingNode _node;

    private CrdSchema(YamlMappingNode node)
    {
        _node = node;
        Properties = Child(node, "properties") is YamlMappingNode properties
            ? properties.Children.ToDictionary(
                p => ((YamlScalarNode)p.Key).Value!,
                p => new CrdSchema((YamlMappingNode)p.Value),
                StringComparer.Ordinal
            )
            : [];
        Items = Child(node, "items") is YamlMappingNode items ? new CrdSchema(items) : null;
        Enum = Texts("enum");
        Required = Texts("required");
        MapKeys = Texts("x-kubernetes-list-map-keys");
        MaxLength = Number("maxLength");
        MaxItems = Number("maxItems");
        Minimum = Number("minimum");
        Maximum = Number("maximum");
        Type = Text("type");
        Format = Text("format");
    }

    /// <summary>The schema of the only version of the kind in <paramref name="file"/>.</summary>
    public static CrdSchema Load(string file)
    {
        var yaml = new YamlStream();
        using var reader = new StreamReader(Path.Combine(Repository.Root, "crds", file));
        yaml.Load(reader);
        var versions = (YamlSequenceNode)Child(Child((YamlMappingNode)yaml.Documents[0].RootNode, "spec"), "versions")!;
        return new CrdSchema((YamlMappingNode)Child(Child(Assert.Single(versions), "schema"), "openAPIV3Schema")!);
    }

    public CrdSchema this[string property] => Properties[property];

    public Dictionary<string, CrdSchema> Properties { get; }

    public CrdSchema? Items { get; }

    public IReadOnlyList<string> Enum { get; }

    public IReadOnlyList<string> Required { get; }

    /// <summary>Of a list of objects: the properties that no two of them share.</summary>
    public IReadOnlyList<string> MapKeys { get; }

    public int? MaxLength { get; }

    public int? MaxItems { get; }

    public int? Minimum { get; }

    public int? Maximum { get; }

    public string? Type { get; }

    public string? Format { get; }

    /// <summary>Every property below this node as a dotted path; list items do not add to it.</summary>
    public IEnumerable<string> Paths() =>
        Properties.SelectMany(p => (p.Value.Items ?? p.Value).Paths().Select(rest => $"{p.Key}.{rest}").Prepend(p.Key));

    /// <summary>Where this node's YAML is not the other's, as paths.</summary>
    public IEnumerable<string> Differences(CrdSchema other, string path) => Differences(_node, other._node, path);

    private static IEnumerable<string> Differences(YamlNode? a, YamlNode? b, string path) =>
        a is YamlMappingNode x && b is YamlMappingNode y
            ? x
                .Children.Keys.Union(y.Children.Keys)
                .SelectMany(k =>
                    Differences(
                        Child(x, ((YamlScalarNode)k).Value!),
                        Child(y, ((YamlScalarNode)k).Value!),
                        $"{path}.{k}"
                    )
                )
        : Equals(a, b) ? []
        : [path];

    /// <summary>
    /// Why an API server would refuse (or silently prune) <paramref name="value"/>; empty if it would not.
    /// </summary>
    public IEnumerable<string> Violations(JsonNode? value, string path)
    {
        switch (Type, value)
        {
            case ("object", JsonObject o):
                var properties = Properties;
                return Required
                    .Where(r => !o.ContainsKey(r))
                    .Select(r => $"{path}.{r} is missing")
                    .Concat(
                        o.SelectMany(p =>
                            properties.TryGetValue(p.Key, out var s)
                                ? s.Violations(p.Value, $"{path}.{p.Key}")
                                : [$"{path}.{p.Key} is not in the CRD"]
                        )
                    );
            case ("array", JsonArray a):
                return (
                    a.Count > (MaxItems ?? int.MaxValue) ? [$"{path} has {a.Count} items"] : Array.Empty<string>()
                ).Concat(a.SelectMany((item, i) => Items?.Violations(item, $"{path}[{i}]") ?? []));
            case ("string", JsonValue v) when v.TryGetValue<string>(out var text):
                return (
                    text.Length > (MaxLength ?? int.MaxValue)
                        ? [$"{path} has {text.Length} characters"]
                        : Array.Empty<string>()
                ).Concat(
                    Enum.Count > 0 && !Enum.Contains(text, StringComparer.Ordinal) ? [$"{path} is \"{text}\""] : []
                );
            case ("integer", JsonValue v) when v.TryGetValue<long>(out var number):
                return number < (Minimum ?? long.MinValue) || number > (Maximum ?? long.MaxValue)
                    ? [$"{path} is {number}"]
                    : [];
            case ("boolean", JsonValue v2) when v2.TryGetValue<bool>(out _):
                return [];
            default:
                return [$"{path} is not of type {Type}: {value?.ToJsonString() ?? "null"}"];
        }
    }

    private string? Text(string name) => (Child(_node, name) as YamlScalarNode)?.Value;

    private int? Number(string name) => Text(name) is { } text ? int.Parse(text) : null;

    private List<string> Texts(string name) =>
        Child(_node, name) is YamlSequenceNode list ? [.. list.Select(n => ((YamlScalarNode)n).Value!)] : [];

    private static YamlNode? Child(YamlNode? node, string name) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;
}
