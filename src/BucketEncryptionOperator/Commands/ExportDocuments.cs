using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Output;
using BucketEncryptionOperator.Planning;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>The objects of an export as <c>kubectl apply</c> takes them.</summary>
internal static class ExportDocuments
{
    public static string Of(NamespacedName store, BucketStoreSpec spec, Export export, OutputFormat format)
    {
        ImmutableArray<JsonElement> objects =
        [
            JsonSerializer.SerializeToElement(
                new ExportedStore { Metadata = ExportedMeta.Of(store), Spec = spec },
                ExportJsonContext.Default.ExportedStore
            ),
            .. export.Policies.Select(p =>
                JsonSerializer.SerializeToElement(
                    new ExportedPolicy { Metadata = ExportedMeta.Of(p.Metadata.Key), Spec = p.Spec },
                    ExportJsonContext.Default.ExportedPolicy
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
