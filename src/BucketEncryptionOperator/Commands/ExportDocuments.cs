using System.Collections;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>The objects of an export as <c>kubectl apply</c> takes them.</summary>
internal static class ExportDocuments
{
    private static readonly JsonSerializerOptions Compact = new(ExportJsonContext.Default.Options)
    {
        TypeInfoResolver = ExportJsonContext.Default.WithAddedModifier(OmitEmptyLists),
    };

    public static string Of(NamespacedName store, BucketStoreSpec spec, Export export, OutputFormat format)
    {
        ImmutableArray<JsonElement> objects =
        [
            JsonSerializer.SerializeToElement(
                new ExportedStore { Metadata = ExportedMeta.Of(store), Spec = spec },
                Written<ExportedStore>()
            ),
            .. export.Policies.Select(p =>
                JsonSerializer.SerializeToElement(
                    new ExportedPolicy { Metadata = ExportedMeta.Of(p.Metadata.Key), Spec = p.Spec },
                    Written<ExportedPolicy>()
                )
            ),
        ];
        if (format == OutputFormat.Json)
            return JsonSerializer.Serialize(
                    new ExportedList { Items = objects },
                    ExportJsonContext.Default.ExportedList
                ) + "\n";
        var text = new StringBuilder();
        foreach (var item in objects)
            text.Append(text.Length == 0 ? "" : "---\n").Append(YamlText.Of(item));
        return text.ToString();
    }

    private static JsonTypeInfo<T> Written<T>() => (JsonTypeInfo<T>)Compact.GetTypeInfo(typeof(T));

    /// <summary>An empty list says what its absence says, and the CRDs refuse some.</summary>
    private static void OmitEmptyLists(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(p => p.ShouldSerialize is null))
            property.ShouldSerialize = (_, value) => value is not (null or ICollection { Count: 0 });
    }
}

internal sealed record ExportedMeta
{
    public required string Name { get; init; }

    public string? Namespace { get; init; }

    public static ExportedMeta Of(NamespacedName name) =>
        new() { Name = name.Name, Namespace = name.Namespace.Length == 0 ? null : name.Namespace };
}

internal sealed record ExportedStore
{
    public string ApiVersion { get; } = $"{ApiResources.Group}/{ApiResources.Version}";

    public string Kind { get; } = ApiResources.BucketStore;

    public required ExportedMeta Metadata { get; init; }

    public required BucketStoreSpec Spec { get; init; }
}

internal sealed record ExportedPolicy
{
    public string ApiVersion { get; } = $"{ApiResources.Group}/{ApiResources.Version}";

    public string Kind { get; } = ApiResources.Policy;

    public required ExportedMeta Metadata { get; init; }

    public required PolicySpec Spec { get; init; }
}

internal sealed record ExportedList
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "List";

    public required ImmutableArray<JsonElement> Items { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true,
    NewLine = "\n"
)]
[JsonSerializable(typeof(ExportedStore))]
[JsonSerializable(typeof(ExportedPolicy))]
[JsonSerializable(typeof(ExportedList))]
internal sealed partial class ExportJsonContext : JsonSerializerContext;
