using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>Converts an encryption to its form in a status, and back.</summary>
internal static class ObservedEncryptions
{
    private const string OtherCipher = "Other";

    public static ObservedEncryption? Of(BucketEncryption? encryption) =>
        encryption is null ? null : OfDefault(encryption) with { BlockedEncryptionTypes = encryption.Blocked?.Words };

    public static BucketEncryption Read(ObservedEncryption row) =>
        ReadDefault(row) with
        {
            Blocked = row.BlockedEncryptionTypes is { } words ? BlockedTypes.Of(words) : null,
        };

    private static ObservedEncryption OfDefault(BucketEncryption encryption) =>
        encryption switch
        {
            BucketEncryption.None => new ObservedEncryption { Algorithm = "None" },
            BucketEncryption.Aes256 => new ObservedEncryption { Algorithm = "AES256" },
            BucketEncryption.Sm4 => new ObservedEncryption { Algorithm = "SM4" },
            BucketEncryption.Kms kms => new ObservedEncryption
            {
                Algorithm = "KMS",
                KmsKeyId = kms.KeyId,
                KmsDataEncryption = kms.Cipher switch
                {
                    DataCipher.Sm4 => "SM4",
                    DataCipher.Other => OtherCipher,
                    _ => null,
                },
                KmsProjectId = kms.ProjectId,
                BucketKeyEnabled = kms.BucketKeyEnabled ? true : null,
            },
            BucketEncryption.Dsse dsse => new ObservedEncryption { Algorithm = "DSSE", KmsKeyId = dsse.KeyId },
            BucketEncryption.Other other => new ObservedEncryption { Algorithm = other.Algorithm },
            _ => throw new InvalidOperationException(encryption.GetType().Name),
        };

    private static BucketEncryption ReadDefault(ObservedEncryption row) =>
        row.Algorithm switch
        {
            "None" => new BucketEncryption.None(),
            "AES256" => new BucketEncryption.Aes256(),
            "SM4" => new BucketEncryption.Sm4(),
            "KMS" => new BucketEncryption.Kms(
                row.KmsKeyId,
                row.KmsDataEncryption switch
                {
                    "SM4" => DataCipher.Sm4,
                    OtherCipher => DataCipher.Other,
                    _ => DataCipher.Aes256,
                },
                row.KmsProjectId,
                row.BucketKeyEnabled == true
            ),
            "DSSE" => new BucketEncryption.Dsse(row.KmsKeyId),
            var other => new BucketEncryption.Other(other),
        };
}
