using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace KubeRuntime.Client;

/// <summary>
/// A Kubernetes object as far as the runtime needs to know it (<c>IKubernetesObject&lt;V1ObjectMeta&gt;</c> in
/// KubernetesClient).
/// </summary>
public interface IKubernetesObject
{
    ObjectMeta Metadata { get; }
}

/// <summary>
/// The part of <c>metadata</c> that the runtime reads; the rest is dropped on reading, so that a cache of many objects
/// stays small. Never written back whole: every write is a patch. Absent texts are empty (a generated reader sets null
/// where the field is absent).
/// </summary>
public sealed record ObjectMeta
{
    public string Name
    {
        get;
        init => field = value ?? "";
    } = "";
    public string Namespace
    {
        get;
        init => field = value ?? "";
    } = "";
    public string Uid
    {
        get;
        init => field = value ?? "";
    } = "";

    /// <summary>Opaque: may be compared for equality and sent back, nothing else.</summary>
    public string ResourceVersion
    {
        get;
        init => field = value ?? "";
    } = "";

    /// <summary>Grows with each change of the spec, not with changes of the status.</summary>
    public long Generation { get; init; }

    public DateTimeOffset? CreationTimestamp { get; init; }

    public DateTimeOffset? DeletionTimestamp { get; init; }

    /// <summary>Who must still act before the object may go.</summary>
    public ImmutableArray<string> Finalizers
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    [JsonConverter(typeof(LabelsConverter))]
    public ImmutableArray<KeyValuePair<string, string>> Labels
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    public AnnotationCollection Annotations { get; init; }

    [JsonIgnore]
    public NamespacedName Key => new(Namespace, Name);
}

/// <summary>Names one object of a kind: namespace (empty for cluster-scoped kinds) and name.</summary>
public readonly record struct NamespacedName(string Namespace, string Name)
{
    /// <summary>Never throws: a log line of a default value must not end a loop.</summary>
    public override string ToString() => string.IsNullOrEmpty(Namespace) ? Name ?? "" : $"{Namespace}/{Name}";
}
