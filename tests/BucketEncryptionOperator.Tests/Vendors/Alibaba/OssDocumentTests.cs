using System.Text;
using System.Xml;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Vendors.Alibaba;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Alibaba;

public sealed class OssDocumentTests
{
    private const string Kms = "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>"
        + "<KMSMasterKeyID>k-1</KMSMasterKeyID><KMSDataEncryption>SM4</KMSDataEncryption></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";

    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key2 = new BucketEncryption.Kms("k-2", DataCipher.Aes256);

    /// <summary>Text in the rule's innermost element → what it says, null for "no such document".</summary>
    private static readonly Dictionary<string, (string Xml, BucketEncryption? Expected)> Readings = new(StringComparer.Ordinal)
    {
        ["AES256"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["SM4"] = (Rule("<SSEAlgorithm>SM4</SSEAlgorithm>"), new BucketEncryption.Sm4()),
        ["None, as GetBucketInfo says it"] = (Rule("<SSEAlgorithm>None</SSEAlgorithm><KMSMasterKeyID></KMSMasterKeyID><KMSDataEncryption>None</KMSDataEncryption>"), new BucketEncryption.None()),
        ["KMS without a key"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm>"), new BucketEncryption.Kms(null, DataCipher.Aes256)),
        ["KMS with an empty key"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID></KMSMasterKeyID>"), new BucketEncryption.Kms(null, DataCipher.Aes256)),
        ["KMS with a blank key"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID> \n </KMSMasterKeyID>"), new BucketEncryption.Kms(null, DataCipher.Aes256)),
        ["KMS with a key and SM4"] = (Kms, new BucketEncryption.Kms("k-1", DataCipher.Sm4)),
        ["a cipher of AES256"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>AES256</KMSDataEncryption>"), new BucketEncryption.Kms(null, DataCipher.Aes256)),
        ["a cipher of None"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>None</KMSDataEncryption>"), new BucketEncryption.Kms(null, DataCipher.Aes256)),
        ["a cipher that is not known"] = (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM9</KMSDataEncryption>"), new BucketEncryption.Kms(null, DataCipher.Other)),
        ["the order does not matter"] = (Rule("<KMSDataEncryption>SM4</KMSDataEncryption><KMSMasterKeyID>k-1</KMSMasterKeyID><SSEAlgorithm>KMS</SSEAlgorithm>"), new BucketEncryption.Kms("k-1", DataCipher.Sm4)),
        ["blanks around values do not matter"] = (Rule("\n <SSEAlgorithm>\n KMS </SSEAlgorithm> <KMSMasterKeyID>\tk-1\r\n</KMSMasterKeyID>"), new BucketEncryption.Kms("k-1", DataCipher.Aes256)),
        ["unknown elements do not matter"] = (Rule("<New>x</New><SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["a default namespace does not matter"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm>").Replace("<ServerSideEncryptionRule>", "<ServerSideEncryptionRule xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">", StringComparison.Ordinal), Aes),
        ["prefixes do not matter"] = ("<a:ServerSideEncryptionRule xmlns:a=\"urn:a\"><a:ApplyServerSideEncryptionByDefault><a:SSEAlgorithm>AES256</a:SSEAlgorithm></a:ApplyServerSideEncryptionByDefault></a:ServerSideEncryptionRule>", Aes),
        ["a declaration is read over"] = ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["a byte order mark is read over"] = ("\uFEFF" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), Aes),
        ["an algorithm that is not known is a value"] = (Rule("<SSEAlgorithm>AES512</SSEAlgorithm>"), new BucketEncryption.Other("AES512")),
        ["algorithms are told apart by case"] = (Rule("<SSEAlgorithm>kms</SSEAlgorithm>"), new BucketEncryption.Other("kms")),
        ["an algorithm of absurd length is cut"] = (Rule($"<SSEAlgorithm>{new string('A', 1000)}</SSEAlgorithm>"), new BucketEncryption.Other(new string('A', 64))),

        ["a key of absurd length is not a key"] = (Rule($"<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>{new string('k', 2000)}</KMSMasterKeyID>"), null),
        ["no algorithm"] = (Rule("<KMSMasterKeyID>k-1</KMSMasterKeyID>"), null),
        ["an empty algorithm"] = (Rule("<SSEAlgorithm></SSEAlgorithm>"), null),
        ["no rule inside"] = ("<ServerSideEncryptionRule/>", null),
        ["the algorithm one level too high"] = ("<ServerSideEncryptionRule><SSEAlgorithm>AES256</SSEAlgorithm></ServerSideEncryptionRule>", null),
        ["another document"] = ("<Error><Code>InternalError</Code></Error>", null),
        ["a page of a proxy"] = ("<html><body>Welcome</body></html>", null),
        ["text"] = ("OK", null),
        ["nothing"] = ("", null),
        ["half a document"] = (Kms[..100], null),
        ["two documents"] = (Kms + Kms, null),
        ["a DTD"] = ("<!DOCTYPE a [<!ENTITY x \"AES256\">]>" + Rule("<SSEAlgorithm>&x;</SSEAlgorithm>"), null),
        ["a DTD that points outside"] = ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" + Rule("<SSEAlgorithm>AES256</SSEAlgorithm>"), null),
        ["an entity that nobody declared"] = (Rule("<SSEAlgorithm>&x;</SSEAlgorithm>"), null),
        ["a document over 64 Ki characters"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm><x>" + new string(' ', 70_000) + "</x>"), null),
        ["nesting without end"] = (string.Concat(Enumerable.Repeat("<a>", 9_000)) + string.Concat(Enumerable.Repeat("</a>", 9_000)), null),
        ["nesting without end in a rule"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm>" + string.Concat(Enumerable.Repeat("<a>", 9_000)) + string.Concat(Enumerable.Repeat("</a>", 9_000))), null),
    };

    /// <summary>Basis and target → the request.</summary>
    private static readonly Dictionary<string, (string? Basis, BucketEncryption Target, string Expected)> Writings = new(StringComparer.Ordinal)
    {
        ["AES256 from nothing"] = (null, Aes, Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")),
        ["SM4 from nothing"] = (null, new BucketEncryption.Sm4(), Rule("<SSEAlgorithm>SM4</SSEAlgorithm>")),
        ["KMS with the vendor's key names none"] = (null, new BucketEncryption.Kms(null, DataCipher.Aes256), Rule("<SSEAlgorithm>KMS</SSEAlgorithm>")),
        ["KMS in the order of the vendor's SDKs"] = (null, new BucketEncryption.Kms("k-1", DataCipher.Sm4), Kms),
        ["a key is escaped"] = (null, new BucketEncryption.Kms("a<&\"'", DataCipher.Aes256), Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>a&lt;&amp;\"'</KMSMasterKeyID>")),
        ["from KMS to AES256 the KMS elements go, known or not"] =
            (Rule("<KMSDataEncryption>SM4</KMSDataEncryption><KMSMasterKeyID>k</KMSMasterKeyID><SSEAlgorithm>KMS</SSEAlgorithm><KMSNew>x</KMSNew>"), Aes, Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")),
        ["from a key to the vendor's the key goes"] = (Kms, new BucketEncryption.Kms(null, DataCipher.Sm4), Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>")),
        ["unknown elements stay, at both levels"] =
            ("<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><New><Deep>x</Deep></New></ApplyServerSideEncryptionByDefault><Other a=\"b\"/></ServerSideEncryptionRule>",
             Key2,
             "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID><New><Deep>x</Deep></New></ApplyServerSideEncryptionByDefault><Other a=\"b\" /></ServerSideEncryptionRule>"),
        ["unknown KMS elements stay with KMS"] =
            (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSNew>x</KMSNew>"), Key2, Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID><KMSNew>x</KMSNew>")),
        ["an unknown cipher that is not declared stays"] =
            (Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>SM9</KMSDataEncryption>"), new BucketEncryption.Kms("k-2", DataCipher.Other),
             Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID><KMSDataEncryption>SM9</KMSDataEncryption>")),
        ["the answer's namespace does not go into the request"] =
            (Rule("<SSEAlgorithm>AES256</SSEAlgorithm>").Replace("<ServerSideEncryptionRule>", "<ServerSideEncryptionRule xmlns=\"urn:a\">", StringComparison.Ordinal), Key2, Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID>")),
        ["prefixes do not either"] =
            ("<a:ServerSideEncryptionRule xmlns:a=\"urn:a\"><a:ApplyServerSideEncryptionByDefault><a:SSEAlgorithm>AES256</a:SSEAlgorithm></a:ApplyServerSideEncryptionByDefault></a:ServerSideEncryptionRule>", Key2, Rule("<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k-2</KMSMasterKeyID>")),
        ["elements named twice become one"] = (Rule("<SSEAlgorithm>AES256</SSEAlgorithm><SSEAlgorithm>KMS</SSEAlgorithm>"), Aes, Rule("<SSEAlgorithm>AES256</SSEAlgorithm>")),
        ["attributes of any name do no harm"] =
            ("<ServerSideEncryptionRule xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" xml:space=\"preserve\"><ApplyServerSideEncryptionByDefault a:x=\"1\" b:x=\"2\"><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
             Aes,
             "<ServerSideEncryptionRule xml:space=\"preserve\"><ApplyServerSideEncryptionByDefault p2:x=\"1\" p3:x=\"2\" xmlns:p3=\"urn:b\" xmlns:p2=\"urn:a\"><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"),
    };

    public static TheoryData<string> ReadingSentences => new(Readings.Keys);

    public static TheoryData<string> WritingSentences => new(Writings.Keys);

    [Theory]
    [MemberData(nameof(ReadingSentences))]
    public void Read_says_what_the_document_says(string sentence)
    {
        var (xml, expected) = Readings[sentence];

        var encryption = OssDocument.Read(xml);

        Assert.Equal(expected, encryption);
    }

    [Theory]
    [MemberData(nameof(WritingSentences))]
    public void Write_changes_what_is_asked_and_keeps_the_rest(string sentence)
    {
        var (basis, target, expected) = Writings[sentence];

        var xml = OssDocument.Write(target, basis);

        Assert.Equal(expected, xml);
        Assert.Equal(target, OssDocument.Read(xml));
    }

    [Fact]
    public void Write_refuses_what_is_no_document()
    {
        Assert.Throws<ArgumentException>(() => OssDocument.Write(new BucketEncryption.None(), basis: null));
        Assert.Throws<ArgumentException>(() => OssDocument.Write(new BucketEncryption.Other("AES512"), basis: null));
    }

    /// <summary>Whatever a store sends: a value or null, and what can be read can be written.</summary>
    [Fact]
    public void No_bytes_whatever_throw()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        string[] seeds = [Kms, .. Readings.Values.Select(r => r.Xml).Where(x => x.Length is > 0 and < 1_000), .. Writings.Values.Select(w => w.Basis).OfType<string>()];

        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            var text = Spoil(random, Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]));
            var thrown = Record.Exception(() =>
            {
                if (OssDocument.Read(text) is not null)
                    new XmlDocument().LoadXml(OssDocument.Write(Key2, text));
            });
            Assert.True(thrown is null, $"seed {Seed}, case {i}: {thrown}\n{text}");
        }
    }

    private static string Spoil(Random random, byte[] bytes)
    {
        string[] scraps = ["<", ">", "&", "\"", " xmlns=\"\"", " xmlns:a=\"urn:a\"", " a:b=\"c\"", " xml:space=\"x\"", " xmlns:xml=\"y\"", "<![CDATA[", "]]>", "<!--", "-->", "<?p i?>", "&#0;", "&#xD800;", "&#x1F600;", "\0", "\uFFFE"];
        if (random.Next(4) == 0)
        {
            bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
        }
        var text = Encoding.UTF8.GetString(bytes);
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(text.Length + 1);
            text = random.Next(3) switch
            {
                0 => text[..at],
                1 => text.Insert(at, scraps[random.Next(scraps.Length)]),
                _ => text.Length == 0 ? text : text.Remove(at == text.Length ? at - 1 : at, 1),
            };
        }
        return text;
    }

    private static string Rule(string inside) =>
        $"<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
}
