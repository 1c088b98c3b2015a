using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;

namespace KubeRuntime.Client;

/// <summary>
/// JSON of the library's models, with times as Kubernetes' MicroTime. The library's own table knows all its models, and
/// so keeps all of them in the program: 18 MB of it. This one knows those that the runtime sends and reads.
/// KubeRuntime.Substitutions.xml takes the library's out of what is published.
/// </summary>
internal static class ModelJson
{
    // Once for the process, and before the library writes or reads anything: then its options are fixed.
    static ModelJson() =>
        KubernetesJson.AddJsonOptions(options =>
        {
            options.Converters.Insert(0, new MicroTimeConverter());
            options.Converters.Insert(0, new OptionalMicroTimeConverter());
            options.TypeInfoResolver = JsonTypeInfoResolver.Combine(ModelContext.Default, new PatchResolver());
        });

    public static string Serialize(object model) => KubernetesJson.Serialize(model);

    /// <summary>Makes sure of the options, for calls that the library serializes itself.</summary>
    public static void Use() { }

    /// <summary>
    /// A patch is sent as it is. The library's converter is not public, so the generator cannot name it.
    /// </summary>
    private sealed class PatchResolver : IJsonTypeInfoResolver
    {
        public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options) =>
            type == typeof(V1Patch)
                ? JsonMetadataServices.CreateValueInfo<V1Patch>(options, new PatchConverter())
                : null;
    }

    private sealed class PatchConverter : JsonConverter<V1Patch>
    {
        public override V1Patch Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("a patch is never read");

        public override void Write(Utf8JsonWriter writer, V1Patch value, JsonSerializerOptions options) =>
            writer.WriteRawValue((string)value.Content);
    }
}

/// <summary>
/// The library's models that are sent and read, and plain JSON for custom resources. A call of another operation of the
/// library needs its models here.
/// </summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(V1ServiceAccount))]
[JsonSerializable(typeof(Authenticationv1TokenRequest))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(Eventsv1Event))]
[JsonSerializable(typeof(V1SelfSubjectAccessReview))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ModelContext : JsonSerializerContext;
