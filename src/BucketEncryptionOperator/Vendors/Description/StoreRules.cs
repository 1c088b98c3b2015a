using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// What a policy must not ask of a store: pure, by the store's traits alone. A CRD cannot check it, because policy and
/// store are two objects.
/// </summary>
internal static class StoreRules
{
    /// <returns>The field's path, and what is allowed; or null.</returns>
    public static string? ProblemOf(DesiredEncryption desired, StoreTraits traits)
    {
        if (!traits.Algorithms.Contains(desired.Algorithm, StringComparer.Ordinal))
            return $"spec.encryption.algorithm: {traits.Subject} does not offer {desired.Algorithm}; allowed are "
                + $"{List(traits.Algorithms)}.";
        if (desired is not DesiredEncryption.Kms kms)
            return null;
        if (kms.Cipher is not null && !traits.DataEncryption)
            return $"spec.encryption.kmsDataEncryption: {traits.Subject} does not offer it; remove it.";
        if (kms.Key is KeyRequirement.Named { ProjectId: not null } && !traits.KeyProjects)
            return $"spec.encryption.kmsProjectId: {traits.Subject} does not keep keys in projects; remove it.";
        if (kms.Key is KeyRequirement.Named named && traits.ProblemOfKey(named.Id) is { } wrongKey)
            return $"spec.encryption.kmsKey.id: {wrongKey}";
        if (kms.BucketKeyEnabled is not null && !traits.BucketKeys)
            return $"spec.encryption.bucketKeyEnabled: {traits.Subject} does not offer it; remove it.";
        return null;
    }

    public static string? ProblemOf(string bucket, StoreTraits traits) =>
        bucket.Contains('.', StringComparison.Ordinal) && !traits.DottedNames
            ? $"spec.buckets: \"{bucket}\" has a dot, which {traits.Subject} does not take here."
            : null;

    private static string List(IReadOnlyList<string> words) =>
        words.Count == 1 ? words[0] : string.Join(", ", words.SkipLast(1)) + " and " + words[^1];
}
