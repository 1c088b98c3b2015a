using System.Collections.Immutable;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Specs;

/// <summary>What a bucket's name means for a selector.</summary>
internal enum NameMatch
{
    /// <summary>Not meant by the policy, or not selectable through its store: the policy knows nothing of it.</summary>
    None,

    /// <summary>Meant, and taken out again by <c>excludeNames</c>.</summary>
    Excluded,

    /// <summary>Meant; the tags decide.</summary>
    Matched,
}

/// <summary>
/// Which buckets of an account a policy means: its <c>bucketSelector</c>, within what its store lets its namespace
/// select.
/// </summary>
/// <param name="Selectable">Patterns of the store; null: the store's keys are the namespace's own, and all are.</param>
internal sealed record BucketSelector(
    ImmutableArray<string> Names,
    ImmutableArray<string> Excluded,
    ImmutableDictionary<string, string> Tags,
    ImmutableArray<string>? Selectable,
    int MaxWrites
)
{
    /// <summary>Maximum number of buckets of one policy: its status must hold a row for each.</summary>
    public const int MaxBuckets = 1000;

    /// <summary>As in the CRD, for an object that an older one stored.</summary>
    public const int DefaultMaxWrites = 50;

    public const string Namespace = "{namespace}";

    /// <param name="ns">Namespace of the policy.</param>
    /// <param name="selectable">Patterns of its store, with <see cref="Namespace"/> in them.</param>
    public static BucketSelector Of(BucketSelectorSpec spec, string ns, ImmutableArray<string>? selectable) =>
        new(
            spec.MatchNames,
            spec.ExcludeNames,
            spec.MatchTags ?? ImmutableDictionary<string, string>.Empty,
            selectable is { } patterns
                ? [.. patterns.Select(p => p.Replace(Namespace, ns, StringComparison.Ordinal))]
                : null,
            spec.MaxWrites ?? DefaultMaxWrites
        );

    public NameMatch Match(string bucket)
    {
        if (Selectable is { } selectable && !Any(selectable, bucket))
            return NameMatch.None;
        if (!Any(Names, bucket))
            return NameMatch.None;
        return Any(Excluded, bucket) ? NameMatch.Excluded : NameMatch.Matched;
    }

    /// <summary>Returns whether a bucket with these tags is selected.</summary>
    public bool MatchTags(ImmutableDictionary<string, string> tags) =>
        Tags.All(wanted => tags.GetValueOrDefault(wanted.Key) == wanted.Value);

    private static bool Any(ImmutableArray<string> patterns, string bucket)
    {
        foreach (var pattern in patterns)
        {
            if (BucketPattern.Matches(pattern, bucket))
                return true;
        }
        return false;
    }
}
