using System.Text;
using YamlDotNet.RepresentationModel;

namespace KubeRuntime.Client;

/// <summary>One parsed file. Paths inside it are relative to its folder.</summary>
internal sealed record ConfigFile(string Path, YamlMappingNode Root)
{
    public YamlMappingNode? Entry(string section, string name, string field) =>
        Root.Children.TryGetValue(section, out var list) && list is YamlSequenceNode entries
            ? entries.OfType<YamlMappingNode>().FirstOrDefault(e => Text(e, "name") == name) is { } entry
            && entry.Children.TryGetValue(field, out var value)
                ? value as YamlMappingNode
                : null
            : null;

    public static bool Has(YamlMappingNode node, string field) => node.Children.ContainsKey(field);

    public static string? Text(YamlMappingNode node, string field) =>
        node.Children.TryGetValue(field, out var value) && value is YamlScalarNode { Value: { Length: > 0 } text }
            ? text
            : null;

    public static YamlMappingNode? Mapping(YamlMappingNode node, string field) =>
        node.Children.TryGetValue(field, out var value) ? value as YamlMappingNode : null;

    /// <summary>The texts of a sequence; none where there is no such field.</summary>
    public static List<string> List(YamlMappingNode node, string field) =>
        node.Children.TryGetValue(field, out var value) && value is YamlSequenceNode list
            ? [.. list.OfType<YamlScalarNode>().Select(t => t.Value ?? "")]
            : [];

    public string Resolve(string path) =>
        System.IO.Path.GetFullPath(path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) ?? "/");

    /// <summary>
    /// Reads PEM text: that of <c>field-data</c> (base64) or, without it, of the file that <c>field</c> names, as it is
    /// then. Null without both.
    /// </summary>
    public Func<string>? Pem(string where, YamlMappingNode node, string field)
    {
        if (Text(node, field + "-data") is not { } data)
            return Text(node, field) is { } path ? () => File.ReadAllText(Resolve(path)) : null;
        try
        {
            var pem = Encoding.UTF8.GetString(Convert.FromBase64String(data));
            return () => pem;
        }
        catch (FormatException)
        {
            throw new KubeConfigException($"{where}: {field}-data is not base64");
        }
    }
}
