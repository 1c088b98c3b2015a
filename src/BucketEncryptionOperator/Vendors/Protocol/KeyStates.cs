using System.Globalization;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Vendors.Protocol;

/// <summary>
/// The states of KMS keys that vendors share, each with what a person can do. The first argument is the vendor's own
/// word.
/// </summary>
internal static class KeyStates
{
    private const string OrAnother = ", or name another key in spec.encryption.kmsKey.id";

    public static KeyHealth Usable { get; } = new KeyHealth.Usable();

    public static KeyHealth Disabled(string state) =>
        Unusable(Reasons.KeyDisabled, state, $"Enable the KMS key{OrAnother}.");

    /// <param name="date">Null where the vendor says none.</param>
    public static KeyHealth PendingDeletion(string state, DateTimeOffset? date = null) =>
        new KeyHealth.Unusable(Reasons.KeyPendingDeletion, state)
        {
            DeletionDate = date,
            Hint =
                "Cancel the deletion of the KMS key and enable it, or move the buckets to another key: what is "
                + "encrypted with a deleted key can never be read again.",
        };

    public static KeyHealth PendingImport(string state) =>
        Unusable(Reasons.KeyPendingImport, state, $"Import the key material of the KMS key{OrAnother}.");

    /// <summary>The material was there, and the vendor has deleted it on the day that its owner set.</summary>
    public static KeyHealth Expired(string state) =>
        Unusable(
            Reasons.KeyPendingImport,
            state,
            $"Import the key material of the KMS key again, for it has expired{OrAnother}."
        );

    public static KeyHealth NotFound(string code) =>
        Unusable(
            Reasons.KeyNotFound,
            code,
            "Correct spec.encryption.kmsKey.id, or create the key: the key service of the store's region and account "
                + "does not know it."
        );

    /// <summary>
    /// Returns a verdict where a qualified name says another region than the store's; null where it says none.
    /// </summary>
    public static KeyHealth? ByRegion(string? qualifiedName, KeyServiceAddress service) =>
        qualifiedName is not null
        && ErrorAnswer.Label(KmsKeyId.RegionOf(qualifiedName)) is { } region
        && region != service.Region
            ? InOtherRegion(region, service)
            : null;

    /// <summary>Whether an answer about the key with this id answers the question.</summary>
    public static bool IsAsked(KeyQuestion question, string id) =>
        KmsKeyId.IsAlias(question.KmsKey.Id)
        || KmsKeyId.IdAlone(question.KmsKey.Id).Equals(KmsKeyId.IdAlone(id), StringComparison.OrdinalIgnoreCase);

    private static KeyHealth.Unusable InOtherRegion(string region, KeyServiceAddress service) =>
        Unusable(
            Reasons.KeyInOtherRegion,
            region,
            $"Name a key of region {service.Region}, the store's, in spec.encryption.kmsKey.id: this one is in "
                + $"{region}."
        );

    /// <param name="use">What the key is for, in the vendor's word.</param>
    public static KeyHealth NotForEncryption(string use) =>
        Unusable(
            Reasons.KeyNotForEncryption,
            use,
            "Name a symmetric key that is for encryption in spec.encryption.kmsKey.id: an object store takes no other."
        );

    /// <param name="hint">What a person can do, without the alternative and the full stop.</param>
    public static KeyHealth Unavailable(string state, string hint) =>
        Unusable(Reasons.KeyUnavailable, state, $"{hint}{OrAnother}.");

    /// <summary>
    /// Returns the date of a number of seconds since 1970; null for a number that is no date.
    /// </summary>
    public static DateTimeOffset? OfSeconds(double? seconds) =>
        seconds is { } number && number > 0 && number < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.UnixEpoch.AddSeconds(number)
            : null;

    /// <summary>Returns a date in the form of ISO 8601, in UTC unless it says otherwise; or null.</summary>
    public static DateTimeOffset? OfText(string? text)
    {
        const int LongestDate = 40;
        return
            text is { Length: <= LongestDate }
            && char.IsAsciiDigit(text[0])
            && text.Contains('-', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var date
            )
            ? date
            : null;
    }

    private static KeyHealth.Unusable Unusable(Reason reason, string state, string hint) =>
        new(reason, state) { Hint = hint };
}
