using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>An encryption in a status, and back.</summary>
internal static class ObservedEncryptions
{
    private const string OtherCipher = "Other";

    public static ObservedEncryption? Of(BucketEncryption? encryption) =>
        encryption switch
        {
            null => null,
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
            BucketEncryption.Other other => new ObservedEncryption { Algorithm = other.Algorithm },
            _ => throw new InvalidOperationException(encryption.GetType().Name),
        };

    public static BucketEncryption Read(ObservedEncryption row) =>
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
            var other => new BucketEncryption.Other(other),
        };
}

/// <summary>What a row remembers of its bucket, beyond what it says of now.</summary>
/// <param name="History">Writes that have not lasted.</param>
/// <param name="Original">Null while nobody has asked for it.</param>
/// <param name="WasWritten">
/// By this policy, at any time; also where a write was put on record and nobody knows what became of it.
/// </param>
/// <param name="WasInSync">At the last look, under the same spec.</param>
/// <param name="VendorKey">The id under which the store answers its own default key; null where none is known.</param>
internal sealed record BucketMemory(
    WriteHistory? History,
    Original? Original,
    bool WasWritten,
    bool WasInSync,
    string? VendorKey = null
)
{
    public static BucketMemory None { get; } = new(null, null, false, false);

    public static BucketMemory Of(BucketStatus? row, bool sameSpec) =>
        row is null
            ? None
            : new BucketMemory(
                ReadWrites(row.Writes),
                ReadOriginal(row.Original),
                row.LastAppliedTime is not null || row.Writes is { Refused: not true },
                sameSpec && row is { State: BucketStatus.InSync, Error: null },
                row.VendorKeyId
            );

    public static WriteHistory? ReadWrites(WriteRecord? writes) =>
        writes is null
            ? null
            : new WriteHistory(writes.Hash, writes.Count, writes.NotBefore)
            {
                Kept = writes.Kept == true,
                IsCorrection = writes.Correction == true,
                IsRefused = writes.Refused == true,
                RecordedAt = writes.RecordedTime ?? default,
            };

    public static WriteRecord Row(WriteHistory history) =>
        new()
        {
            Hash = history.Fingerprint,
            Count = history.Count,
            NotBefore = KubeTimeConverter.Truncate(history.NotBefore),
            Kept = history.Kept ? true : null,
            Correction = history.IsCorrection ? true : null,
            Refused = history.IsRefused ? true : null,
            RecordedTime = history.RecordedAt == default ? null : KubeTimeConverter.Truncate(history.RecordedAt),
        };

    public static OriginalEncryption Row(Original original) =>
        original is Original.Recorded recorded
            ? new OriginalEncryption
            {
                State = OriginalEncryption.Recorded,
                Encryption = ObservedEncryptions.Of(recorded.Encryption),
                Document = recorded.Document,
                RecordedTime = KubeTimeConverter.Truncate(recorded.At),
            }
            : new OriginalEncryption { State = OriginalEncryption.Unavailable };

    /// <summary>A record that somebody has edited into nonsense is as good as none.</summary>
    private static Original? ReadOriginal(OriginalEncryption? row) =>
        row switch
        {
            null => null,
            // "None" may have been said in a document, by an algorithm of that name or by none.
            { State: OriginalEncryption.Recorded, Encryption: { } encryption, RecordedTime: { } at }
                when encryption.Algorithm == "None" || row.Document is not null => new Original.Recorded(
                ObservedEncryptions.Read(encryption),
                row.Document,
                at
            ),
            _ => new Original.Unavailable(),
        };
}
