using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Description;

/// <summary>
/// The part of a declaration that a store does not accept. Policies and options have names of their own for it.
/// </summary>
internal enum DeclaredField
{
    Bucket,
    Algorithm,
    DataEncryption,
    KeyId,
    KeyProject,
    BucketKey,
    BlockedTypes,
}

/// <summary>Why a store does not accept a declaration.</summary>
/// <param name="Message">What is wrong, without the name of the field and without a full stop.</param>
internal sealed record StoreProblem(DeclaredField Field, string Message)
{
    /// <summary>
    /// The algorithms that the store offers, where <see cref="Field"/> is the algorithm; otherwise empty.
    /// </summary>
    public ImmutableArray<string> Allowed { get; init; } = [];
}

/// <summary>
/// Compares a declaration with the traits of a store. Pure. The CRDs cannot do it: policy and store are two objects.
/// </summary>
internal static class StoreRules
{
    /// <returns>The first problem; null if there is none.</returns>
    public static StoreProblem? ProblemOf(DesiredEncryption desired, StoreTraits traits)
    {
        if (!traits.Algorithms.Contains(desired.Algorithm, StringComparer.Ordinal))
            return new StoreProblem(DeclaredField.Algorithm, $"{traits.Subject} does not offer {desired.Algorithm}")
            {
                Allowed = traits.Algorithms,
            };
        if (desired.Blocked is { } blocked && !traits.BlocksTypes)
            return new StoreProblem(
                DeclaredField.BlockedTypes,
                $"\"{blocked}\": {traits.Subject} blocks no encryption types; remove it"
            );
        if (desired.AskedKey is KeyRequirement.Named { ProjectId: not null } && !traits.KeyProjects)
            return new StoreProblem(
                DeclaredField.KeyProject,
                $"{traits.Subject} does not keep keys in projects; remove it"
            );
        if (desired.AskedKey is KeyRequirement.Named named && traits.ProblemOfKey(named.Id) is { } wrongKey)
            return new StoreProblem(DeclaredField.KeyId, wrongKey);
        if (desired is not DesiredEncryption.Kms kms)
            return null;
        if (kms.Cipher is not null && !traits.DataEncryption)
            return new StoreProblem(DeclaredField.DataEncryption, $"{traits.Subject} does not offer it; remove it");
        if (kms.BucketKeyEnabled is not null && !traits.BucketKeys)
            return new StoreProblem(DeclaredField.BucketKey, $"{traits.Subject} does not offer it; remove it");
        return null;
    }

    /// <inheritdoc cref="ProblemOf(DesiredEncryption, StoreTraits)"/>
    public static StoreProblem? ProblemOf(string bucket, StoreTraits traits) =>
        bucket.Contains('.', StringComparison.Ordinal) && !traits.DottedNames
            ? new StoreProblem(
                DeclaredField.Bucket,
                $"\"{bucket}\" has a dot, which {traits.Subject} does not take here"
            )
            : null;
}
