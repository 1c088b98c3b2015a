using System.Collections.Immutable;
using System.Text;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Manifests;

/// <summary>
/// What the API server asks of <c>metadata</c>, which is the same for all kinds (apimachinery: <c>ObjectMeta</c> and
/// its validation). What is the server's own there is not looked into.
/// </summary>
internal static class MetadataRules
{
    private const string Path = "metadata";
    private const int MaxAnnotations = 256 * 1024;

    private static readonly SchemaNode Text = new() { Type = "string" };
    private static readonly SchemaNode Number = new() { Type = "integer" };
    private static readonly SchemaNode Texts = new()
    {
        Type = "object",
        AdditionalProperties = Text,
        ReadsNullAsEmpty = true,
    };
    private static readonly SchemaNode Objects = new() { Type = "array", Items = SchemaNode.Anything };

    public static SchemaNode Schema { get; } =
        new()
        {
            Type = "object",
            Properties = new Dictionary<string, SchemaNode>(StringComparer.Ordinal)
            {
                ["name"] = Text,
                ["generateName"] = Text,
                ["namespace"] = Text,
                ["uid"] = Text,
                ["resourceVersion"] = Text,
                ["selfLink"] = Text,
                ["generation"] = Number,
                ["creationTimestamp"] = Text,
                ["deletionTimestamp"] = Text,
                ["deletionGracePeriodSeconds"] = Number,
                ["labels"] = Texts,
                ["annotations"] = Texts,
                ["finalizers"] = new() { Type = "array", Items = Text },
                ["ownerReferences"] = Objects,
                ["managedFields"] = Objects,
            }.ToImmutableDictionary(StringComparer.Ordinal),
        };

    /// <param name="metadata">Null where the object has none.</param>
    /// <param name="root">Position of the object.</param>
    public static IEnumerable<ManifestProblem> Check(ManifestNode.Map? metadata, SourcePosition root)
    {
        var name = metadata?["name"] as ManifestNode.Text;
        if (name is not { Value.Length: > 0 })
            yield return new ManifestProblem(metadata?.At ?? root, $"{Path}.name", "is required");
        else if (name.Value.Length > DnsName.MaxSubdomain || !DnsName.IsSubdomain(name.Value))
            yield return new ManifestProblem(
                name.At,
                $"{Path}.name",
                "must have lower-case letters, digits, hyphens, and dots between them, at most 253"
            );
        if (
            metadata?["namespace"] is ManifestNode.Text { Value: { Length: > 0 } ns } at
            && (ns.Length > DnsName.MaxLabel || !DnsName.IsLabel(ns))
        )
            yield return new ManifestProblem(
                at.At,
                $"{Path}.namespace",
                "must have lower-case letters, digits, and hyphens between them, at most 63"
            );
        foreach (var problem in CheckLabels(metadata?["labels"] as ManifestNode.Map))
            yield return problem;
        foreach (var problem in CheckAnnotations(metadata?["annotations"] as ManifestNode.Map))
            yield return problem;
        foreach (
            var finalizer in (metadata?["finalizers"] as ManifestNode.List)?.Items.OfType<ManifestNode.Text>() ?? []
        )
        {
            if (!IsQualifiedName(finalizer.Value))
                yield return new ManifestProblem(finalizer.At, $"{Path}.finalizers", "is not a qualified name");
        }
    }

    private static IEnumerable<ManifestProblem> CheckLabels(ManifestNode.Map? labels)
    {
        foreach (var label in labels?.Entries ?? [])
        {
            var field = $"{Path}.labels.{label.Key}";
            if (!IsQualifiedName(label.Key))
                yield return new ManifestProblem(label.At, field, "is not a name of a label");
            if (label.Value is ManifestNode.Text { Value: { Length: > 0 } value } && !IsNamePart(value))
                yield return new ManifestProblem(
                    label.Value.At,
                    field,
                    "must have letters, digits and any of -_., and begin and end with a letter or digit, at most 63"
                );
        }
    }

    private static IEnumerable<ManifestProblem> CheckAnnotations(ManifestNode.Map? annotations)
    {
        var size = 0;
        foreach (var annotation in annotations?.Entries ?? [])
        {
            size += Encoding.UTF8.GetByteCount(annotation.Key);
            size += annotation.Value is ManifestNode.Text text ? Encoding.UTF8.GetByteCount(text.Value) : 0;
            if (!IsQualifiedName(annotation.Key.ToLowerInvariant()))
                yield return new ManifestProblem(
                    annotation.At,
                    $"{Path}.annotations.{annotation.Key}",
                    "is not a name of an annotation"
                );
        }
        if (annotations is not null && size > MaxAnnotations)
            yield return new ManifestProblem(
                annotations.At,
                $"{Path}.annotations",
                $"must have at most {MaxAnnotations} bytes"
            );
    }

    /// <summary>Returns whether it is <c>name</c> or <c>dns.domain/name</c>.</summary>
    private static bool IsQualifiedName(string text) =>
        text.Split('/') switch
        {
            [var name] => IsNamePart(name),
            [var domain, var name] => domain.Length <= DnsName.MaxSubdomain
                && DnsName.IsSubdomain(domain)
                && IsNamePart(name),
            _ => false,
        };

    private static bool IsNamePart(string text) =>
        text.Length is > 0 and <= DnsName.MaxLabel
        && char.IsAsciiLetterOrDigit(text[0])
        && char.IsAsciiLetterOrDigit(text[^1])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
