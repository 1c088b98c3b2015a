using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class EncryptionDocumentTests
{
    /// <summary>Vendor and document → what it says.</summary>
    private static readonly Dictionary<
        string,
        (string Vendor, string Xml, BucketEncryption? Expected)
    > ReadingsOfOthers = new(StringComparer.Ordinal)
    {
        ["OBS says kms"] = (
            "huawei",
            Dialects.Document("huawei", "<SSEAlgorithm>kms</SSEAlgorithm>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["OBS may say aws:kms"] = (
            "huawei",
            Dialects.Document("huawei", "<SSEAlgorithm>aws:kms</SSEAlgorithm>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["OBS with all that it has, in its own namespace and another order"] = (
            "huawei",
            "<ServerSideEncryptionConfiguration xmlns=\"http://obs.eu-west-101.myhuaweicloud.eu/doc/2015-06-30/\">"
                + "<Rule><BucketKeyEnabled>true</BucketKeyEnabled><ApplyServerSideEncryptionByDefault>"
                + "<ProjectID>p-1</ProjectID><KMSDataEncryption>SM4</KMSDataEncryption>"
                + "<KMSMasterKeyID>r:d:key/k-1</KMSMasterKeyID><SSEAlgorithm>kms</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            new BucketEncryption.Kms("r:d:key/k-1", DataCipher.Sm4, "p-1", BucketKeyEnabled: true)
        ),
        ["a project without a key is none"] = (
            "huawei",
            Dialects.Document("huawei", "<SSEAlgorithm>kms</SSEAlgorithm><ProjectID>p-1</ProjectID>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["a bucket key that is off is none"] = (
            "huawei",
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm>",
                "<BucketKeyEnabled>false</BucketKeyEnabled>"
            ),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["a bucket key beside AES256 says nothing"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>AES256</SSEAlgorithm>",
                "<BucketKeyEnabled>false</BucketKeyEnabled>"
            ),
            Aes
        ),
        ["S3 without a namespace"] = (
            "s3",
            Dialects.Document("jdcloud", "<SSEAlgorithm>aws:kms</SSEAlgorithm>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["S3's double encryption"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"),
            new BucketEncryption.Dsse("k")
        ),
        ["with the vendor's key, and a bucket key that is idle"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            new BucketEncryption.Dsse(null)
        ),
        ["S3's double encryption is not OBS's"] = (
            "huawei",
            Dialects.Document("huawei", "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>"),
            new BucketEncryption.Other("aws:kms:dsse")
        ),
        ["the native word is not S3's"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>kms</SSEAlgorithm>"),
            new BucketEncryption.Other("kms")
        ),
        ["JD with a declaration and no namespace"] = (
            "jdcloud",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                + Dialects.Document("jdcloud", "<SSEAlgorithm>aws:kms</SSEAlgorithm>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["two rules: nobody has said which counts"] = (
            "s3",
            Dialects
                .Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>")
                .Replace("</Rule>", "</Rule><Rule/>", StringComparison.Ordinal),
            null
        ),
        ["a rule without a default says nothing"] = (
            "s3",
            "<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>",
            new BucketEncryption.None()
        ),
        ["a rule that only blocks says nothing of a default"] = (
            "s3",
            "<ServerSideEncryptionConfiguration><Rule>"
                + "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
                + "</Rule></ServerSideEncryptionConfiguration>",
            new BucketEncryption.None()
        ),
        ["no rule says nothing"] = ("s3", "<ServerSideEncryptionConfiguration/>", new BucketEncryption.None()),
        ["something unknown beside no rule"] = (
            "s3",
            "<ServerSideEncryptionConfiguration><Policy>x</Policy></ServerSideEncryptionConfiguration>",
            null
        ),
        ["another vendor's document"] = ("s3", Kms, null),
        ["a project of absurd length"] = (
            "huawei",
            Dialects.Document(
                "huawei",
                $"<SSEAlgorithm>kms</SSEAlgorithm><ProjectID>{new string('p', 2000)}</ProjectID>"
            ),
            null
        ),
    };

    /// <summary>Vendor, basis and target → the request.</summary>
    private static readonly Dictionary<
        string,
        (string Vendor, string? Basis, BucketEncryption Target, string Expected)
    > WritingsOfOthers = new(StringComparer.Ordinal)
    {
        ["S3 from nothing has S3's namespace"] = (
            "s3",
            null,
            Aes,
            $"<ServerSideEncryptionConfiguration xmlns=\"{AwsNamespace}\"><Rule>"
                + "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        ),
        ["OBS from nothing has none, and its SDK's order"] = (
            "huawei",
            null,
            new BucketEncryption.Kms("k-1", DataCipher.Sm4, "p-1", BucketKeyEnabled: true),
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>"
                    + "<KMSDataEncryption>SM4</KMSDataEncryption><ProjectID>p-1</ProjectID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            )
        ),
        ["what AWS adds stays at every level"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID><New/>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
                    + "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
            ),
            new BucketEncryption.Kms("k-2", DataCipher.Aes256, BucketKeyEnabled: true),
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID><New />",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
                    + "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
            )
        ),
        ["from KMS to AES256 all of KMS goes, and nothing else"] = (
            "huawei",
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID><KMSNew>x</KMSNew>"
                    + "<ProjectID>p</ProjectID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled><BucketKeyRotationPeriod>7</BucketKeyRotationPeriod>"
                    + "<Other>x</Other>"
            ),
            Aes,
            Dialects.Document("huawei", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<Other>x</Other>")
        ),
        ["a rotation period stays with KMS"] = (
            "huawei",
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm>",
                "<BucketKeyEnabled>true</BucketKeyEnabled><BucketKeyRotationPeriod>7</BucketKeyRotationPeriod>"
            ),
            new BucketEncryption.Kms("k-1", DataCipher.Aes256, BucketKeyEnabled: true),
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled><BucketKeyRotationPeriod>7</BucketKeyRotationPeriod>"
            )
        ),
        ["a bucket key is turned off by its word"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            new BucketEncryption.Kms(null, DataCipher.Aes256),
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
                "<BucketKeyEnabled>false</BucketKeyEnabled>"
            )
        ),
        ["a bucket key that is off already stays in its spelling"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm>",
                "<BucketKeyEnabled>FALSE</BucketKeyEnabled>"
            ),
            new BucketEncryption.Kms("k", DataCipher.Aes256),
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>",
                "<BucketKeyEnabled>FALSE</BucketKeyEnabled>"
            )
        ),
        ["a key's project goes with it"] = (
            "huawei",
            Dialects.Document(
                "huawei",
                "<SSEAlgorithm>kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID><ProjectID>p</ProjectID>"
            ),
            new BucketEncryption.Kms(null, DataCipher.Aes256),
            Dialects.Document("huawei", "<SSEAlgorithm>kms</SSEAlgorithm>")
        ),
        ["S3 keeps a bucket key that is idle beside AES256"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            Aes with
            {
                IdleBucketKey = true,
            },
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<BucketKeyEnabled>true</BucketKeyEnabled>")
        ),
        ["S3 drops a bucket key beside AES256 where the target has none"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<BucketKeyEnabled>true</BucketKeyEnabled>"),
            Aes,
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>")
        ),
        ["what only blocks stays beside a new default"] = (
            "s3",
            "<ServerSideEncryptionConfiguration><Rule>"
                + "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
                + "</Rule></ServerSideEncryptionConfiguration>",
            Aes,
            $"<ServerSideEncryptionConfiguration xmlns=\"{AwsNamespace}\"><Rule>"
                + "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
                + "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        ),
        ["double encryption from nothing"] = (
            "s3",
            null,
            new BucketEncryption.Dsse("k-1") { Blocked = BlockedTypes.Of("SSE-C") },
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>",
                SseC
            )
        ),
        ["double encryption switches a bucket key off"] = (
            "s3",
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID><New />",
                "<BucketKeyEnabled>true</BucketKeyEnabled>" + SseC
            ),
            new BucketEncryption.Dsse("k-1"),
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID><New />",
                "<BucketKeyEnabled>false</BucketKeyEnabled>" + SseC
            )
        ),
        ["from double encryption to AES256 the key goes"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>"),
            Aes,
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>")
        ),
        ["a block that is asked for replaces another"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", NothingBlocked + "<New />"),
            Aes with
            {
                Blocked = BlockedTypes.Of("SSE-C"),
            },
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<New />" + SseC)
        ),
        ["nothing blocked has a word"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", SseC),
            Aes with
            {
                Blocked = BlockedTypes.Of(),
            },
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", NothingBlocked)
        ),
        ["a block that is there already stays as it was said"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", SseC + SseC),
            Aes with
            {
                Blocked = BlockedTypes.Of("SSE-C"),
            },
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", SseC + SseC)
        ),
        ["an unknown algorithm stays beside a new block"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>aws:fsx</SSEAlgorithm><New />"),
            new BucketEncryption.Other("aws:fsx") { Blocked = BlockedTypes.Of("SSE-C") },
            Dialects.Document("s3", "<SSEAlgorithm>aws:fsx</SSEAlgorithm><New />", SseC)
        ),
        ["a rule that is missing is made"] = (
            "huawei",
            "<ServerSideEncryptionConfiguration><Other/></ServerSideEncryptionConfiguration>",
            Aes,
            "<ServerSideEncryptionConfiguration><Other /><Rule><ApplyServerSideEncryptionByDefault>"
                + "<SSEAlgorithm>AES256</SSEAlgorithm>"
                + "</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        ),
        ["what is no such document is no basis"] = (
            "jdcloud",
            "<Error/>",
            new BucketEncryption.Kms(null, DataCipher.Aes256),
            Dialects.Document("jdcloud", "<SSEAlgorithm>aws:kms</SSEAlgorithm>")
        ),
    };

    public static TheoryData<string> ReadingsOfOthersSentences => new(ReadingsOfOthers.Keys);

    public static TheoryData<string> WritingsOfOthersSentences => new(WritingsOfOthers.Keys);

    [Theory]
    [MemberData(nameof(ReadingsOfOthersSentences))]
    public void Read_says_what_the_others_documents_say(string sentence)
    {
        var (vendor, xml, expected) = ReadingsOfOthers[sentence];

        var encryption = Dialects.All[vendor].Document.Read(xml);

        Assert.Equal(expected, encryption);
    }

    [Theory]
    [MemberData(nameof(WritingsOfOthersSentences))]
    public void Write_changes_what_is_asked_in_the_others_documents_and_keeps_the_rest(string sentence)
    {
        var (vendor, basis, target, expected) = WritingsOfOthers[sentence];
        var document = Dialects.All[vendor].Document;

        var xml = document.Write(target, basis);

        Assert.Equal(expected, xml);
        Assert.Equal(target, document.Read(xml));
        Assert.Equal(target.Blocked ?? document.Read(xml)?.Blocked, document.Read(xml)?.Blocked);
    }
}
