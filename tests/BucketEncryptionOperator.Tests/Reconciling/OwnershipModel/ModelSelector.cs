using System.Collections.Immutable;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Tests.Reconciling.OwnershipModel;

/// <summary>What a selector means, as the documentation says it.</summary>
internal static class ModelSelector
{
    private const string Namespace = "{namespace}";

    /// <summary>Whether the policy means a bucket of that name, through this store.</summary>
    /// <param name="store">Null where the policy's store is not there: then nothing narrows the selector.</param>
    public static bool Means(BucketEncryptionPolicy policy, ModelStore? store, string bucket) =>
        policy.Spec.BucketSelector is { } selector
            ? Any(selector.MatchNames, bucket)
                && !Any(selector.ExcludeNames, bucket)
                && (
                    store is not { IsClusterStore: true }
                    || Any(
                        [
                            .. store.Selectable.Select(p =>
                                p.Replace(Namespace, policy.Metadata.Namespace, StringComparison.Ordinal)
                            ),
                        ],
                        bucket
                    )
                )
            : policy.Spec.Buckets.Any(b => b.Name == bucket);

    /// <summary>Whether a bucket with these tags is meant.</summary>
    public static bool MeansTags(BucketEncryptionPolicy policy, ImmutableDictionary<string, string> tags) =>
        (policy.Spec.BucketSelector?.MatchTags ?? ImmutableDictionary<string, string>.Empty).All(w =>
            tags.TryGetValue(w.Key, out var has) && has == w.Value
        );

    private static bool Any(ImmutableArray<string> patterns, string bucket) =>
        patterns.Any(p =>
            Regex.IsMatch(
                bucket,
                "^"
                    + Regex
                        .Escape(p)
                        .Replace("\\*", ".*", StringComparison.Ordinal)
                        .Replace("\\?", ".", StringComparison.Ordinal)
                    + "$",
                RegexOptions.CultureInvariant
            )
        );
}
