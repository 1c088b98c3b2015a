using System.Text.Json.Serialization.Metadata;

namespace KubeRuntime.Client;

/// <summary>A kind as the API server knows it, with the means to read it.</summary>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Version">API version, for example <c>v1alpha1</c>.</param>
/// <param name="Plural">Plural resource name, lower case.</param>
/// <param name="ObjectType">Source-generated reader of one object.</param>
public sealed record KubeResource<T>(string Group, string Version, string Plural, JsonTypeInfo<T> ObjectType)
    where T : class, IKubernetesObject
{
    /// <summary>Path of the collection in <paramref name="ns"/>, or in all namespaces when it is null.</summary>
    public string CollectionPath(string? ns)
    {
        var root = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        return ns is null or "" ? $"{root}/{Plural}" : $"{root}/namespaces/{Uri.EscapeDataString(ns)}/{Plural}";
    }

    /// <summary>Path of one object.</summary>
    public string ObjectPath(NamespacedName key) => $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
}
