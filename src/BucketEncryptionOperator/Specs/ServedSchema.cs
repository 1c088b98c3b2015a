using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// Finds the fields of our records that the served schema of the group lacks. An API server silently drops such fields
/// from what is written: a status that loses its counts would let writes repeat forever. More fields than ours are
/// fine, and rules are not compared.
/// </summary>
internal static class ServedSchema
{
    /// <summary>
    /// Path of the group's OpenAPI document. Every authenticated account may read it (ClusterRole system:discovery), so
    /// the operator needs no right of its own.
    /// </summary>
    public const string Path = $"/openapi/v3/apis/{ApiResources.Group}/{ApiResources.Version}";

    /// <returns>
    /// The missing fields as <c>Kind.status.field</c>; the kind alone if it is not served. Empty if nothing is missing.
    /// </returns>
    public static IReadOnlyList<string> Missing(JsonElement openApi, IEnumerable<string> kinds)
    {
        var served =
            openApi.TryGetProperty("components", out var components)
            && components.TryGetProperty("schemas", out var schemas)
                ? schemas
                    .EnumerateObject()
                    .SelectMany(s => KindsOf(s.Value).Select(kind => (Kind: kind, Schema: s.Value)))
                    .ToDictionary(s => s.Kind, s => s.Schema, StringComparer.Ordinal)
                : [];
        return
        [
            .. kinds.SelectMany(kind =>
                served.TryGetValue(kind, out var schema) ? MissingParts(RecordOf(kind), schema, kind) : [kind]
            ),
        ];
    }

    private static JsonTypeInfo RecordOf(string kind) =>
        kind switch
        {
            ApiResources.BucketStore => ApiJsonContext.Default.BucketStore,
            ApiResources.ClusterBucketStore => ApiJsonContext.Default.ClusterBucketStore,
            ApiResources.Policy => ApiJsonContext.Default.BucketEncryptionPolicy,
            _ => throw new ArgumentException($"no record for kind {kind}", nameof(kind)),
        };

    /// <summary>
    /// Returns the kinds of our group that a schema describes; the schema of a list names its kind too.
    /// </summary>
    private static IEnumerable<string> KindsOf(JsonElement schema) =>
        schema.TryGetProperty("x-kubernetes-group-version-kind", out var names)
        && names.ValueKind == JsonValueKind.Array
            ? names
                .EnumerateArray()
                .Where(n => Text(n, "group") == ApiResources.Group && Text(n, "version") == ApiResources.Version)
                .Select(n => Text(n, "kind") ?? "")
            : [];

    /// <summary>Checks spec and status. The metadata are the API server's own.</summary>
    private static IEnumerable<string> MissingParts(JsonTypeInfo record, JsonElement schema, string path) =>
        record.Properties.Where(p => p.Name is "spec" or "status").SelectMany(p => MissingField(p, schema, path));

    private static IEnumerable<string> MissingField(JsonPropertyInfo field, JsonElement schema, string path)
    {
        var here = $"{path}.{field.Name}";
        if (
            !schema.TryGetProperty("properties", out var properties)
            || !properties.TryGetProperty(field.Name, out var child)
        )
            return [here];
        return MissingBelow(
            ApiJsonContext.Default.GetTypeInfo(Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType),
            child,
            here
        );
    }

    private static IEnumerable<string> MissingBelow(JsonTypeInfo? type, JsonElement schema, string path) =>
        type?.Kind switch
        {
            JsonTypeInfoKind.Object => type.Properties.SelectMany(p => MissingField(p, schema, path)),
            JsonTypeInfoKind.Enumerable
                when type.ElementType is { } element && schema.TryGetProperty("items", out var items) => MissingBelow(
                ApiJsonContext.Default.GetTypeInfo(element),
                items,
                path
            ),
            _ => [], // a value, or a map whose keys are the user's
        };

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
