using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed partial class PolicyReaderTests
{
    /// <inheritdoc cref="RefusedPolicies"/>
    private static readonly Dictionary<string, Refusal> RefusedEncryptions = new(StringComparer.Ordinal)
    {
        ["an algorithm that is not known"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES512" }),
            "spec.encryption.algorithm",
            "\"AES512\"",
            "AES256, KMS, DSSE, SM4 and None"
        ),
        ["algorithms are told apart by case"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "kms" }),
            "spec.encryption.algorithm",
            "\"kms\""
        ),
        ["a cipher that is not known"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsDataEncryption = "SM9" }),
            "spec.encryption.kmsDataEncryption",
            "\"SM9\"",
            "AES256 and SM4"
        ),
        ["a cipher without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", KmsDataEncryption = "SM4" }),
            "spec.encryption.kmsDataEncryption",
            "AES256",
            "only with algorithm KMS"
        ),
        ["a key without KMS"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "SM4",
                        KmsKey = new KmsKeySpec { Id = "k" },
                    }
                ),
            "spec.encryption.kmsKey",
            "SM4",
            "only with algorithm KMS"
        ),
        ["a key that is neither"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsKey = new KmsKeySpec() }),
            "spec.encryption.kmsKey",
            "exactly one of id and vendorDefault"
        ),
        ["a key that is both"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k", VendorDefault = true },
                    }
                ),
            "spec.encryption.kmsKey",
            "exactly one of id and vendorDefault"
        ),
        ["a key id with a blank"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k 1" },
                    }
                ),
            "spec.encryption.kmsKey.id",
            "\"k 1\"",
            "letters, digits"
        ),
        ["a project without a key"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "KMS", KmsProjectId = "p-1" }),
            "spec.encryption.kmsProjectId",
            "kmsKey.id"
        ),
        ["a project with the vendor's key"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { VendorDefault = true },
                        KmsProjectId = "p-1",
                    }
                ),
            "spec.encryption.kmsProjectId",
            "kmsKey.id"
        ),
        ["a project that is none"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "KMS",
                        KmsKey = new KmsKeySpec { Id = "k" },
                        KmsProjectId = "p 1",
                    }
                ),
            "spec.encryption.kmsProjectId",
            "\"p 1\""
        ),
        ["a bucket key without KMS"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BucketKeyEnabled = false }),
            "spec.encryption.bucketKeyEnabled",
            "only with algorithm KMS"
        ),
        ["a bucket key with DSSE"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "DSSE", BucketKeyEnabled = true }),
            "spec.encryption.bucketKeyEnabled",
            "only with algorithm KMS",
            "DSSE"
        ),
        ["a cipher with DSSE"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "DSSE", KmsDataEncryption = "AES256" }),
            "spec.encryption.kmsDataEncryption",
            "only with algorithm KMS",
            "DSSE"
        ),
        ["an unknown algorithm with a key"] = Bad(
            p =>
                p.With(
                    new EncryptionSpec
                    {
                        Algorithm = "kms",
                        KmsKey = new KmsKeySpec { Id = "k" },
                    }
                ),
            "spec.encryption.algorithm",
            "\"kms\""
        ),
        ["something blocked with None"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "None", BlockedEncryptionTypes = ["SSE-C"] }),
            "spec.encryption.blockedEncryptionTypes",
            "None",
            "AES256"
        ),
        ["an empty list of what is blocked"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = [] }),
            "spec.encryption.blockedEncryptionTypes",
            "[]",
            "NONE alone"
        ),
        ["something blocked and nothing"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = ["SSE-C", "NONE"] }),
            "spec.encryption.blockedEncryptionTypes",
            "[SSE-C, NONE]",
            "NONE alone"
        ),
        ["a type that cannot be blocked"] = Bad(
            p => p.With(new EncryptionSpec { Algorithm = "AES256", BlockedEncryptionTypes = ["SSE-S3"] }),
            "spec.encryption.blockedEncryptionTypes",
            "[SSE-S3]",
            "SSE-C"
        ),
    };

    private static readonly Dictionary<string, (EncryptionSpec Spec, DesiredEncryption Desired)> Encryptions = new(
        StringComparer.Ordinal
    )
    {
        ["none"] = (new() { Algorithm = "None" }, new DesiredEncryption.None()),
        ["AES256"] = (new() { Algorithm = "AES256" }, new DesiredEncryption.Aes256()),
        ["SM4"] = (new() { Algorithm = "SM4" }, new DesiredEncryption.Sm4()),
        ["KMS with any key"] = (new() { Algorithm = "KMS" }, new DesiredEncryption.Kms(new KeyRequirement.Any(), null)),
        ["KMS with the vendor's key"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { VendorDefault = true },
            },
            new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), null)
        ),
        ["KMS with a key and SM4"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsDataEncryption = "SM4",
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), DataCipher.Sm4)
        ),
        ["KMS with AES256"] = (
            new() { Algorithm = "KMS", KmsDataEncryption = "AES256" },
            new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Aes256)
        ),
        ["KMS with a key of a project"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                KmsProjectId = "p-1",
                BucketKeyEnabled = true,
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("k-1", "p-1"), null, BucketKeyEnabled: true)
        ),
        ["KMS without a bucket key"] = (
            new() { Algorithm = "KMS", BucketKeyEnabled = false },
            new DesiredEncryption.Kms(new KeyRequirement.Any(), null, BucketKeyEnabled: false)
        ),
        ["DSSE with any key"] = (new() { Algorithm = "DSSE" }, new DesiredEncryption.Dsse(new KeyRequirement.Any())),
        ["DSSE with the vendor's key"] = (
            new()
            {
                Algorithm = "DSSE",
                KmsKey = new KmsKeySpec { VendorDefault = true },
            },
            new DesiredEncryption.Dsse(new KeyRequirement.VendorDefault())
        ),
        ["DSSE with a key, and SSE-C blocked"] = (
            new()
            {
                Algorithm = "DSSE",
                KmsKey = new KmsKeySpec { Id = "k-1" },
                BlockedEncryptionTypes = ["SSE-C"],
            },
            new DesiredEncryption.Dsse(new KeyRequirement.Named("k-1")) { Blocked = BlockedTypes.Of("SSE-C") }
        ),
        ["AES256 with nothing blocked"] = (
            new() { Algorithm = "AES256", BlockedEncryptionTypes = ["NONE"] },
            new DesiredEncryption.Aes256 { Blocked = BlockedTypes.Of() }
        ),
        ["KMS with an ARN"] = (
            new()
            {
                Algorithm = "KMS",
                KmsKey = new KmsKeySpec { Id = "acs:kms:cn-hangzhou:1:key/k_1.x" },
            },
            new DesiredEncryption.Kms(new KeyRequirement.Named("acs:kms:cn-hangzhou:1:key/k_1.x"), null)
        ),
    };

    public static TheoryData<string> EncryptionSentences => new(Encryptions.Keys);

    [Theory]
    [MemberData(nameof(EncryptionSentences))]
    public void An_encryption_is_read_as_declared(string sentence)
    {
        var (spec, expected) = Encryptions[sentence];

        // No vendor has all.
        var store = spec switch
        {
            { Algorithm: "DSSE" } or { BlockedEncryptionTypes: not null } => Given.Store("S3", "eu-west-1"),
            { KmsProjectId: null, BucketKeyEnabled: null } => Given.Store(),
            _ => Given.Store("HuaweiOBS", "cn-north-4"),
        };

        var (value, failure) = Reader.ReadWith(Given.Policy().With(spec), store);

        Assert.Null(failure);
        Assert.Equal(expected, value?.Terms.Goal.Encryption);
    }
}
