using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class ErrorTableTests
{
    [Theory]
    [InlineData("a known code", "<Error><Code>AccessDenied</Code></Error>")]
    [InlineData(
        "a known code, behind what keeps a connection alive",
        "\r\n \r\n\uFEFF<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"
    )]
    [InlineData(
        "a code that nobody knows, with a request id",
        "<Error><Code>SomethingNew</Code><RequestId>r</RequestId></Error>"
    )]
    [InlineData(
        "a code that nobody knows, with a bucket",
        "<Error><Code>SomethingNew</Code><BucketName>b</BucketName></Error>"
    )]
    [InlineData(
        "a reason phrase of HTTP, with a request id",
        "<Error><Code>MethodNotAllowed</Code><RequestId>r</RequestId></Error>"
    )]
    [InlineData("in a namespace", "<Error xmlns=\"urn:a\"><Code>AccessDenied</Code></Error>")]
    [InlineData("with a prefix", "<a:Error xmlns:a=\"urn:a\"><a:Code>AccessDenied</a:Code></a:Error>")]
    [InlineData(
        "behind a comment and an instruction",
        "<?xml version=\"1.0\"?><!-- c --><?p i?><Error><Code>AccessDenied</Code></Error>"
    )]
    public void An_answer_in_the_vendors_form_is_the_vendors(string sentence, string body)
    {
        foreach (var dialect in Dialects.All.Values)
            Assert.True(
                dialect.Errors.Read(Answer(403, body), Read) is { IsVendorAnswer: true, IsForeign: false },
                sentence
            );
    }

    [Fact]
    public void A_request_id_in_a_header_of_the_vendors_is_as_good_as_one_in_the_body()
    {
        var failure = Dialects
            .All["s3"]
            .Errors.Read(Answer(403, "<Error><Code>SomethingNew</Code></Error>", ("x-amz-request-id", "r-1")), Read);

        Assert.Equal(("SomethingNew", true, "r-1"), (failure.Code, failure.IsVendorAnswer, failure.RequestId));
    }

    [Theory]
    [InlineData("a redirect", 302)]
    [InlineData("a failure", 500)]
    [InlineData("a good status", 200)]
    public void A_status_that_contradicts_it_makes_not_configured_unsaid(string sentence, int status)
    {
        foreach (var dialect in Dialects.All.Values)
        {
            var failure = dialect.Errors.Read(Answer(status, Error("NoSuchEncryptionConfiguration")), Read);

            Assert.True(
                failure is { Kind: FailureKind.Transient, IsVendorAnswer: true }
                    && !ErrorTable.SaysNotConfigured(failure),
                sentence
            );
        }
    }

    [Theory]
    [InlineData("bare", """{"code": "NoSuchBucket", "message": "m", "requestId": "r-1"}""")]
    [InlineData("in capitals", """{"Code": "NoSuchBucket", "Message": "m", "RequestId": "r-1"}""")]
    [InlineData(
        "in an Error",
        """ {"Error": {"Code": "NoSuchBucket", "Message": "m", "RequestId": "r-1", "Deep": {"Code": "x"}}}"""
    )]
    public void An_answer_in_JSON_is_read_too(string sentence, string body)
    {
        var failure = Dialects.All["jdcloud"].Errors.Read(Answer(404, body), Read);

        Assert.True(
            (failure.Code, failure.Message, failure.RequestId, failure.IsVendorAnswer)
                == ("NoSuchBucket", "m", "r-1", true),
            sentence
        );
    }

    [Theory]
    [InlineData("huawei")]
    [InlineData("s3")]
    public void JSON_is_not_the_word_of_a_vendor_that_writes_none(string vendor)
    {
        var failure = Dialects
            .All[vendor]
            .Errors.Read(Answer(404, """{"Code": "NoSuchBucket", "RequestId": "r-1"}"""), Read);

        Assert.Equal(("HTTP_404", false), (failure.Code, failure.IsVendorAnswer));
    }

    [Fact]
    public void Every_field_of_the_answer_is_read()
    {
        const string Body = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">
              <Code>
                 NoSuchBucket
              </Code>
              <Message>The specified bucket
            does not exist.</Message><RequestId>5C3D</RequestId><HostId>x</HostId><EC>0015-00000101</EC>
            </Error>
            """;

        var failure = Dialects.All["alibaba"].Errors.Read(Answer(404, Body), Read);

        Assert.Equal(
            ("GetBucketEncryption", "NoSuchBucket", 404),
            (failure.Operation, failure.Code, failure.HttpStatus)
        );
        Assert.Equal(
            ("The specified bucket does not exist.", "5C3D", "0015-00000101"),
            (failure.Message, failure.RequestId, failure.Ec)
        );
    }

    [Fact]
    public void An_empty_body_gives_way_to_Alibaba_Clouds_header()
    {
        var encoded = Convert.ToBase64String("<Error><Code>NoSuchBucket</Code></Error>"u8);

        var failure = Dialects
            .All["alibaba"]
            .Errors.Read(
                Answer(404, " ", ("x-oss-err", encoded), ("x-oss-request-id", "r-1"), ("x-oss-ec", "0015-00000101")),
                Read
            );

        Assert.Equal(("NoSuchBucket", "r-1", "0015-00000101"), (failure.Code, failure.RequestId, failure.Ec));
    }

    [Theory]
    [InlineData("no base64", "%%%")]
    [InlineData("base64 of no text", "/////w==")]
    [InlineData("base64 of no XML", "aGVsbG8=")]
    [InlineData("nothing", "")]
    public void A_header_that_cannot_be_read_leaves_the_status(string sentence, string header)
    {
        var failure = Dialects.All["alibaba"].Errors.Read(Answer(503, "", ("x-oss-err", header)), Read);

        Assert.True(failure is { Code: "HTTP_503", Kind: FailureKind.Transient }, sentence);
    }
}
