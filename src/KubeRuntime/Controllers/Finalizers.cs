using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using KubeRuntime.Client;

namespace KubeRuntime.Controllers;

/// <summary>
/// Adds and removes finalizers. A finalizer keeps an object until its owner has acted: the API server only marks the
/// object as deleted while the list has a name in it. Add it before the first act that must be undone, and remove it
/// when that is undone.
/// </summary>
public static class Finalizers
{
    public static bool Has(ObjectMeta meta, string finalizer) =>
        meta.Finalizers.Contains(finalizer, StringComparer.Ordinal);

    public static ImmutableArray<string> With(ObjectMeta meta, string finalizer) =>
        Has(meta, finalizer) ? meta.Finalizers : meta.Finalizers.Add(finalizer);

    public static ImmutableArray<string> Without(ObjectMeta meta, string finalizer) =>
        meta.Finalizers.RemoveAll(f => f == finalizer);

    /// <summary>
    /// Writes the list, unless the object has it already. A merge patch replaces a list as a whole, so it is bound to
    /// the version that the list was read with: a finalizer that another writer added meanwhile is a conflict, and is
    /// not lost.
    /// </summary>
    /// <returns>The object as stored; the given one if nothing was written.</returns>
    /// <exception cref="KubeApiException">
    /// Conflict: the object has changed since it was read. NotFound: it is gone. Invalid: it is being deleted, and
    /// takes no new one.
    /// </exception>
    public static async Task<T> WriteAsync<T>(
        KubeClient client,
        KubeResource<T> resource,
        T item,
        ImmutableArray<string> finalizers,
        CancellationToken cancellationToken
    )
        where T : class, IKubernetesObject
    {
        var meta = item.Metadata;
        if (finalizers.AsSpan().SequenceEqual(meta.Finalizers.AsSpan()))
            return item;
        var patch = new FinalizerPatch(new FinalizerMeta(meta.ResourceVersion, finalizers));
        return await client.PatchAsync(
            resource,
            meta.Key,
            JsonSerializer.SerializeToUtf8Bytes(patch, FinalizerJson.Default.FinalizerPatch),
            cancellationToken
        );
    }
}

internal sealed record FinalizerPatch(FinalizerMeta Metadata);

internal sealed record FinalizerMeta(string ResourceVersion, ImmutableArray<string> Finalizers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FinalizerPatch))]
internal sealed partial class FinalizerJson : JsonSerializerContext;
