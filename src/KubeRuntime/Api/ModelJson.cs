using k8s;

namespace KubeRuntime.Api;

/// <summary>The library's JSON of its models, with times as Kubernetes' MicroTime.</summary>
internal static class ModelJson
{
    // Once for the process, and before the library writes or reads anything: then its options are fixed.
    static ModelJson() => KubernetesJson.AddJsonOptions(options =>
    {
        options.Converters.Insert(0, new MicroTimeConverter());
        options.Converters.Insert(0, new OptionalMicroTimeConverter());
    });

    public static string Serialize(object model) => KubernetesJson.Serialize(model);

    /// <summary>Makes sure of the options, for calls that the library serializes itself.</summary>
    public static void Use()
    {
    }
}
