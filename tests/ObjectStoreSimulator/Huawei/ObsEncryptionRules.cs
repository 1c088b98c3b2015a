using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.Huawei;

/// <summary>
/// What OBS's PUT takes. <c>kms</c> with or without a key (an id, or <c>region:domain:key/id</c>), which is looked at;
/// ProjectID with a key only; KMSDataEncryption (SM4) and the bucket key with kms only; AES256 with none of these. A
/// parallel file system takes kms with a key and a bucket key, or nothing at all. Which code each broken rule has is
/// UNCONFIRMED. Elements that this simulator does not know are kept (UNCONFIRMED). Source: OBS API reference
/// "Configuring Bucket Encryption", Huawei's Terraform provider, the Java SDK's live tests.
/// </summary>
internal static partial class ObsEncryptionRules
{
    private static readonly ImmutableArray<string> Order =
    [
        EncryptionDocument.Apply,
        EncryptionDocument.Algorithm,
        EncryptionDocument.KeyId,
        EncryptionDocument.DataEncryption,
        EncryptionDocument.ProjectId,
        EncryptionDocument.BucketKeyEnabled,
        EncryptionDocument.BucketKeyRotationPeriod,
    ];

    /// <returns>The XML to store, in native words, or the refusal.</returns>
    public static (string? Xml, StoreError? Refusal) Accept(
        ReadOnlyMemory<byte> body,
        ObsWords words,
        BucketSettings bucket,
        World world
    )
    {
        if (body.IsEmpty)
        {
            return (null, ObsErrors.MissingBody);
        }

        if (
            EncryptionDocument.Read(body) is not { } document
            || document[EncryptionDocument.BucketKeyEnabled] is not (null or "true" or "false")
            || (
                document[EncryptionDocument.BucketKeyRotationPeriod] is { } period
                && !int.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            )
        )
        {
            return (null, ObsErrors.MalformedXml);
        }

        string? algorithm = document[EncryptionDocument.Algorithm];
        if (algorithm != "AES256" && algorithm != words.Kms)
        {
            return (null, ObsErrors.InvalidAlgorithm);
        }

        bool kms = algorithm == words.Kms;
        return !world.Settings.Values.Offers(kms ? ObsWords.Native.Kms : "AES256") ? (null, ObsErrors.InvalidAlgorithm)
            : CheckValues(document, kms, bucket, world.KmsKeys) is { } refusal ? (null, refusal)
            : (
                InWords(
                    document.Stored(
                        $"http://obs.{bucket.Region}.myhuaweicloud.com/doc/2015-06-30/",
                        Order,
                        keepUnknown: true
                    ),
                    words,
                    ObsWords.Native
                ),
                null
            );
    }

    /// <summary>The algorithm is named in the words of who asks.</summary>
    public static string InWords(string xml, ObsWords from, ObsWords to) =>
        from == to
            ? xml
            : xml.Replace(
                $"<{EncryptionDocument.Algorithm}>{from.Kms}<",
                $"<{EncryptionDocument.Algorithm}>{to.Kms}<",
                StringComparison.Ordinal
            );

    private static StoreError? CheckValues(EncryptionDocument document, bool kms, BucketSettings bucket, KmsKeys keys)
    {
        string? key = document[EncryptionDocument.KeyId];
        string? dataEncryption = document[EncryptionDocument.DataEncryption];
        bool bucketKey = document[EncryptionDocument.BucketKeyEnabled] == "true";
        if (
            !kms
            && (
                key
                ?? dataEncryption
                ?? document[EncryptionDocument.ProjectId]
                ?? document[EncryptionDocument.BucketKeyRotationPeriod]
                ?? (bucketKey ? "" : null)
            )
                is not null
        )
        {
            return ObsErrors.InvalidArgument("KMS settings are not applicable if the sse algorithm is not kms");
        }

        if (key is not null && !(KeyForm().IsMatch(key) && keys.Find(KmsKeys.NameOf(key)) is not null))
        {
            return ObsErrors.IllegalKey;
        }

        if (key is null && document[EncryptionDocument.ProjectId] is not null)
        {
            return ObsErrors.InvalidArgument("ProjectID is applicable with a KMSMasterKeyID only");
        }

        if (dataEncryption is not (null or "SM4"))
        {
            return ObsErrors.InvalidArgument("KMSDataEncryption is invalid");
        }

        return bucket.FileSystem == FileSystemKind.BucketKeyOnly && (key is null || !bucketKey)
            ? ObsErrors.InvalidArgument("A parallel file system needs KMSMasterKeyID and BucketKeyEnabled")
            : null;
    }

    [GeneratedRegex(
        "^([a-z0-9-]+:[A-Za-z0-9-]+:key/)?[A-Za-z0-9-]+$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex KeyForm();
}
