using System.Collections.Immutable;
using System.Globalization;
using BucketEncryptionOperator.Cel;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// Checks a new object as the API server does, in its order: unknown fields (<c>fieldValidation=Strict</c>, as kubectl
/// asks), nulls and defaults, the schema, then the rules, which are evaluated only where the schema holds. The status
/// of a new object is dropped by the server, so only its fields' names are checked. For one object.
/// </summary>
internal sealed class ObjectValidator
{
    private const string Status = "status";

    private readonly ImmutableArray<ManifestProblem>.Builder _problems =
        ImmutableArray.CreateBuilder<ManifestProblem>();

    private ObjectValidator() { }

    /// <summary>Returns the object with its defaults, and what is wrong with it.</summary>
    public static (ManifestNode.Map Object, ImmutableArray<ManifestProblem> Problems) Check(
        ManifestNode.Map root,
        SchemaNode schema
    )
    {
        var validator = new ObjectValidator();
        var known = schema with { Properties = schema.Properties.SetItem("metadata", MetadataRules.Schema) };
        var full = (ManifestNode.Map)validator.Complete(root, known, "");
        full = new ManifestNode.Map(full.At, [.. full.Entries.Where(e => e.Key != Status)]);
        validator.Validate(full, known, "");
        validator._problems.AddRange(MetadataRules.Check(full["metadata"] as ManifestNode.Map, full.At));
        if (validator._problems.Count == 0)
            validator.Evaluate(full, known, "");
        return (full, validator._problems.ToImmutable());
    }

    /// <summary>A null counts as absent, except in a list or under a key of the user's.</summary>
    private ManifestNode Complete(ManifestNode node, SchemaNode schema, string path)
    {
        switch (node)
        {
            case ManifestNode.List list when schema.Items is { } items:
                return new ManifestNode.List(
                    list.At,
                    [.. list.Items.Select((item, i) => Complete(item, items, Item(path, i)))]
                );
            case ManifestNode.Map map when schema.Type == "object":
                var entries = ImmutableArray.CreateBuilder<ManifestEntry>();
                foreach (var entry in map.Entries)
                {
                    var here = Field(path, entry.Key);
                    if (schema.Properties.TryGetValue(entry.Key, out var property))
                    {
                        if (entry.Value is not ManifestNode.Null)
                            entries.Add(entry with { Value = Complete(entry.Value, property, here) });
                    }
                    else if (schema.ReadsNullAsEmpty && entry.Value is ManifestNode.Null)
                        entries.Add(entry with { Value = new ManifestNode.Text(entry.Value.At, "") });
                    else if (schema.AdditionalProperties is { } others)
                        entries.Add(entry with { Value = Complete(entry.Value, others, here) });
                    else
                        _problems.Add(new ManifestProblem(entry.At, here, "unknown field"));
                }
                var given = entries.Select(e => e.Key).ToHashSet(StringComparer.Ordinal);
                foreach (var (name, property) in schema.Properties)
                {
                    if (property.Default is { } value && !given.Contains(name))
                        entries.Add(new ManifestEntry(name, map.At, value with { At = map.At }));
                }
                return new ManifestNode.Map(map.At, entries.ToImmutable());
            default:
                return node;
        }
    }

    private void Validate(ManifestNode node, SchemaNode schema, string path)
    {
        if (schema.Type.Length == 0)
            return;
        if (node.TypeName != schema.Type)
        {
            var hint =
                schema.Type == "string" && node is not (ManifestNode.List or ManifestNode.Map or ManifestNode.Null)
                    ? "; put it in quotes"
                    : "";
            Add(node, path, $"must be of type {schema.Type}, and is of type {node.TypeName}{hint}");
            return;
        }
        if (schema.Enum.Length > 0 && !schema.Enum.Any(node.HasValueOf))
            Add(node, path, $"{Shown(node)} is not one of {string.Join(", ", schema.Enum.Select(Shown))}");
        switch (node)
        {
            case ManifestNode.Text text when !schema.Size.Contains(text.Value.EnumerateRunes().Count()):
                Add(node, path, $"must have {schema.Size} characters");
                break;
            case ManifestNode.Integer number when !schema.Value.Contains(number.Value):
                Add(node, path, $"must be {schema.Value}, and is {number.Value}");
                break;
            case ManifestNode.List list:
                Validate(list, schema, path);
                break;
            case ManifestNode.Map map:
                Validate(map, schema, path);
                break;
            default:
                break;
        }
    }

    private void Validate(ManifestNode.List list, SchemaNode schema, string path)
    {
        if (!schema.Size.Contains(list.Items.Length))
        {
            Add(list, path, $"must have {schema.Size} items, and has {list.Items.Length}");
            return;
        }
        if (schema.Items is { } items)
        {
            for (var i = 0; i < list.Items.Length; i++)
                Validate(list.Items[i], items, Item(path, i));
        }
        // Only lists with a bound are sets or maps: this is quadratic
        for (var i = 0; i < list.Items.Length && schema.ListType != SchemaListType.Atomic; i++)
        {
            if (list.Items.Take(i).Any(before => IsSame(before, list.Items[i], schema)))
                Add(list.Items[i], Item(path, i), $"{Identity(list.Items[i], schema)} is there twice");
        }
    }

    private static bool IsSame(ManifestNode one, ManifestNode other, SchemaNode schema) =>
        schema.ListType switch
        {
            SchemaListType.Set => one.HasValueOf(other),
            SchemaListType.Map => one is ManifestNode.Map a
                && other is ManifestNode.Map b
                && schema.MapKeys.All(k => a[k] is { } value && b[k] is { } same && value.HasValueOf(same)),
            _ => false,
        };

    private static string Identity(ManifestNode item, SchemaNode schema) =>
        item is ManifestNode.Map map && schema.MapKeys.Select(k => map[k]).FirstOrDefault() is { } key
            ? Shown(key)
            : Shown(item);

    private void Validate(ManifestNode.Map map, SchemaNode schema, string path)
    {
        foreach (var name in schema.Required.Where(r => map[r] is null))
            Add(map, Field(path, name), "is required");
        if (!schema.Size.Contains(map.Entries.Length))
            Add(map, path, $"must have {schema.Size} entries, and has {map.Entries.Length}");
        foreach (var entry in map.Entries)
        {
            if (schema.Properties.GetValueOrDefault(entry.Key) is { } property)
                Validate(entry.Value, property, Field(path, entry.Key));
            else if (schema.AdditionalProperties is { } others)
                Validate(entry.Value, others, Field(path, entry.Key));
        }
    }

    private void Evaluate(ManifestNode node, SchemaNode schema, string path)
    {
        foreach (var rule in schema.Rules.Where(r => !r.IsAboutChange))
        {
            if (rule.Expression.Evaluate(new CelScope("self", node.ToCel())) is CelValue.Bool { Value: true })
                continue;
            var (at, field) = (node, path);
            foreach (var name in rule.FieldPath)
                (at, field) = ((at as ManifestNode.Map)?[name] ?? at, Field(field, name));
            Add(at, field, rule.Message);
        }
        switch (node)
        {
            case ManifestNode.List list when schema.Items is { } items:
                for (var i = 0; i < list.Items.Length; i++)
                    Evaluate(list.Items[i], items, Item(path, i));
                break;
            case ManifestNode.Map map:
                foreach (var entry in map.Entries)
                {
                    if (schema.Properties.GetValueOrDefault(entry.Key) is { } property)
                        Evaluate(entry.Value, property, Field(path, entry.Key));
                }
                break;
            default:
                break;
        }
    }

    private void Add(ManifestNode node, string path, string message) =>
        _problems.Add(new ManifestProblem(node.At, path, message));

    private static string Field(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Item(string path, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    private static string Shown(ManifestNode node)
    {
        const int Longest = 80;
        return node switch
        {
            ManifestNode.Text { Value.Length: > Longest } text => $"\"{text.Value[..Longest]}…\"",
            ManifestNode.Text text => $"\"{text.Value}\"",
            ManifestNode.Bool flag => flag.Value ? "true" : "false",
            ManifestNode.Integer number => number.Value.ToString(CultureInfo.InvariantCulture),
            _ => $"this {node.TypeName}",
        };
    }
}
