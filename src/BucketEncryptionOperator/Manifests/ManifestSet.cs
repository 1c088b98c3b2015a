using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Manifests;

/// <summary>An object of a file, and where it begins.</summary>
/// <param name="Source">For places of its fields in later messages.</param>
internal sealed record Manifest<T>(T Object, ManifestNode.Map Source)
    where T : IKubernetesObject
{
    public NamespacedName Key => Object.Metadata.Key;

    public SourcePosition At => Source.At;

    /// <summary>
    /// Position of a field, as <c>spec.encryption.kmsKey</c>; of the nearest outer one that is given.
    /// </summary>
    public SourcePosition PositionOf(string path)
    {
        ManifestNode at = Source;
        foreach (var name in path.Split('.'))
        {
            if ((at as ManifestNode.Map)?[name] is not { } inner)
                break;
            at = inner;
        }
        return at.At;
    }
}

/// <summary>What files say: the objects that the cluster would accept, and what is wrong with the others.</summary>
internal sealed record ManifestSet
{
    public ImmutableArray<Manifest<BucketEncryptionPolicy>> Policies { get; init; } = [];

    public ImmutableArray<Manifest<BucketStore>> Stores { get; init; } = [];

    public ImmutableArray<Manifest<ClusterBucketStore>> ClusterStores { get; init; } = [];

    /// <summary>Their labels decide which cluster-scoped stores they may use.</summary>
    public ImmutableArray<Manifest<Namespace>> Namespaces { get; init; } = [];

    public ImmutableArray<ManifestProblem> Problems { get; init; } = [];

    /// <summary>Number of objects of other kinds, which nobody looks into.</summary>
    public int Others { get; init; }

    /// <summary>Reads an object from what a file says.</summary>
    internal static T Deserialize<T>(ManifestNode.Map source, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            source.Write(json);
        return JsonSerializer.Deserialize(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), type)
            ?? throw new InvalidOperationException("an object that is null");
    }
}
