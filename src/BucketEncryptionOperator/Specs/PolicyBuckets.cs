using System.Collections.Immutable;
using BucketEncryptionOperator.Api;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// The buckets that a policy has now: those that its spec names, or those of the rows of its status that its selector
/// still selects by name. The rows stand for the account's list between two lists, and after a restart.
/// </summary>
internal static class PolicyBuckets
{
    /// <param name="selectable">
    /// <see cref="Store.SelectableBuckets"/> of the policy's store; null also where the store is not known.
    /// </param>
    public static bool Include(BucketEncryptionPolicy policy, ImmutableArray<string>? selectable, string bucket) =>
        policy.Spec.BucketSelector is null
            ? policy.Spec.Buckets.Any(b => b.Name == bucket)
            : policy.Status?.RowOf(bucket) is not null && MayInclude(policy, selectable, bucket);

    /// <summary>
    /// Returns whether the policy may have the bucket: it names it, or its selector matches the name, whether or not
    /// the account has the bucket.
    /// </summary>
    /// <inheritdoc cref="Include"/>
    public static bool MayInclude(BucketEncryptionPolicy policy, ImmutableArray<string>? selectable, string bucket) =>
        policy.Spec.BucketSelector is { } selector
            ? BucketSelector.Of(selector, policy.Metadata.Namespace, selectable).Match(bucket) == NameMatch.Matched
            : policy.Spec.Buckets.Any(b => b.Name == bucket);

    /// <inheritdoc cref="Include"/>
    public static ImmutableArray<string> NamesOf(BucketEncryptionPolicy policy, ImmutableArray<string>? selectable)
    {
        if (policy.Spec.BucketSelector is not { } spec)
            return [.. policy.Spec.Buckets.Select(b => b.Name)];
        var selector = BucketSelector.Of(spec, policy.Metadata.Namespace, selectable);
        return
        [
            .. (policy.Status?.Buckets ?? []).Select(b => b.Name).Where(b => selector.Match(b) == NameMatch.Matched),
        ];
    }
}
