using System.Collections.Immutable;
using System.Xml.Linq;
using ObjectStoreSimulator.SigV4;
using ObjectStoreSimulator.State;
using ObjectStoreSimulator.Wire;

namespace ObjectStoreSimulator.S3;

/// <summary>What one S3 does otherwise than the next.</summary>
internal interface IS3Rules
{
    string Server { get; }

    /// <summary>PutBucketEncryption without Content-MD5 or a checksum is refused.</summary>
    bool NeedsChecksum { get; }

    /// <summary>What a bucket has that has no encryption of its own. Null: none.</summary>
    string? Always { get; }

    /// <summary>The list of the account's buckets; the right to it is looked at here.</summary>
    (XElement? Document, StoreError? Refusal) List(StoreCall call, Account account, World world);

    /// <returns>The XML to store, as GET is to give it, or the refusal.</returns>
    (string? Xml, StoreError? Refusal) Accept(ReadOnlyMemory<byte> body, Account account, World world);
}

/// <summary>
/// AWS: every bucket has AES256 at least, and DELETE goes back to that. The KMS key is not looked at, only its form
/// (UNCONFIRMED). Elements that this simulator does not know are kept (UNCONFIRMED). DSSE takes no bucket key: that a
/// PUT with both is refused is UNCONFIRMED. Blocked types are as the last PUT has said (AWS may keep older ones:
/// UNCONFIRMED). Source: AWS API reference of the three calls; user guide, "Setting default server-side encryption
/// behavior".
/// </summary>
internal sealed class AwsRules : IS3Rules
{
    private static readonly ImmutableArray<string> Order =
    [
        EncryptionDocument.Apply,
        EncryptionDocument.Algorithm,
        EncryptionDocument.KeyId,
        EncryptionDocument.BucketKeyEnabled,
        EncryptionDocument.Blocked,
    ];

    public string Server => "AmazonS3";

    public bool NeedsChecksum => true;

    public string? Always { get; } =
        $"<ServerSideEncryptionConfiguration xmlns=\"{S3Dialect.S3Namespace}\"><Rule>"
        + "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
        + "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled>"
        + "</Rule></ServerSideEncryptionConfiguration>";

    public (XElement? Document, StoreError? Refusal) List(StoreCall call, Account account, World world) =>
        world.DenyRules.Find(call) is { } rule
            ? (null, rule.AsError(SigV4Errors.Denied, S3Errors.DeniedByKms))
            : S3Account.ListOfAws(call, account, world);

    public (string? Xml, StoreError? Refusal) Accept(ReadOnlyMemory<byte> body, Account account, World world)
    {
        if (
            EncryptionDocument.Read(body) is not { } document
            || document[EncryptionDocument.Algorithm] is not ("AES256" or "aws:kms" or "aws:kms:dsse")
            || !world.Settings.Values.Offers(document[EncryptionDocument.Algorithm]!)
            || document[EncryptionDocument.BucketKeyEnabled] is not (null or "true" or "false")
            || document.BlockedTypes() is not (null or ["SSE-C"] or ["NONE"])
        )
        {
            return (null, S3Errors.MalformedXml);
        }

        string? key = document[EncryptionDocument.KeyId];
        if (key is not null && document[EncryptionDocument.Algorithm] == "AES256")
        {
            return (
                null,
                S3Errors.InvalidArgument(
                    "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                    EncryptionDocument.KeyId
                )
            );
        }

        if (
            document[EncryptionDocument.Algorithm] == "aws:kms:dsse"
            && document[EncryptionDocument.BucketKeyEnabled] == "true"
        )
        {
            return (
                null,
                S3Errors.InvalidArgument(
                    "a bucket key is not applicable if the default sse algorithm is aws:kms:dsse",
                    EncryptionDocument.BucketKeyEnabled
                )
            );
        }

        return key is not null && key.Any(char.IsWhiteSpace)
            ? (null, S3Errors.InvalidArgument("Invalid KMS key", EncryptionDocument.KeyId))
            : (document.Stored(S3Dialect.S3Namespace, Order, keepUnknown: true), null);
    }
}

/// <summary>
/// MinIO: aws:kms wants a key, which is tried; AES256 wants none; whatever is wrong is MalformedXML; BucketKeyEnabled
/// and unknown elements are dropped. An account with <c>kmsEnabled: false</c> stands for a server without a KMS.
/// Source: MinIO's bucket-encryption handlers and its sse package, read.
/// </summary>
internal sealed class MinioRules : IS3Rules
{
    private static readonly ImmutableArray<string> Order =
    [
        EncryptionDocument.Apply,
        EncryptionDocument.Algorithm,
        EncryptionDocument.KeyId,
    ];

    public string Server => "MinIO";

    public bool NeedsChecksum => false;

    public string? Always => null;

    public (XElement? Document, StoreError? Refusal) List(StoreCall call, Account account, World world) =>
        S3Account.ListOfMinio(call, account, world);

    public (string? Xml, StoreError? Refusal) Accept(ReadOnlyMemory<byte> body, Account account, World world)
    {
        EncryptionDocument? document = EncryptionDocument.Read(body);
        string? key = document?.Raw(EncryptionDocument.KeyId);
        bool valid = (document?[EncryptionDocument.Algorithm], key) switch
        {
            ("AES256", null or "") => true,
            ("aws:kms", { Length: > 0 }) => key == key.Trim(),
            _ => false,
        };
        if (document is null || !valid)
        {
            return (null, S3Errors.MalformedXml);
        }

        if (!account.KmsEnabled)
        {
            return (null, S3Errors.KmsNotConfigured);
        }

        StoreError? refusal = string.IsNullOrEmpty(key) ? null : Try(KmsKeys.NameOf(key), world);
        return refusal is null
            ? (document.Stored(S3Dialect.S3Namespace, Order, keepUnknown: false), null)
            : (null, refusal);
    }

    /// <summary>MinIO encrypts with the key. What it says of any other failure than this one is UNCONFIRMED.</summary>
    private static StoreError? Try(string key, World world) =>
        world.KmsKeys.Find(key) is not { } found ? S3Errors.KmsKeyNotFound
        : found.Key.State == KmsKey.Enabled && found.Key.EncryptionError is null ? null
        : S3Errors.KmsFailed;
}
