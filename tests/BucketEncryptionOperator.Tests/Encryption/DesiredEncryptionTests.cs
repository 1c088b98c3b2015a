using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>Fingerprints are kept in the status of policies: an upgrade that changed one would forget what was written before.</summary>
public sealed class DesiredEncryptionTests
{
    private static readonly Dictionary<string, DesiredEncryption> Fingerprints = new(StringComparer.Ordinal)
    {
        ["None"] = new DesiredEncryption.None(),
        ["AES256"] = new DesiredEncryption.Aes256(),
        ["SM4"] = new DesiredEncryption.Sm4(),
        ["KMS/any/any"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), null),
        ["KMS/vendorDefault/any"] = new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), null),
        ["KMS/id:k-1/any"] = new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), null),
        ["KMS/id:k-1/Aes256"] = new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), DataCipher.Aes256),
        ["KMS/id:k-1/project:p-1/any"] = new DesiredEncryption.Kms(new KeyRequirement.Named("k-1", "p-1"), null),
        ["KMS/any/any/bucketKey:True"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), null, BucketKeyEnabled: true),
        ["KMS/any/Sm4/bucketKey:False"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Sm4, BucketKeyEnabled: false),
        ["KMS/any/Sm4"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Sm4),
    };

    public static TheoryData<string> Texts => new(Fingerprints.Keys);

    [Theory]
    [MemberData(nameof(Texts))]
    public void Fingerprint_never_changes(string fingerprint) => Assert.Equal(fingerprint, Fingerprints[fingerprint].Fingerprint);

    [Fact]
    public void Strength_orders_none_own_keys_vendor_key_named_key_and_the_unknown()
    {
        BucketEncryption[] weakestFirst =
        [
            new BucketEncryption.None(), new BucketEncryption.Aes256(), new BucketEncryption.Kms(null, DataCipher.Aes256),
            new BucketEncryption.Kms("k", DataCipher.Aes256), new BucketEncryption.Other("AES512"),
        ];

        var strengths = weakestFirst.Select(e => e.Strength).ToList();

        Assert.Equal(strengths.Order(), strengths);
        Assert.Equal(strengths.Count, strengths.Distinct().Count());
        Assert.Equal(new BucketEncryption.Aes256().Strength, new BucketEncryption.Sm4().Strength);
    }
}
