using System.Collections.Immutable;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>A KMS key that a policy uses, and what is known about it.</summary>
/// <param name="Health">Null while there is no answer.</param>
/// <param name="Buckets">Buckets of the policy that are as declared and have the key.</param>
internal sealed record KeyUse(KmsKeyName Key, KeyHealth? Health, ImmutableArray<string> Buckets);

/// <summary>What a reconcile knows about the KMS keys of its policy: at least one key.</summary>
/// <param name="NotAsked">Number of further keys that are not asked for, because they are too many.</param>
internal sealed record KeyFindings(ImmutableArray<KeyUse> Uses, int NotAsked);

/// <summary>The KMS keys that no bucket may be moved to, found within the last minute.</summary>
internal sealed record DeadKeys(ImmutableDictionary<KmsKeyName, KeyHealth.Unusable> Keys)
{
    public static DeadKeys None { get; } = new(ImmutableDictionary<KmsKeyName, KeyHealth.Unusable>.Empty);

    /// <summary>
    /// Returns why a write may not be sent: it would name a dead key that the bucket does not have already. Null where
    /// it may.
    /// </summary>
    public Failure? ProblemOf(Plan.Write write, BucketEncryption observed) =>
        NewKeyOf(write, observed) is { } key && Keys.TryGetValue(key, out var health)
            ? new Failure(Reasons.KeyUnusable, Planner.Step)
            {
                Message =
                    $"KMS key {key.Id} is {health.VendorState}, and every upload under it would fail. Nothing was "
                    + "written.",
                Hint = health.Hint,
            }
            : null;

    /// <summary>Returns the key that a write names and the bucket does not have; null where there is none.</summary>
    public static KmsKeyName? NewKeyOf(Plan.Write write, BucketEncryption observed) =>
        NameOf(write.Target) is { } key && !(observed.UsesKms && KmsKeyId.Same(key.Id, observed.KmsKey)) ? key : null;

    /// <summary>Returns the key that an encryption names; null where it names none.</summary>
    public static KmsKeyName? NameOf(BucketEncryption encryption) =>
        encryption.KmsKey is { } id ? new KmsKeyName(id, (encryption as BucketEncryption.Kms)?.ProjectId) : null;
}
