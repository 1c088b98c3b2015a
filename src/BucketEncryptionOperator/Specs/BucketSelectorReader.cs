using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Specs;

/// <summary>
/// Reads the <c>bucketSelector</c> of a policy, or says what is wrong. The CRD refuses most of it; this reader checks
/// what needs the store, and what an older CRD accepted.
/// </summary>
internal static class BucketSelectorReader
{
    public static Result<DesiredBuckets> Read(BucketEncryptionPolicy policy, BucketSelectorSpec spec, Store store)
    {
        if (!policy.Spec.Buckets.IsEmpty)
            return Wrong("spec.bucketSelector: name exactly one of buckets and bucketSelector.");
        if (policy.Spec.Mode is null)
            return Wrong("spec.mode: must be said with bucketSelector; begin with Audit, which writes nothing.");
        if (policy.Spec.DeletionPolicy is not (null or PolicyReader.Retain))
            return Wrong(
                $"spec.deletionPolicy: \"{policy.Spec.DeletionPolicy}\" does not go with bucketSelector; use Retain."
            );
        if (spec.MatchNames.IsEmpty)
            return Wrong("spec.bucketSelector.matchNames: give at least one pattern; \"*\" matches every bucket.");
        if (spec.MatchNames.Concat(spec.ExcludeNames).FirstOrDefault(p => !BucketPattern.IsValid(p)) is { } bad)
            return Wrong(
                $"spec.bucketSelector: \"{bad}\" is not a pattern; one has lower-case letters, digits, hyphens, dots, "
                    + "\"*\" for any text and \"?\" for one character."
            );
        if (spec.MaxWrites is < 0 or > BucketSelector.MaxBuckets)
            return Wrong(
                $"spec.bucketSelector.maxWrites: {spec.MaxWrites} is not between 0 and {BucketSelector.MaxBuckets}."
            );
        if (store.Place.Addressing == Addressing.CName)
            return Wrong(
                "spec.bucketSelector: the store's endpoint belongs to one bucket (addressing CName); name the bucket."
            );
        if (store.SelectableBuckets is { IsEmpty: true })
            return new(
                Value: null,
                new Failure(Reasons.SelectorNotAllowed, PolicyReader.ReadPolicy)
                {
                    Message =
                        "spec.bucketSelector: the store lets policies name buckets, and select none "
                        + "(spec.allowedNamespaces.selectableBuckets of the store).",
                    Hint = "Name the buckets (spec.buckets), or ask the store's owner which ones you may select.",
                }
            );
        return new(
            new DesiredBuckets.Selected(BucketSelector.Of(spec, policy.Metadata.Namespace, store.SelectableBuckets)),
            Failure: null
        );
    }

    private static Result<DesiredBuckets> Wrong(string message) =>
        new(Value: null, new Failure(Reasons.InvalidSpec, PolicyReader.ReadPolicy) { Message = message });
}
