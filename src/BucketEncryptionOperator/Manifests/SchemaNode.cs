using System.Collections.Immutable;
using System.Runtime.InteropServices;
using BucketEncryptionOperator.Cel;

namespace BucketEncryptionOperator.Manifests;

/// <summary>A rule of a CRD (<c>x-kubernetes-validations</c>).</summary>
/// <param name="FieldPath">Names below the value that the rule is about; empty for the value itself.</param>
internal sealed record SchemaRule(CelExpression Expression, string Message, ImmutableArray<string> FieldPath)
{
    private const string OldSelf = "oldSelf";

    /// <summary>The rule compares with the object before a change: it says nothing about a new one.</summary>
    public bool IsAboutChange { get; } = Expression.Reads(OldSelf);
}

/// <summary>Bounds of a number, a length or a count; null: none.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SchemaRange(long? Least, long? Most)
{
    public bool Contains(long value) => !(value < Least) && !(value > Most);

    public override string ToString() =>
        (Least, Most) switch
        {
            ({ } least, { } most) => $"{least} to {most}",
            ({ } least, null) => $"at least {least}",
            (null, { } most) => $"at most {most}",
            _ => "any number of",
        };
}

/// <summary>Which items of a list may not be equal.</summary>
internal enum SchemaListType
{
    Atomic,

    /// <summary>No two items are equal.</summary>
    Set,

    /// <summary>No two items have the same values of <see cref="SchemaNode.MapKeys"/>.</summary>
    Map,
}

/// <summary>One value of a CRD's schema: the part of OpenAPI and of its extensions that crds/ uses.</summary>
internal sealed record SchemaNode
{
    /// <summary>A value of any type, which is not looked into.</summary>
    public static SchemaNode Anything { get; } = new() { Type = "" };

    /// <summary>Empty for <see cref="Anything"/>.</summary>
    public required string Type { get; init; }

    public ImmutableDictionary<string, SchemaNode> Properties { get; init; } =
        ImmutableDictionary<string, SchemaNode>.Empty;

    /// <summary>Of an object whose keys are the user's; null where only <see cref="Properties"/> are known.</summary>
    public SchemaNode? AdditionalProperties { get; init; }

    /// <summary>A null in <see cref="AdditionalProperties"/> is an empty text: in labels and annotations.</summary>
    public bool ReadsNullAsEmpty { get; init; }

    public SchemaNode? Items { get; init; }

    public ImmutableArray<string> Required { get; init; } = [];

    /// <summary>Empty: any value.</summary>
    public ImmutableArray<ManifestNode> Enum { get; init; } = [];

    /// <summary>Of a text in code points, of a list in items, of an object in keys.</summary>
    public SchemaRange Size { get; init; }

    public SchemaRange Value { get; init; }

    public ManifestNode? Default { get; init; }

    public SchemaListType ListType { get; init; }

    public ImmutableArray<string> MapKeys { get; init; } = [];

    public ImmutableArray<SchemaRule> Rules { get; init; } = [];
}
