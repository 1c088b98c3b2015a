using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class EncryptionDocumentTests
{
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

    public static TheoryData<string> WritingSentences => new(Writings.Keys);

    [Theory]
    [MemberData(nameof(WritingSentences))]
    public void Write_changes_what_is_asked_and_keeps_the_rest(string sentence)
    {
        var (basis, target, expected) = Writings[sentence];

        var xml = Oss.Write(target, basis);

        Assert.Equal(expected, xml);
        Assert.Equal(target, Oss.Read(xml));
    }
}
