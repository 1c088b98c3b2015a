using System.Collections.Immutable;
using System.Reflection;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Manifests;

/// <summary>One of our kinds, as its CRD describes it.</summary>
internal sealed record CustomResource(string Kind, bool IsNamespaced, SchemaNode Schema)
{
    private const string Folder = "crds/";

    /// <summary>Reads the CRDs that are embedded in the program: those of the folder crds/.</summary>
    public static ImmutableDictionary<string, CustomResource> LoadAll()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var found = ImmutableDictionary.CreateBuilder<string, CustomResource>(StringComparer.Ordinal);
        foreach (
            var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal))
        )
        {
            using var stream = assembly.GetManifestResourceStream(name);
            using var text = new StreamReader(stream ?? throw new InvalidOperationException(name));
            var resource = Read(name, text);
            found.Add(resource.Kind, resource);
        }
        return found.ToImmutable();
    }

    /// <summary>Reads a CRD. The names in it must be those of the program.</summary>
    public static CustomResource Read(string name, TextReader text)
    {
        var spec = YamlReader.Read(name, text).Single() is ManifestNode.Map crd ? Child(crd, "spec") : null;
        var version = (spec?["versions"] as ManifestNode.List)
            ?.Items.OfType<ManifestNode.Map>()
            .FirstOrDefault(v => v.TextOf("name") == ApiResources.Version);
        if (
            spec?.TextOf("group") != ApiResources.Group
            || Child(spec, "names")?.TextOf("kind") is not { } kind
            || Child(version, "schema")?["openAPIV3Schema"] is not { } schema
        )
            throw new InvalidOperationException($"{name} is no CRD of {ApiResources.Group}/{ApiResources.Version}");
        return new CustomResource(kind, spec.TextOf("scope") == "Namespaced", SchemaReader.Read(schema));
    }

    private static ManifestNode.Map? Child(ManifestNode.Map? map, string key) => map?[key] as ManifestNode.Map;
}
