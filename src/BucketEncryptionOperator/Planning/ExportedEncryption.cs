using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Description;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Declares what a bucket has: the inverse of <c>EncryptionReader</c>. Everything is declared that the store offers and
/// that has a word; the rest is undeclared, and so kept. Pure.
/// </summary>
internal static class ExportedEncryption
{
    /// <returns>Null where the algorithm has no word in a policy.</returns>
    public static EncryptionSpec? Of(BucketEncryption observed, StoreTraits traits)
    {
        EncryptionSpec? spec = observed switch
        {
            BucketEncryption.None or BucketEncryption.Aes256 or BucketEncryption.Sm4 => new EncryptionSpec
            {
                Algorithm = observed.Algorithm,
            },
            BucketEncryption.Kms kms => OfKms(kms, traits),
            BucketEncryption.Dsse dsse => new EncryptionSpec
            {
                Algorithm = observed.Algorithm,
                KmsKey = KeyOf(dsse.KeyId),
            },
            _ => null,
        };
        return spec is not null && observed is not BucketEncryption.None && traits.BlocksTypes
            ? spec with
            {
                BlockedEncryptionTypes = observed.Blocked?.Words,
            }
            : spec;
    }

    private static EncryptionSpec OfKms(BucketEncryption.Kms kms, StoreTraits traits) =>
        new()
        {
            Algorithm = kms.Algorithm,
            KmsKey = KeyOf(kms.KeyId),
            KmsDataEncryption = !traits.DataEncryption
                ? null
                : kms.Cipher switch
                {
                    DataCipher.Aes256 => "AES256",
                    DataCipher.Sm4 => "SM4",
                    _ => null,
                },
            KmsProjectId = kms.KeyId is null ? null : kms.ProjectId,
            BucketKeyEnabled = traits.BucketKeys ? kms.BucketKeyEnabled : null,
        };

    private static KmsKeySpec KeyOf(string? key) =>
        key is null || KmsKeyId.IsVendors(key) ? new KmsKeySpec { VendorDefault = true } : new KmsKeySpec { Id = key };
}
