using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Encryption;

/// <summary>The table is the specification of the decision: one line a case, the sentence first.</summary>
public sealed partial class PlannerTests
{
    private const string Arn = "acs:kms:cn-hangzhou:123:key/k-1";
    private const string ManagedArn = "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3";
    private const string Regional = "cn-hangzhou:123:key/k-1";

    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly DesiredEncryption WantNone = new DesiredEncryption.None();
    private static readonly DesiredEncryption WantAes = new DesiredEncryption.Aes256();
    private static readonly DesiredEncryption WantSm4 = new DesiredEncryption.Sm4();
    private static readonly DesiredEncryption WantAnyKey = Kms(new KeyRequirement.Any());
    private static readonly DesiredEncryption WantVendorKey = Kms(new KeyRequirement.VendorDefault());
    private static readonly DesiredEncryption WantKey1 = Kms(new KeyRequirement.Named("k-1"));

    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Sm4 = new BucketEncryption.Sm4();
    private static readonly BucketEncryption VendorKey = Live(null);
    private static readonly BucketEncryption Key1 = Live("k-1");
    private static readonly BucketEncryption Unknown = new BucketEncryption.Other("AES512");

    private static readonly DesiredEncryption WantKeyOfProject = Kms(new KeyRequirement.Named("k-1", "p-1"));
    private static readonly BucketEncryption WithBucketKey = Live("k-1") with { BucketKeyEnabled = true };

    private static readonly Dictionary<string, Case> Table = new(StringComparer.Ordinal)
    {
        ["none on none is kept"] = new(WantNone, None, "keep"),
        ["AES256 on AES256 is kept"] = new(WantAes, Aes, "keep"),
        ["SM4 on SM4 is kept"] = new(WantSm4, Sm4, "keep"),
        ["any key is met by a named one"] = new(WantAnyKey, Key1, "keep"),
        ["any key is met by the vendor's"] = new(WantAnyKey, VendorKey, "keep"),
        ["the vendor's key is met by no name"] = new(WantVendorKey, VendorKey, "keep"),
        ["a named key is met by itself"] = new(WantKey1, Key1, "keep"),
        ["a named key is met by its ARN"] = new(WantKey1, Live(Arn), "keep"),
        ["a named key is met by region:domain:key/id"] = new(WantKey1, Live(Regional), "keep"),
        ["an ARN is met by the bare id"] = new(Kms(new KeyRequirement.Named(Arn)), Key1, "keep"),
        ["an ARN is met by another spelling of the same key"] = new(
            Kms(new KeyRequirement.Named(Arn)),
            Live(Regional),
            "keep"
        ),
        ["an absent cipher is met by SM4"] = new(WantKey1, Live("k-1", DataCipher.Sm4), "keep"),
        ["consent changes nothing that is as declared"] = new(WantAes, Aes, "keep", Consent: true),
        ["history changes nothing that is as declared"] = new(
            WantAes,
            Aes,
            "keep",
            History: new WriteHistory("AES256", 9, Now.AddHours(1))
        ),

        ["AES256 goes on an open bucket"] = new(WantAes, None, "apply AES256"),
        ["SM4 replaces AES256, which is as strong"] = new(WantSm4, Aes, "apply SM4"),
        ["AES256 replaces SM4, which is as strong"] = new(WantAes, Sm4, "apply AES256"),
        ["any key on AES256 means the vendor's"] = new(WantAnyKey, Aes, "apply KMS with the vendor's key"),
        ["a named key replaces the vendor's"] = new(WantKey1, VendorKey, "apply KMS with key k-1"),
        ["another named key is no downgrade"] = new(WantKey1, Live("k-2"), "apply KMS with key k-1"),
        ["a change of key keeps an undeclared cipher"] = new(
            WantKey1,
            Live("k-2", DataCipher.Sm4),
            "apply KMS with key k-1 and SM4 data encryption"
        ),
        ["a change of cipher keeps an undeclared key"] = new(
            Kms(new KeyRequirement.Any(), DataCipher.Sm4),
            Key1,
            "apply KMS with key k-1 and SM4 data encryption"
        ),
        ["a change of cipher keeps the spelling that the bucket has"] = new(
            Kms(new KeyRequirement.Named("k-1"), DataCipher.Sm4),
            Live(Arn),
            $"apply KMS with key {Arn} and SM4 data encryption"
        ),
        ["a declared AES256 cipher replaces SM4"] = new(
            Kms(new KeyRequirement.Named("k-1"), DataCipher.Aes256),
            Live("k-1", DataCipher.Sm4),
            "apply KMS with key k-1"
        ),
        ["an unknown cipher that is not declared stays"] = new(
            WantKey1,
            Live("k-2", DataCipher.Other),
            "apply KMS with key k-1 and a data encryption that is not known"
        ),
        ["a declared cipher never replaces an unknown one without consent"] = new(
            Kms(new KeyRequirement.Named("k-1"), DataCipher.Aes256),
            Live("k-1", DataCipher.Other),
            "refuse DowngradeRefused"
        ),
        ["a declared cipher replaces an unknown one with consent"] = new(
            Kms(new KeyRequirement.Named("k-1"), DataCipher.Aes256),
            Live("k-1", DataCipher.Other),
            "apply KMS with key k-1",
            Consent: true
        ),
        ["an undeclared cipher is met by one that is not known"] = new(WantKey1, Live("k-1", DataCipher.Other), "keep"),
        ["an alias is no key id"] = new(WantKey1, Live("acs:kms:cn-hangzhou:123:alias/k-1"), "apply KMS with key k-1"),

        ["none on AES256 is kept where every bucket is encrypted"] = new(
            new DesiredEncryption.None(MeansAes256: true),
            Aes,
            "keep"
        ),
        ["none on KMS is a removal there too"] = new(
            new DesiredEncryption.None(MeansAes256: true),
            Key1,
            "remove",
            Consent: true
        ),
        ["none on SM4 is a removal there too"] = new(
            new DesiredEncryption.None(MeansAes256: true),
            Sm4,
            "remove",
            Consent: true
        ),

        ["an undeclared project is met by any"] = new(WantKey1, InProject("k-1", "p-1"), "keep"),
        ["a declared project is met by itself"] = new(WantKeyOfProject, InProject(Regional, "p-1"), "keep"),
        ["a declared project replaces another"] = new(
            WantKeyOfProject,
            InProject("k-1", "p-2"),
            "apply KMS with key k-1 of project p-1"
        ),
        ["a declared project replaces none"] = new(WantKeyOfProject, Key1, "apply KMS with key k-1 of project p-1"),
        ["another key does not keep the old one's project"] = new(
            WantKey1,
            InProject("k-2", "p-1"),
            "apply KMS with key k-1"
        ),
        ["the vendor's key has no project"] = new(
            WantVendorKey,
            InProject("k-1", "p-1"),
            "apply KMS with the vendor's key",
            Consent: true
        ),
        ["the same key keeps its project"] = new(
            Kms(new KeyRequirement.Named("k-1"), DataCipher.Sm4),
            InProject("k-1", "p-1"),
            "apply KMS with key k-1 of project p-1 and SM4 data encryption"
        ),
        ["any key keeps its project"] = new(
            Kms(new KeyRequirement.Any(), DataCipher.Sm4),
            InProject("k-1", "p-1"),
            "apply KMS with key k-1 of project p-1 and SM4 data encryption"
        ),
        ["an undeclared bucket key is met by one"] = new(WantKey1, WithBucketKey, "keep"),
        ["an undeclared bucket key stays"] = new(
            Kms(new KeyRequirement.Named("k-2")),
            WithBucketKey,
            "apply KMS with key k-2 and a bucket key"
        ),
        ["a declared bucket key is met by itself"] = new(WantBucketKey(true), WithBucketKey, "keep"),
        ["a declared bucket key is turned on"] = new(
            WantBucketKey(true),
            Key1,
            "apply KMS with key k-1 and a bucket key"
        ),
        ["a declared bucket key is turned off, which weakens nothing"] = new(
            WantBucketKey(false),
            WithBucketKey,
            "apply KMS with key k-1"
        ),
        ["a bucket key that is declared off is met by none"] = new(WantBucketKey(false), Key1, "keep"),

        ["a key of another region is another key"] = new(
            Kms(new KeyRequirement.Named(Arn)),
            Live("acs:kms:cn-beijing:123:key/k-1"),
            $"apply KMS with key {Arn}"
        ),
        ["a key of another account is another key"] = new(
            Kms(new KeyRequirement.Named(Arn)),
            Live("acs:kms:cn-hangzhou:999:key/k-1"),
            $"apply KMS with key {Arn}"
        ),
        ["the vendor's key is met by its alias"] = new(WantVendorKey, Live(ManagedArn), "keep"),
        ["the alias of the vendor's key is met by no name"] = new(
            Kms(new KeyRequirement.Named("alias/aws/s3")),
            VendorKey,
            "keep"
        ),
        ["the alias of the vendor's key is met by its ARN"] = new(
            Kms(new KeyRequirement.Named("alias/aws/s3")),
            Live(ManagedArn),
            "keep"
        ),
        ["the alias of the vendor's key on AES256 is written as it is named"] = new(
            Kms(new KeyRequirement.Named("alias/aws/s3")),
            Aes,
            "apply KMS with key alias/aws/s3"
        ),
        ["the alias of the vendor's key is as weak as that key"] = new(
            WantKey1,
            Live(ManagedArn),
            "apply KMS with key k-1"
        ),
        ["the alias of the vendor's key on a named key is a downgrade"] = new(
            Kms(new KeyRequirement.Named("alias/aws/s3")),
            Key1,
            "refuse DowngradeRefused"
        ),
        ["a bucket key on the vendor's key keeps that key's spelling"] = new(
            new DesiredEncryption.Kms(new KeyRequirement.VendorDefault(), Cipher: null, BucketKeyEnabled: true),
            Live(ManagedArn),
            $"apply KMS with key {ManagedArn} and a bucket key"
        ),
        ["the vendor's key is met by the name under which the store answers it"] = new(
            Kms(new KeyRequirement.VendorDefault("default-key")),
            Live("default-key"),
            "keep"
        ),
        ["and by no other name"] = new(
            Kms(new KeyRequirement.VendorDefault("default-key")),
            Key1,
            "refuse DowngradeRefused"
        ),
        ["and still by none"] = new(Kms(new KeyRequirement.VendorDefault("default-key")), VendorKey, "keep"),
        ["a bucket key that is idle beside AES256 stays on the way to KMS"] = new(
            WantKey1,
            Aes with
            {
                IdleBucketKey = true,
            },
            "apply KMS with key k-1 and a bucket key"
        ),
        ["a bucket key that is declared off is off on that way"] = new(
            WantBucketKey(false),
            Aes with
            {
                IdleBucketKey = true,
            },
            "apply KMS with the vendor's key"
        ),
        ["an idle bucket key is no difference"] = new(WantAes, Aes with { IdleBucketKey = true }, "keep"),

        ["none on AES256 needs consent"] = new(WantNone, Aes, "refuse DowngradeRefused"),
        ["none on AES256 with consent removes"] = new(WantNone, Aes, "remove", Consent: true),
        ["AES256 on a KMS key needs consent"] = new(WantAes, Key1, "refuse DowngradeRefused"),
        ["AES256 on a KMS key with consent is applied"] = new(WantAes, Key1, "apply AES256", Consent: true),
        ["AES256 on the vendor's KMS key needs consent"] = new(WantAes, VendorKey, "refuse DowngradeRefused"),
        ["the vendor's key on a named key is a downgrade"] = new(WantVendorKey, Key1, "refuse DowngradeRefused"),
        ["the vendor's key on a named key with consent keeps the cipher"] = new(
            WantVendorKey,
            Live("k-1", DataCipher.Sm4),
            "apply KMS with the vendor's key and SM4 data encryption",
            Consent: true
        ),
        ["an unknown algorithm is never replaced by KMS without consent"] = new(
            WantKey1,
            Unknown,
            "refuse DowngradeRefused"
        ),
        ["an unknown algorithm is never replaced by AES256 without consent"] = new(
            WantAes,
            Unknown,
            "refuse DowngradeRefused"
        ),
        ["an unknown algorithm is never removed without consent"] = new(WantNone, Unknown, "refuse DowngradeRefused"),
        ["an unknown algorithm with consent is replaced"] = new(
            WantKey1,
            Unknown,
            "apply KMS with key k-1",
            Consent: true
        ),

        ["a write that may still show is waited for"] = new(
            WantAes,
            None,
            "wait",
            History: new WriteHistory("AES256", 1, Now.AddSeconds(1))
        ),
        ["a write is repeated at its time"] = new(
            WantAes,
            None,
            "apply AES256",
            History: new WriteHistory("AES256", 1, Now)
        ),
        ["the history of another declaration does not count"] = new(
            WantAes,
            None,
            "apply AES256",
            History: new WriteHistory("SM4", 5, Now.AddHours(1))
        ),
        ["a removal that may still show is waited for"] = new(
            WantNone,
            Aes,
            "wait",
            Consent: true,
            History: new WriteHistory("None", 1, Now.AddSeconds(1))
        ),
        ["a downgrade is refused before it is waited for"] = new(
            WantAes,
            Key1,
            "refuse DowngradeRefused",
            History: new WriteHistory("AES256", 1, Now.AddSeconds(1))
        ),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void Decide_follows_the_table(string sentence)
    {
        var (desired, observed, expected, consent, history) = Table[sentence];

        var plan = Planner.Decide(
            new Goal.Declared(desired, AtLeast: false, consent),
            new Observation(observed, Document: null),
            history,
            wasInSync: false,
            Now
        );

        Assert.Equal(expected, Say(plan));
    }

    private static DesiredEncryption Kms(KeyRequirement key, DataCipher? cipher = null) =>
        new DesiredEncryption.Kms(key, cipher);

    private static DesiredEncryption WantBucketKey(bool enabled) =>
        new DesiredEncryption.Kms(new KeyRequirement.Any(), Cipher: null, enabled);

    private static BucketEncryption.Kms InProject(string key, string project) => Live(key) with { ProjectId = project };

    private static BucketEncryption.Kms Live(string? key, DataCipher cipher = DataCipher.Aes256) => new(key, cipher);

    private static string Say(Plan plan) =>
        plan switch
        {
            Plan.Keep => "keep",
            Plan.Write { Removes: true } => "remove",
            Plan.Write write => $"apply {write.Target}",
            Plan.Refuse refuse => $"refuse {refuse.Failure.Code}",
            Plan.Wait => "wait",
            _ => plan.ToString(),
        };

    private sealed record Case(
        DesiredEncryption Desired,
        BucketEncryption Observed,
        string Expected,
        bool Consent = false,
        WriteHistory? History = null
    );
}
