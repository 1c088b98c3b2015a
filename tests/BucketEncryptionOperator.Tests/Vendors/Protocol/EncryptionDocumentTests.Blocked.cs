using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class EncryptionDocumentTests
{
    private const string SseC =
        "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>";
    private const string NothingBlocked =
        "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>";

    [Theory]
    [InlineData("no element", "", null)]
    [InlineData("an empty element", "<BlockedEncryptionTypes/>", "NONE")]
    [InlineData(
        "a blank type",
        "<BlockedEncryptionTypes><EncryptionType> </EncryptionType></BlockedEncryptionTypes>",
        "NONE"
    )]
    [InlineData("its word for nothing", NothingBlocked, "NONE")]
    [InlineData("a type", SseC, "SSE-C")]
    [InlineData(
        "blanks, twice the same, another element and the word for nothing",
        "<BlockedEncryptionTypes>\n <EncryptionType>\n SSE-C </EncryptionType><New>x</New>"
            + "<EncryptionType>NONE</EncryptionType><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>",
        "SSE-C"
    )]
    [InlineData(
        "a type that is not known",
        "<BlockedEncryptionTypes><EncryptionType>SSE-X</EncryptionType><EncryptionType>SSE-C</EncryptionType>"
            + "</BlockedEncryptionTypes>",
        "SSE-C+SSE-X"
    )]
    public void What_is_blocked_is_read_beside_any_algorithm(string sentence, string xml, string? expected)
    {
        string[] algorithms = ["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx", ""];

        var read = algorithms.Select(a =>
            Dialects.All["s3"].Document.Read(Dialects.Document("s3", $"<SSEAlgorithm>{a}</SSEAlgorithm>", xml))
        );

        Assert.All(read, e => Assert.True(expected == e?.Blocked?.ToString(), $"{sentence}: {e?.Blocked}"));
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public void What_is_blocked_is_S3s_word_and_unknown_elsewhere(string vendor)
    {
        var document = Dialects.All[vendor].Document;
        var xml = Dialects.Document(vendor, $"<SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm>", SseC);

        var written = document.Write(Key2 with { Blocked = BlockedTypes.Of() }, xml);

        Assert.Equal(vendor == "s3" ? "SSE-C" : null, document.Read(xml)?.Blocked?.ToString());
        Assert.Contains(vendor == "s3" ? NothingBlocked : SseC, written, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_of_a_thousand_types_is_cut()
    {
        var types = Enumerable
            .Range(0, 1000)
            .Select(i => $"<EncryptionType>{i}{new string('x', 1000)}</EncryptionType>");
        var document = Dialects.Document(
            "s3",
            "<SSEAlgorithm>AES256</SSEAlgorithm>",
            $"<BlockedEncryptionTypes>{string.Concat(types.Take(40))}</BlockedEncryptionTypes>"
        );

        var blocked = Dialects.All["s3"].Document.Read(document)?.Blocked;

        Assert.Equal(8, blocked?.Words.Length);
        Assert.All(blocked!.Words, w => Assert.Equal(64, w.Length));
    }
}
