using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>
/// Fingerprints are kept in the status of policies: an upgrade that changed one would forget what was written before.
/// </summary>
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
        ["KMS/any/any/bucketKey:True"] = new DesiredEncryption.Kms(
            new KeyRequirement.Any(),
            null,
            BucketKeyEnabled: true
        ),
        ["KMS/any/Sm4/bucketKey:False"] = new DesiredEncryption.Kms(
            new KeyRequirement.Any(),
            DataCipher.Sm4,
            BucketKeyEnabled: false
        ),
        ["KMS/any/Sm4"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Sm4),
        ["DSSE/any"] = new DesiredEncryption.Dsse(new KeyRequirement.Any()),
        ["DSSE/vendorDefault"] = new DesiredEncryption.Dsse(new KeyRequirement.VendorDefault()),
        ["DSSE/id:k-1"] = new DesiredEncryption.Dsse(new KeyRequirement.Named("k-1")),
        ["DSSE/any/blocked:SSE-C"] = new DesiredEncryption.Dsse(new KeyRequirement.Any())
        {
            Blocked = BlockedTypes.Of("SSE-C"),
        },
        ["AES256/blocked:SSE-C"] = new DesiredEncryption.Aes256 { Blocked = BlockedTypes.Of("SSE-C") },
        ["AES256/blocked:NONE"] = new DesiredEncryption.Aes256 { Blocked = BlockedTypes.Of() },
        ["KMS/any/any/bucketKey:True/blocked:SSE-C"] = new DesiredEncryption.Kms(
            new KeyRequirement.Any(),
            null,
            BucketKeyEnabled: true
        )
        {
            Blocked = BlockedTypes.Of("SSE-C"),
        },
        ["KMS/any/Other"] = new DesiredEncryption.Kms(new KeyRequirement.Any(), DataCipher.Other),
    };

    private static readonly Dictionary<string, BucketEncryption> OriginalFingerprints = new(StringComparer.Ordinal)
    {
        ["Original/None"] = new BucketEncryption.None(),
        ["Original/AES256"] = new BucketEncryption.Aes256(),
        ["Original/SM4"] = new BucketEncryption.Sm4(),
        ["Original/AES512"] = new BucketEncryption.Other("AES512"),
        ["Original/KMS with the vendor's key"] = new BucketEncryption.Kms(KeyId: null, DataCipher.Aes256),
        ["Original/KMS with key k-1"] = new BucketEncryption.Kms("k-1", DataCipher.Aes256),
        ["Original/KMS with key k-1 of project p-1 and SM4 data encryption"] = new BucketEncryption.Kms(
            "k-1",
            DataCipher.Sm4,
            "p-1"
        ),
        ["Original/KMS with key k-1 and a data encryption that is not known and a bucket key"] =
            new BucketEncryption.Kms("k-1", DataCipher.Other, BucketKeyEnabled: true),
        ["Original/DSSE with the vendor's key"] = new BucketEncryption.Dsse(null),
        ["Original/DSSE with key k-1/blocked:NONE"] = new BucketEncryption.Dsse("k-1") { Blocked = BlockedTypes.Of() },
        ["Original/AES256/blocked:SSE-C"] = new BucketEncryption.Aes256 { Blocked = BlockedTypes.Of("SSE-C") },
    };

    public static TheoryData<string> OriginalTexts => new(OriginalFingerprints.Keys);

    public static TheoryData<string> Texts => new(Fingerprints.Keys);

    [Theory]
    [MemberData(nameof(Texts))]
    public void Fingerprint_never_changes(string fingerprint) =>
        Assert.Equal(fingerprint, Fingerprints[fingerprint].Fingerprint);

    [Theory]
    [MemberData(nameof(OriginalTexts))]
    public void Fingerprint_of_a_restored_original_never_changes(string fingerprint)
    {
        var original = new Original.Recorded(
            OriginalFingerprints[fingerprint],
            "<document/>",
            DateTimeOffset.UnixEpoch
        );

        var goal = new Goal.PutBack(original, Consent: true);

        Assert.Equal(fingerprint, goal.Fingerprint);
    }

    [Theory]
    [InlineData("an id and its ARN", "k-1", "arn:aws:kms:eu-west-1:1:key/k-1", true)]
    [InlineData("two regions", "arn:aws:kms:eu-west-1:1:key/k-1", "arn:aws:kms:us-east-1:1:key/k-1", false)]
    [InlineData("the vendor's key and its alias", null, "alias/aws/s3", true)]
    [InlineData("the vendor's key and another", null, "k-1", false)]
    public void Two_declarations_of_one_key_agree(string sentence, string? a, string b, bool agrees)
    {
        Goal.Declared Of(string? id) =>
            new(
                new DesiredEncryption.Kms(
                    id is null ? new KeyRequirement.VendorDefault() : new KeyRequirement.Named(id),
                    Cipher: null
                ),
                AtLeast: false,
                Consent: false
            );

        Assert.True(agrees == Of(a).AgreesWith(Of(b)), sentence);
        Assert.True(agrees == Of(b).AgreesWith(Of(a)), sentence);
    }

    [Fact]
    public void Declarations_that_differ_in_more_than_the_spelling_of_a_key_do_not_agree()
    {
        var declarations = Fingerprints
            .Values.Where(d => d.AskedKey is not KeyRequirement.Named { ProjectId: null })
            .ToList();

        var agreeing =
            from a in declarations
            from b in declarations
            where a.Fingerprint != b.Fingerprint && a.AgreesWith(b)
            select $"{a.Fingerprint} and {b.Fingerprint}";

        Assert.Empty(agreeing);
        Assert.All(declarations, d => Assert.True(d.AgreesWith(d)));
    }

    /// <summary>Some stores write down the id of their own key where a write named none.</summary>
    [Theory]
    [InlineData("a key that was not there before our write without a key", null, null, "default-key", "default-key")]
    [InlineData("no key", null, null, null, null)]
    [InlineData("the old key, which a read that lags still shows", "old", null, "old", null)]
    [InlineData("another key than the old one", "old", null, "default-key", "default-key")]
    [InlineData("the key that we have named", null, "k-1", "k-1", null)]
    [InlineData("the alias of the vendor's key, which is known without", null, null, "alias/aws/s3", null)]
    public void The_stores_name_for_its_own_key_is_learned_from_what_follows_a_write(
        string sentence,
        string? before,
        string? written,
        string? after,
        string? learned
    )
    {
        BucketEncryption Live(string? key) => new BucketEncryption.Kms(key, DataCipher.Aes256);
        var wanted = new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), Cipher: null);

        var key = wanted.VendorKeyOf(Live(before), Live(written), Live(after));

        Assert.True(learned == key, sentence);
        Assert.True(key is null || wanted.Knowing(key).IsMetBy(Live(after)), sentence);
        Assert.Equal(wanted.Fingerprint, wanted.Knowing(key).Fingerprint);
        Assert.Null(wanted.VendorKeyOf(before: null, Live(written), Live(after)));
        Assert.Null(wanted.VendorKeyOf(Live(before), Live(written), after: null));
        Assert.Null(
            new DesiredEncryption.Kms(new KeyRequirement.Any(), Cipher: null).VendorKeyOf(
                Live(before),
                Live(written),
                Live(after)
            )
        );
    }

    [Fact]
    public void A_bucket_key_without_effect_is_no_part_of_what_a_bucket_has()
    {
        BucketEncryption plain = new BucketEncryption.Aes256();
        var idle = plain with { IdleBucketKey = true };

        Assert.Equal(plain, idle);
        Assert.Equal(plain.GetHashCode(), idle.GetHashCode());
        Assert.Equal("AES256", idle.ToString());
        Assert.NotEqual<BucketEncryption>(
            new BucketEncryption.Kms(null, DataCipher.Aes256),
            new BucketEncryption.Kms(null, DataCipher.Aes256, BucketKeyEnabled: true)
        );
        Assert.NotEqual<BucketEncryption>(new BucketEncryption.None(), plain);
    }
}
