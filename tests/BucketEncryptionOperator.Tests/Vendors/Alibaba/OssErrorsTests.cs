using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Vendors;
using BucketEncryptionOperator.Vendors.Alibaba;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Alibaba;

public sealed partial class OssErrorsTests
{
    /// <summary>The codes that OSS answers, with the status they come with → what they mean. Sources: docs/vendors/alibaba.md.</summary>
    [Theory]
    [InlineData("InvalidEncryptionAlgorithmError", 400, "Refused", "algorithm")]
    [InlineData("InvalidEncryptionRequest", 400, "Refused", "combination")]
    [InlineData("InvalidArgument", 400, "Refused", "region")]
    [InlineData("MalformedXML", 400, "Refused", "bug")]
    [InlineData("NotImplemented", 400, "Refused", "does not offer")]
    [InlineData("NotImplemented", 501, "Refused", "does not offer")]
    [InlineData("KmsServiceNotEnabled", 400, "Refused", "Activate Key Management Service")]
    [InlineData("KmsUbsmsInvalidBid", 403, "Refused", "Key Management Service")]
    [InlineData("KmsInDebt", 403, "Refused", "debt")]
    [InlineData("KmsInDebtOverdue", 403, "Refused", "debt")]
    [InlineData("KeyNotFound", 404, "Refused", "spec.encryption.kmsKey.id")]
    [InlineData("AliasNotFound", 404, "Refused", "spec.encryption.kmsKey.id")]
    [InlineData("KeyDisabled", 409, "Refused", "Enable the KMS key")]
    [InlineData("InvalidBucketName", 400, "Refused", "name")]
    [InlineData("SecondLevelDomainForbidden", 403, "Refused", "VirtualHost")]
    [InlineData("NonStandardHostForbidden", 403, "Refused", "endpoint")]
    [InlineData("PermanentRedirect", 403, "Refused", "endpoint")]
    [InlineData("AccessDenied", 403, "Denied", "oss:PutBucketEncryption")]
    [InlineData("InvalidAccessKeyId", 403, "Denied", "accessKeyId", true)]
    [InlineData("SignatureDoesNotMatch", 403, "Denied", "accessKeySecret", true)]
    [InlineData("InvalidSecurityToken", 403, "Denied", "securityToken", true)]
    [InlineData("SecurityTokenExpired", 403, "Denied", "securityToken", true)]
    [InlineData("ExpiredToken", 400, "Denied", "securityToken", true)]
    [InlineData("UserDisable", 403, "Denied", "account")]
    [InlineData("InDebt", 403, "Denied", "debt")]
    [InlineData("NoSuchBucket", 404, "Missing", "Create the bucket")]
    [InlineData("NoSuchBucket", 400, "Missing", "Create the bucket")]
    [InlineData("OperationAborted", 409, "Conflict", "under way")]
    [InlineData("MetaOperationQpsLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("TotalQpsLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("QpsLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("ActiveRequestLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("UploadTrafficRateLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("DownloadTrafficRateLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("CpuLimitExceeded", 503, "Throttled", "limit")]
    [InlineData("SlowDown", 503, "Throttled", "slower")]
    [InlineData("ServiceUnavailable", 503, "Throttled", "not available")]
    [InlineData("InternalError", 500, "Transient", "failed")]
    [InlineData("RequestTimeout", 408, "Transient", "in time")]
    [InlineData("BadRequest", 400, "Transient", "transit")]
    [InlineData("IncompleteBody", 400, "Transient", "cut off")]
    [InlineData("BadDigest", 400, "Transient", "changed")]
    [InlineData("InvalidDigest", 400, "Transient", "changed")]
    [InlineData("RequestTimeTooSkewed", 403, "Transient", "clock")]
    [InlineData("TemporaryRedirect", 307, "Transient", "moved")]
    public void A_known_code_has_a_kind_a_hint_and_a_legal_reason(string code, int status, string kind, string hint, bool concernsCredentials = false)
    {
        var failure = OssErrors.Read(Answer(status, Error(code)), "PutBucketEncryption");

        Assert.Equal((kind, code, (int?)status), (failure.Kind.ToString(), failure.Code, failure.HttpStatus));
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.Equal(concernsCredentials, failure.ConcernsCredentials);
        Assert.Equal(code, StatusComposer.Legal(failure.Code, failure.HttpStatus));
        Assert.False(OssErrors.SaysNotConfigured(failure));
    }

    [Theory]
    [InlineData("429", 429, "Throttled")]
    [InlineData("500", 500, "Transient")]
    [InlineData("502 of a gateway", 502, "Transient")]
    [InlineData("599", 599, "Transient")]
    [InlineData("401", 401, "Denied")]
    [InlineData("403", 403, "Denied")]
    [InlineData("400", 400, "Refused")]
    [InlineData("404 alone does not say what is missing", 404, "Refused")]
    [InlineData("409", 409, "Refused")]
    [InlineData("301", 301, "Refused")]
    [InlineData("304", 304, "Refused")]
    [InlineData("100", 199, "Refused")]
    public void An_unknown_code_is_judged_by_its_status_and_is_never_taken_for_not_configured(string sentence, int status, string kind)
    {
        foreach (var body in new[] { Error("SomethingNew"), "", "<html><body>502 Bad Gateway</body></html>", "not xml", "{\"Code\": \"NoSuchServerSideEncryptionRule\"}" })
        {
            var failure = OssErrors.Read(Answer(status, body), "GetBucketEncryption");

            Assert.True(kind == failure.Kind.ToString(), $"{sentence}: {body}");
            Assert.Equal(body.Contains("SomethingNew", StringComparison.Ordinal) ? "SomethingNew" : $"HTTP_{status}", failure.Code);
            Assert.False(OssErrors.SaysNotConfigured(failure));
        }
    }

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    public void NoSuchServerSideEncryptionRule_means_not_configured_with_either_status_of_the_documentation(int status)
    {
        var failure = OssErrors.Read(Answer(status, Error("NoSuchServerSideEncryptionRule")), "GetBucketEncryption");

        Assert.True(OssErrors.SaysNotConfigured(failure));
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

        var failure = OssErrors.Read(Answer(404, Body), "GetBucketEncryption");

        Assert.Equal(("GetBucketEncryption", "NoSuchBucket", 404), (failure.Operation, failure.Code, failure.HttpStatus));
        Assert.Equal(("The specified bucket does not exist.", "5C3D", "0015-00000101"), (failure.Message, failure.RequestId, failure.Ec));
    }

    [Fact]
    public void An_empty_body_gives_way_to_the_header()
    {
        var encoded = Convert.ToBase64String("<Error><Code>NoSuchBucket</Code></Error>"u8);

        var failure = OssErrors.Read(Answer(404, " ", ("x-oss-err", encoded), ("x-oss-request-id", "r-1"), ("x-oss-ec", "0015-00000101")), "GetBucketEncryption");

        Assert.Equal(("NoSuchBucket", "r-1", "0015-00000101"), (failure.Code, failure.RequestId, failure.Ec));
    }

    [Theory]
    [InlineData("no base64", "%%%")]
    [InlineData("base64 of no text", "/////w==")]
    [InlineData("base64 of no XML", "aGVsbG8=")]
    [InlineData("nothing", "")]
    public void A_header_that_cannot_be_read_leaves_the_status(string sentence, string header)
    {
        var failure = OssErrors.Read(Answer(503, "", ("x-oss-err", header)), "GetBucketEncryption");

        Assert.True(failure is { Code: "HTTP_503", Kind: FailureKind.Transient }, sentence);
    }

    [Fact]
    public void RetryAfter_is_read_from_its_header()
    {
        var failure = OssErrors.Read(Answer(503, Error("SlowDown"), ("Retry-After", "7")), "GetBucketEncryption");

        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
    }

    [Theory]
    [InlineData("the key service says no", "This request is forbidden by kms.", null, "kms:DescribeKey")]
    [InlineData("a bucket that is named after it does not", "You have no right to access this object because of bucket acl: kms-logs", null, "oss:GetBucketEncryption")]
    [InlineData("another region", "The bucket you are attempting to access must be addressed using the specified endpoint.", "oss-cn-beijing.aliyuncs.com", "The vendor names oss-cn-beijing.aliyuncs.com.")]
    [InlineData("another region, no endpoint", "The bucket you are attempting to access must be addressed using the specified endpoint.", null, "correct the store's region and endpoint")]
    [InlineData("an endpoint that is no name", "... must be addressed using the specified endpoint ...", "evil.com/ run this", "correct the store's region and endpoint.")]
    [InlineData("no text at all", null, null, "oss:GetBucketEncryption")]
    public void AccessDenied_has_three_owners(string sentence, string? message, string? endpoint, string hint)
    {
        var body = $"<Error><Code>AccessDenied</Code>{(message is null ? "" : $"<Message>{message}</Message>")}{(endpoint is null ? "" : $"<Endpoint>{endpoint}</Endpoint>")}</Error>";

        var failure = OssErrors.Read(Answer(403, body), "GetBucketEncryption");

        Assert.True(failure.Kind == FailureKind.Denied && failure.Hint?.Contains(hint, StringComparison.Ordinal) == true, $"{sentence}: {failure.Hint}");
        Assert.DoesNotContain("evil", failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("long", 2_000, 'A')]
    [InlineData("long, of pairs that must not be cut in two", 2_000, '\uD83D')]
    public void What_is_long_is_cut(string sentence, int length, char of)
    {
        var text = "x" + string.Concat(Enumerable.Repeat(char.IsHighSurrogate(of) ? "\U0001F600" : of.ToString(), length));
        var body = $"<Error><Code>{text}</Code><Message>{text}</Message><RequestId>{text}</RequestId><EC>{text}</EC></Error>";

        var failure = OssErrors.Read(Answer(403, body), "GetBucketEncryption");

        Assert.True(failure is { Code.Length: <= 128, Ec.Length: <= 128, RequestId.Length: <= 128, Message.Length: <= 256 }, sentence);
        Assert.All([failure.Code, failure.Ec, failure.RequestId, failure.Message], t => Assert.False(char.IsHighSurrogate(t![^1]), sentence));
    }

    [Theory]
    [InlineData("a dot", "KMS.NotFoundException", 400, "KMS_NotFoundException")]
    [InlineData("blanks", "Access Denied", 403, "Access_Denied")]
    [InlineData("digits first", "0003-00000001", 403, "HTTP_403")]
    [InlineData("nothing but signs", "!!!", 400, "HTTP_400")]
    [InlineData("other letters", "\u62d2\u7edd", 403, "HTTP_403")]
    [InlineData("a newline", "A\nB", 403, "A_B")]
    [InlineData("signs at the ends", "-A-", 403, "A")]
    [InlineData("nothing, no status", "", null, "Unspecified")]
    public void A_code_becomes_a_legal_reason(string sentence, string code, int? status, string expected)
    {
        var reason = StatusComposer.Legal(code, status);

        Assert.True(expected == reason, $"{sentence}: {reason}");
        Assert.Matches(Reason(), reason);
    }

    [Fact]
    public void No_answer_whatever_throws_or_gives_an_illegal_reason()
    {
        const int Seed = 4;
        var random = new Random(Seed);
        var seed = Error("AccessDenied");
        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            var body = new StringBuilder(seed);
            for (var changes = random.Next(6); changes > 0; changes--)
                body[random.Next(body.Length)] = (char)random.Next(1, 0x300);
            if (random.Next(3) == 0)
                body.Length = random.Next(body.Length);
            var header = random.Next(2) == 0 ? Convert.ToBase64String(Encoding.UTF8.GetBytes(body.ToString())) : "=" + random.Next();
            var answer = Answer(random.Next(300, 600), random.Next(2) == 0 ? body.ToString() : "", ("x-oss-err", header));

            var failure = OssErrors.Read(answer, "GetBucketEncryption");

            Assert.True(Reason().IsMatch(StatusComposer.Legal(failure.Code, failure.HttpStatus)), $"seed {Seed}, case {i}: {failure.Code}");
        }
    }

    private static VendorResponse Answer(int status, string body, params (string Name, string Value)[] headers)
    {
        using var message = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            message.Headers.TryAddWithoutValidation(name, value);
        return new VendorResponse((HttpStatusCode)status, body, message.Headers);
    }

    private static string Error(string code) => $"<Error><Code>{code}</Code><Message>m</Message><RequestId>r</RequestId></Error>";

    [GeneratedRegex("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?\\z")]
    private static partial Regex Reason();
}
