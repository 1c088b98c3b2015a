using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What a status remembers of a bucket, beyond its present state.</summary>
/// <param name="History">Writes that have not lasted.</param>
/// <param name="Original">Null while nobody has asked for it.</param>
/// <param name="WasWritten">
/// By this policy, at any time; also where a write was put on record and nobody knows what became of it.
/// </param>
/// <param name="WasInSync">At the last read, under the same spec.</param>
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

    /// <summary>A record that somebody has edited into nonsense counts as unavailable.</summary>
    private static Original? ReadOriginal(OriginalEncryption? row) =>
        row switch
        {
            null => null,
            // "None" may come with a document: of an algorithm of that name, or without an algorithm.
            { State: OriginalEncryption.Recorded, Encryption: { } encryption, RecordedTime: { } at }
                when encryption.Algorithm == "None" || row.Document is not null => new Original.Recorded(
                ObservedEncryptions.Read(encryption),
                row.Document,
                at
            ),
            _ => new Original.Unavailable(),
        };
}
