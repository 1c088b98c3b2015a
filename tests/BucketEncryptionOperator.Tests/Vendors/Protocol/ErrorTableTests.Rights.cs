using BucketEncryptionOperator.Tests.Vendors.Catalog;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class ErrorTableTests
{
    [Theory]
    [InlineData(
        "a store that does not say who it is",
        "<BucketName>b</BucketName>",
        "x-amz-request-id: 4442587FB7D0A2F9",
        false,
        "s3:GetEncryptionConfiguration",
        "Ceph calls them s3:GetBucketEncryption"
    )]
    [InlineData(
        "Ceph, known by its request id",
        "<BucketName>b</BucketName>",
        "x-amz-request-id: tx000000000000000000090-005b887ffb-1c6c37f-default",
        false,
        "owner s3:GetBucketEncryption and s3:PutBucketEncryption (which",
        null
    )]
    [InlineData(
        "Ceph, with a temporary key, and a bucket named",
        "<BucketName>b</BucketName>",
        "Server: Ceph Object Gateway (squid)",
        true,
        "owner s3:GetBucketEncryption",
        null
    )]
    [InlineData(
        "Ceph, with a temporary key, and no bucket named",
        "",
        "Server: Ceph Object Gateway (squid)",
        true,
        "owner s3:GetBucketEncryption",
        "the temporary key has expired"
    )]
    [InlineData(
        "AWS, with a temporary key: it never names the bucket",
        "",
        "Server: AmazonS3",
        true,
        "owner s3:GetEncryptionConfiguration",
        null
    )]
    public void A_missing_right_is_named_in_the_stores_own_words(
        string sentence,
        string fields,
        string header,
        bool sentToken,
        string hint,
        string? besides
    )
    {
        var answer = Answer(
            403,
            $"<Error><Code>AccessDenied</Code>{fields}</Error>",
            (header.Split(": ")[0], header.Split(": ")[1])
        );

        var failure = Dialects.All["s3"].Errors.Read(answer, Read with { SentToken = sentToken });

        Assert.True(failure.Hint!.Contains(hint, StringComparison.Ordinal), $"{sentence}: {failure.Hint}");
        Assert.All(
            ["Ceph calls them", "has expired"],
            words =>
                Assert.True(
                    failure.Hint.Contains(words, StringComparison.Ordinal)
                        == besides?.Contains(words, StringComparison.Ordinal) is true,
                    $"{sentence}: {failure.Hint}"
                )
        );
    }

    [Theory]
    [InlineData("with a permanent key", "", false, true, "Refused", "region and endpoint")]
    [InlineData(
        "with a temporary key, of which Ceph says no more than this",
        "",
        true,
        true,
        "Denied",
        "session token"
    )]
    [InlineData(
        "with a temporary key, and an argument named",
        "<ArgumentName>x</ArgumentName>",
        true,
        true,
        "Refused",
        "region and endpoint"
    )]
    [InlineData(
        "with a temporary key, and a bucket named",
        "<BucketName>b</BucketName>",
        true,
        true,
        "Refused",
        "region and endpoint"
    )]
    [InlineData("of a write, which has values to refuse", "", true, false, "Refused", "spec.encryption")]
    public void InvalidArgument_of_a_read_is_no_value_of_the_policys(
        string sentence,
        string fields,
        bool sentToken,
        bool isRead,
        string kind,
        string hint
    )
    {
        var failure = Dialects
            .All["s3"]
            .Errors.Read(
                Answer(400, $"<Error><Code>InvalidArgument</Code><Message></Message>{fields}</Error>"),
                (isRead ? Read : Written) with
                {
                    SentToken = sentToken,
                }
            );

        Assert.True((kind, kind == "Denied") == (failure.Kind.ToString(), failure.ConcernsCredentials), sentence);
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
    }
}
