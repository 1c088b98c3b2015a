using System.Collections.Immutable;
using BucketEncryptionOperator.Cel;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// Reads a schema of a CRD. A keyword that is not known here throws: a rule that is not checked would let <c>plan</c>
/// accept what the cluster refuses.
/// </summary>
internal static class SchemaReader
{
    /// <exception cref="InvalidOperationException">The schema has something that is not supported.</exception>
    public static SchemaNode Read(ManifestNode node)
    {
        if (node is not ManifestNode.Map map)
            throw Unsupported(node, "a schema that is no mapping");
        var schema = new SchemaNode { Type = map.TextOf("type") ?? throw Unsupported(map, "a schema without a type") };
        foreach (var entry in map.Entries)
            schema = With(schema, entry);
        return schema;
    }

    private static SchemaNode With(SchemaNode schema, ManifestEntry entry)
    {
        var value = entry.Value;
        switch (entry.Key)
        {
            case "type" or "description":
            // Both are bounds of the machine's types; the values that we accept have narrower ones. Dates are in
            // statuses, and a new object's status is dropped
            case "format":
                return schema;
            case "properties":
                return schema with
                {
                    Properties = MapOf(value)
                        .Entries.ToImmutableDictionary(e => e.Key, e => Read(e.Value), StringComparer.Ordinal),
                };
            case "additionalProperties":
                return schema with { AdditionalProperties = Read(value) };
            case "items":
                return schema with { Items = Read(value) };
            case "required":
                return schema with { Required = TextsOf(value) };
            case "enum":
                return schema with { Enum = ListOf(value).Items };
            case "minLength" or "minItems" or "minProperties":
                return schema with { Size = schema.Size with { Least = NumberOf(value) } };
            case "maxLength" or "maxItems" or "maxProperties":
                return schema with { Size = schema.Size with { Most = NumberOf(value) } };
            case "minimum":
                return schema with { Value = schema.Value with { Least = NumberOf(value) } };
            case "maximum":
                return schema with { Value = schema.Value with { Most = NumberOf(value) } };
            case "default":
                return schema with { Default = value };
            case "x-kubernetes-list-type":
                return schema with { ListType = ListTypeOf(value) };
            case "x-kubernetes-list-map-keys":
                return schema with { MapKeys = TextsOf(value) };
            case "x-kubernetes-validations":
                return schema with { Rules = [.. ListOf(value).Items.Select(RuleOf)] };
            default:
                throw Unsupported(value, $"keyword {entry.Key}");
        }
    }

    private static SchemaRule RuleOf(ManifestNode node)
    {
        var map = MapOf(node);
        if (map.Entries.FirstOrDefault(e => e.Key is not ("rule" or "message" or "fieldPath")) is { } other)
            throw Unsupported(other.Value, $"keyword {other.Key} of a rule");
        try
        {
            return new SchemaRule(
                CelParser.Parse(map.TextOf("rule") ?? throw Unsupported(map, "a rule without its expression")),
                map.TextOf("message") ?? throw Unsupported(map, "a rule without a message"),
                [.. (map.TextOf("fieldPath") ?? "").Split('.', StringSplitOptions.RemoveEmptyEntries)]
            );
        }
        catch (CelSyntaxException e)
        {
            throw Unsupported(map, $"the form of a rule ({e.Message})");
        }
    }

    private static SchemaListType ListTypeOf(ManifestNode node) =>
        (node as ManifestNode.Text)?.Value switch
        {
            "atomic" => SchemaListType.Atomic,
            "set" => SchemaListType.Set,
            "map" => SchemaListType.Map,
            _ => throw Unsupported(node, "a list type"),
        };

    private static ManifestNode.Map MapOf(ManifestNode node) =>
        node as ManifestNode.Map ?? throw Unsupported(node, "no mapping");

    private static ManifestNode.List ListOf(ManifestNode node) =>
        node as ManifestNode.List ?? throw Unsupported(node, "no list");

    private static ImmutableArray<string> TextsOf(ManifestNode node) =>
        [.. ListOf(node).Items.Select(i => (i as ManifestNode.Text)?.Value ?? throw Unsupported(i, "no text"))];

    private static long NumberOf(ManifestNode node) =>
        (node as ManifestNode.Integer)?.Value ?? throw Unsupported(node, "no whole number");

    private static InvalidOperationException Unsupported(ManifestNode node, string what) =>
        new($"{node.At}: not supported in a CRD: {what}");
}
