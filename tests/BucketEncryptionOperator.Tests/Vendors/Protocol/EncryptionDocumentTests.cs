using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

/// <summary>The document of all vendors: most of it on Alibaba Cloud's shape, then what the others add.</summary>
public sealed partial class EncryptionDocumentTests
{
    private const string AwsNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    private const string Kms =
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "<KMSMasterKeyID>k-1</KMSMasterKeyID><KMSDataEncryption>SM4</KMSDataEncryption>"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private static readonly string?[] LiveKeys = [null, "k-1", "arn:aws:kms:x:1:key/k-1"];
    private static readonly string?[] LiveProjects = [null, "p-1"];
    private static readonly DataCipher[] LiveCiphers = [DataCipher.Aes256, DataCipher.Sm4];
    private static readonly bool[] YesAndNo = [true, false];

    private static EncryptionDocument Oss => Dialects.All["alibaba"].Document;

    private static BucketEncryption Aes => new BucketEncryption.Aes256();
    private static BucketEncryption Key2 => new BucketEncryption.Kms("k-2", DataCipher.Aes256);

    /// <summary>Text in the rule's innermost element → what it says, null for "no such document".</summary>
    private static readonly Dictionary<string, (string Xml, BucketEncryption? Expected)> Readings = new(
        StringComparer.Ordinal
    )
    {
        ["AES256"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["SM4"] = (Rule("<SSEAlgorithm>SM4</SSEAlgorithm>"), new BucketEncryption.Sm4()),
        ["None, as GetBucketInfo says it"] = (
            Rule(
                "<SSEAlgorithm>None</SSEAlgorithm><KMSMasterKeyID></KMSMasterKeyID>"
                    + "<KMSDataEncryption>None</KMSDataEncryption>"
            ),
            new BucketEncryption.None()
        ),
        ["KMS without a key"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["KMS with an empty key"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID></KMSMasterKeyID>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["KMS with a blank key"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID> \n </KMSMasterKeyID>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["KMS with a key and SM4"] = (Kms, new BucketEncryption.Kms("k-1", DataCipher.Sm4)),
        ["a cipher of AES256"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>AES256</KMSDataEncryption>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["a cipher of None"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>None</KMSDataEncryption>"),
            new BucketEncryption.Kms(null, DataCipher.Aes256)
        ),
        ["a cipher that is not known"] = (
            Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM9</KMSDataEncryption>"),
            new BucketEncryption.Kms(null, DataCipher.Other)
        ),
        ["the order does not matter"] = (
            Rule(
                "<KMSDataEncryption>SM4</KMSDataEncryption><KMSMasterKeyID>k-1</KMSMasterKeyID>"
                    + "<SSEAlgorithm>KMS</SSEAlgorithm>"
            ),
            new BucketEncryption.Kms("k-1", DataCipher.Sm4)
        ),
        ["blanks around values do not matter"] = (
            Rule("\n <SSEAlgorithm>\n KMS </SSEAlgorithm> <KMSMasterKeyID>\tk-1\r\n</KMSMasterKeyID>"),
            new BucketEncryption.Kms("k-1", DataCipher.Aes256)
        ),
        ["unknown elements do not matter"] = (Rule("<New>x</New><SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["a default namespace does not matter"] = (
            Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")
                .Replace(
                    "<ServerSideEncryptionRule>",
                    "<ServerSideEncryptionRule xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">",
                    StringComparison.Ordinal
                ),
            Aes
        ),
        ["prefixes do not matter"] = (
            "<a:ServerSideEncryptionRule xmlns:a=\"urn:a\"><a:ApplyServerSideEncryptionByDefault>"
                + "<a:SSEAlgorithm>AES256</a:SSEAlgorithm>"
                + "</a:ApplyServerSideEncryptionByDefault></a:ServerSideEncryptionRule>",
            Aes
        ),
        ["a declaration is read over"] = (
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"),
            Aes
        ),
        ["a byte order mark is read over"] = ("\uFEFF" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["an algorithm that is not known is a value"] = (
            Rule("<SSEAlgorithm>AES512</SSEAlgorithm>"),
            new BucketEncryption.Other("AES512")
        ),
        ["algorithms are told apart by case"] = (
            Rule("<SSEAlgorithm>kms</SSEAlgorithm>"),
            new BucketEncryption.Other("kms")
        ),
        ["an algorithm of absurd length is cut"] = (
            Rule($"<SSEAlgorithm>{new string('A', 1000)}</SSEAlgorithm>"),
            new BucketEncryption.Other(new string('A', 64))
        ),

        ["a key of absurd length is not a key"] = (
            Rule($"<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>{new string('k', 2000)}</KMSMasterKeyID>"),
            null
        ),
        ["no algorithm"] = (Rule("<KMSMasterKeyID>k-1</KMSMasterKeyID>"), null),
        ["an empty algorithm with a key"] = (
            Rule("<SSEAlgorithm></SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>"),
            null
        ),
        ["an empty algorithm beside something unknown"] = (Rule("<SSEAlgorithm></SSEAlgorithm><New/>"), null),
        ["something unknown in place of a default"] = (
            "<ServerSideEncryptionRule><ApplyBetterEncryption/></ServerSideEncryptionRule>",
            null
        ),
        ["text in place of a default"] = ("<ServerSideEncryptionRule>AES256</ServerSideEncryptionRule>", null),
        ["an empty algorithm says nothing"] = (Rule("<SSEAlgorithm></SSEAlgorithm>"), new BucketEncryption.None()),
        ["an empty default says nothing"] = (Rule(""), new BucketEncryption.None()),
        ["no rule inside says nothing"] = ("<ServerSideEncryptionRule/>", new BucketEncryption.None()),
        ["blanks and a byte order mark before a declaration"] = (
            "\r\n\r\n\uFEFF<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"),
            Aes
        ),
        ["the algorithm one level too high"] = (
            "<ServerSideEncryptionRule><SSEAlgorithm>AES256</SSEAlgorithm></ServerSideEncryptionRule>",
            null
        ),
        ["another document"] = ("<Error><Code>InternalError</Code></Error>", null),
        ["a page of a proxy"] = ("<html><body>Welcome</body></html>", null),
        ["text"] = ("OK", null),
        ["nothing"] = ("", null),
        ["half a document"] = (Kms[..100], null),
        ["two documents"] = (Kms + Kms, null),
        ["a DTD"] = ("<!DOCTYPE a [<!ENTITY x \"AES256\">]>" + Rule("<SSEAlgorithm>&x;</SSEAlgorithm>"), null),
        ["a DTD that points outside"] = (
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"),
            null
        ),
        ["an entity that nobody declared"] = (Rule("<SSEAlgorithm>&x;</SSEAlgorithm>"), null),
        ["a document over 64 Ki characters"] = (
            Rule("<SSEAlgorithm>AES256</SSEAlgorithm><x>" + new string(' ', 70_000) + "</x>"),
            null
        ),
        ["nesting without end"] = (
            string.Concat(Enumerable.Repeat("<a>", 9_000)) + string.Concat(Enumerable.Repeat("</a>", 9_000)),
            null
        ),
        ["nesting without end in a rule"] = (
            Rule(
                "<SSEAlgorithm>AES256</SSEAlgorithm>"
                    + string.Concat(Enumerable.Repeat("<a>", 9_000))
                    + string.Concat(Enumerable.Repeat("</a>", 9_000))
            ),
            null
        ),
    };

    public static TheoryData<string> Vendors => Dialects.Names;

    public static TheoryData<string> ReadingSentences => new(Readings.Keys);

    [Theory]
    [MemberData(nameof(ReadingSentences))]
    public void Read_says_what_the_document_says(string sentence)
    {
        var (xml, expected) = Readings[sentence];

        var encryption = Oss.Read(xml);

        Assert.Equal(expected, encryption);
    }

    [Fact]
    public void Write_refuses_what_is_no_document()
    {
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.None(), basis: null));
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.Other("AES512"), basis: null));
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.Other("AES512"), Kms));
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.Dsse("k-1"), basis: null));
    }

    /// <summary>On the way from AES256 to KMS too: what the policy does not say stays as it was.</summary>
    [Fact]
    public void A_bucket_key_that_is_not_declared_survives_every_way()
    {
        var document = Dialects.All["s3"].Document;
        var live = Dialects.Document(
            "s3",
            "<SSEAlgorithm>AES256</SSEAlgorithm>",
            "<BucketKeyEnabled>true</BucketKeyEnabled>"
        );
        var kms = new DesiredEncryption.Kms(new KeyRequirement.Named("k-1"), Cipher: null);

        var toKms = document.Write(kms.TargetFrom(document.Read(live)!), live);
        var back = document.Write(new DesiredEncryption.Aes256().TargetFrom(document.Read(toKms)!), toKms);
        var off = document.Write((kms with { BucketKeyEnabled = false }).TargetFrom(document.Read(live)!), live);

        Assert.Equal(
            Dialects.Document(
                "s3",
                "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>k-1</KMSMasterKeyID>",
                "<BucketKeyEnabled>true</BucketKeyEnabled>"
            ),
            toKms
        );
        Assert.Equal(live, back);
        Assert.Contains("<BucketKeyEnabled>false</BucketKeyEnabled>", off, StringComparison.Ordinal);
    }

    /// <summary>
    /// What was written from any basis reads back as what was asked, for every pair of what the vendor has.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public void Whatever_is_written_over_whatever_was_there_reads_back(string vendor)
    {
        var document = Dialects.All[vendor].Document;
        var kms =
            from key in LiveKeys
            from cipher in LiveCiphers
            from project in key is null ? LiveProjects[..1] : LiveProjects
            from bucketKey in YesAndNo
            select (BucketEncryption)new BucketEncryption.Kms(key, cipher, project, bucketKey);
        var dsse = from key in vendor == "s3" ? LiveKeys : [] select (BucketEncryption)new BucketEncryption.Dsse(key);
        List<BucketEncryption> values = [Aes, new BucketEncryption.Sm4(), .. kms, .. dsse];

        var wrong =
            from first in values
            from second in values
            where document.Read(document.Write(second, document.Write(first, basis: null))) != second
            select $"{first} → {second}";

        Assert.Empty(wrong);
    }

    private static string Rule(string inside) =>
        $"<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>{inside}"
        + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
}
