using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

/// <summary>The document of all vendors: most of it on Alibaba Cloud's shape, then what the others add.</summary>
public sealed class EncryptionDocumentTests
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

    private static readonly EncryptionDocument Oss = Dialects.All["alibaba"].Document;

    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key2 = new BucketEncryption.Kms("k-2", DataCipher.Aes256);

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

    /// <summary>Basis and target → the request.</summary>
    private static readonly Dictionary<string, (string? Basis, BucketEncryption Target, string Expected)> Writings =
        new(StringComparer.Ordinal)
        {
            ["AES256 from nothing"] = (null, Aes, Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")),
            ["SM4 from nothing"] = (null, new BucketEncryption.Sm4(), Rule("<SSEAlgorithm>SM4</SSEAlgorithm>")),
            ["KMS with the vendor's key names none"] = (
                null,
                new BucketEncryption.Kms(null, DataCipher.Aes256),
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm>")
            ),
            ["KMS in the order of the vendor's SDKs"] = (null, new BucketEncryption.Kms("k-1", DataCipher.Sm4), Kms),
            ["a key is escaped"] = (
                null,
                new BucketEncryption.Kms("a<&\"'", DataCipher.Aes256),
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>a&lt;&amp;\"'</KMSMasterKeyID>")
            ),
            ["from KMS to AES256 the KMS elements go, known or not"] = (
                Rule(
                    "<KMSDataEncryption>SM4</KMSDataEncryption><KMSMasterKeyID>k</KMSMasterKeyID>"
                        + "<SSEAlgorithm>KMS</SSEAlgorithm><KMSNew>x</KMSNew>"
                ),
                Aes,
                Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")
            ),
            ["from a key to the vendor's the key goes"] = (
                Kms,
                new BucketEncryption.Kms(null, DataCipher.Sm4),
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>")
            ),
            ["unknown elements stay, at both levels"] = (
                "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
                    + "<New><Deep>x</Deep></New></ApplyServerSideEncryptionByDefault>"
                    + "<Other a=\"b\"/></ServerSideEncryptionRule>",
                Key2,
                "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
                    + "<KMSMasterKeyID>k-2</KMSMasterKeyID><New><Deep>x</Deep></New>"
                    + "</ApplyServerSideEncryptionByDefault><Other a=\"b\" /></ServerSideEncryptionRule>"
            ),
            ["unknown KMS elements stay with KMS"] = (
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSNew>x</KMSNew>"),
                Key2,
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID><KMSNew>x</KMSNew>")
            ),
            ["an unknown cipher that is not declared stays"] = (
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM9</KMSDataEncryption>"),
                new BucketEncryption.Kms("k-2", DataCipher.Other),
                Rule(
                    "<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID>"
                        + "<KMSDataEncryption>SM9</KMSDataEncryption>"
                )
            ),
            ["the answer's namespace does not go into the request"] = (
                Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")
                    .Replace(
                        "<ServerSideEncryptionRule>",
                        "<ServerSideEncryptionRule xmlns=\"urn:a\">",
                        StringComparison.Ordinal
                    ),
                Key2,
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID>")
            ),
            ["prefixes do not either"] = (
                "<a:ServerSideEncryptionRule xmlns:a=\"urn:a\"><a:ApplyServerSideEncryptionByDefault>"
                    + "<a:SSEAlgorithm>AES256</a:SSEAlgorithm>"
                    + "</a:ApplyServerSideEncryptionByDefault></a:ServerSideEncryptionRule>",
                Key2,
                Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID>")
            ),
            ["elements named twice become one"] = (
                Rule("<SSEAlgorithm>AES256</SSEAlgorithm><SSEAlgorithm>KMS</SSEAlgorithm>"),
                Aes,
                Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")
            ),
            ["attributes of any name do no harm"] = (
                "<ServerSideEncryptionRule xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" xml:space=\"preserve\">"
                    + "<ApplyServerSideEncryptionByDefault a:x=\"1\" b:x=\"2\"><SSEAlgorithm>AES256</SSEAlgorithm>"
                    + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
                Aes,
                "<ServerSideEncryptionRule xml:space=\"preserve\">"
                    + "<ApplyServerSideEncryptionByDefault p2:x=\"1\" p3:x=\"2\" xmlns:p3=\"urn:b\" xmlns:p2=\"urn:a\">"
                    + "<SSEAlgorithm>AES256</SSEAlgorithm>"
                    + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"
            ),
        };

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
        ["S3's double encryption is not known"] = (
            "s3",
            Dialects.Document("s3", "<SSEAlgorithm>aws:kms:dsse</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>"),
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
            Aes,
            Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>", "<BucketKeyEnabled>true</BucketKeyEnabled>")
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

    public static TheoryData<string> Vendors => Dialects.Names;

    public static TheoryData<string> ReadingsOfOthersSentences => new(ReadingsOfOthers.Keys);

    public static TheoryData<string> WritingsOfOthersSentences => new(WritingsOfOthers.Keys);

    public static TheoryData<string> ReadingSentences => new(Readings.Keys);

    public static TheoryData<string> WritingSentences => new(Writings.Keys);

    [Theory]
    [MemberData(nameof(ReadingSentences))]
    public void Read_says_what_the_document_says(string sentence)
    {
        var (xml, expected) = Readings[sentence];

        var encryption = Oss.Read(xml);

        Assert.Equal(expected, encryption);
    }

    [Theory]
    [MemberData(nameof(WritingSentences))]
    public void Write_changes_what_is_asked_and_keeps_the_rest(string sentence)
    {
        var (basis, target, expected) = Writings[sentence];

        var xml = Oss.Write(target, basis);

        Assert.Equal(expected, xml);
        Assert.Equal(target, Oss.Read(xml));
    }

    [Fact]
    public void Write_refuses_what_is_no_document()
    {
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.None(), basis: null));
        Assert.Throws<ArgumentException>(() => Oss.Write(new BucketEncryption.Other("AES512"), basis: null));
    }

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
        List<BucketEncryption> values = [Aes, new BucketEncryption.Sm4(), .. kms];

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
