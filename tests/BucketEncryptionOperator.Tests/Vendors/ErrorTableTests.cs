using System.Net;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Vendors;

namespace BucketEncryptionOperator.Tests.Vendors;

public sealed class ErrorTableTests
{
    private const string All = "alibaba huawei jdcloud s3";
    private const string None = "NotConfigured";

    /// <summary>Codes, with the status that they come with and whose they are → what they mean, what the hint says, whether the key is the trouble. Sources: docs/vendors.</summary>
    [Theory]
    [InlineData("NoSuchServerSideEncryptionRule", 404, All, None)]
    [InlineData("NoSuchServerSideEncryptionRule", 400, "alibaba", None)]
    [InlineData("NoSuchEncryptionConfiguration", 404, All, None)]
    [InlineData("ServerSideEncryptionConfigurationNotFoundError", 404, All, None)]
    [InlineData("FsNotSupport", 405, "huawei", "Refused", "parallel file system")]
    [InlineData("InvalidEncryptionAlgorithmError", 400, All, "Refused", "does not offer this algorithm")]
    [InlineData("InvalidEncryptionRequest", 400, "alibaba", "Refused", "combination")]
    [InlineData("InvalidArgument", 400, "alibaba", "Refused", "SM4 and own keys")]
    [InlineData("InvalidArgument", 400, "huawei s3", "Refused", "spec.encryption")]
    [InlineData("InvalidArgument", 400, "jdcloud", "Refused", "without kmsKey.id")]
    [InlineData("MalformedXML", 400, "alibaba huawei", "Refused", "bug")]
    [InlineData("MalformedXML", 400, "jdcloud", "Refused", "aws:kms")]
    [InlineData("MalformedXML", 400, "s3", "Refused", "MinIO wants kmsKey.id")]
    [InlineData("MalformedError", 400, All, "Refused", "bug")]
    [InlineData("MissingRequestBodyError", 400, All, "Refused", "bug")]
    [InlineData("InvalidRequestBody", 400, All, "Refused", "bug")]
    [InlineData("InvalidRequest", 400, "s3", "Refused", "combination")]
    [InlineData("NotImplemented", 400, "alibaba", "Refused", "does not offer")]
    [InlineData("NotImplemented", 501, "alibaba huawei jdcloud", "Refused", "does not offer")]
    [InlineData("NotImplemented", 501, "s3", "Refused", "no key service")]
    [InlineData("KmsServiceNotEnabled", 400, "alibaba", "Refused", "Activate Key Management Service")]
    [InlineData("KmsUbsmsInvalidBid", 403, "alibaba", "Refused", "Key Management Service")]
    [InlineData("KmsInDebt", 403, "alibaba", "Refused", "debt")]
    [InlineData("KmsInDebtOverdue", 403, "alibaba", "Refused", "debt")]
    [InlineData("KeyNotFound", 404, "alibaba", "Refused", "spec.encryption.kmsKey.id")]
    [InlineData("AliasNotFound", 404, "alibaba", "Refused", "spec.encryption.kmsKey.id")]
    [InlineData("KeyDisabled", 409, "alibaba", "Refused", "Enable the KMS key")]
    [InlineData("KMS.NotFoundException", 400, All, "Refused", "spec.encryption.kmsKey.id")]
    [InlineData("KMS.DisabledException", 400, All, "Refused", "Enable the KMS key")]
    [InlineData("KMS.InvalidStateException", 400, "huawei s3", "Refused", "mend the key")]
    [InlineData("KMS.AccessDeniedException", 400, "huawei", "Denied", "kms:cmk:get")]
    [InlineData("KMS.AccessDeniedException", 400, "s3", "Denied", "kms:GenerateDataKey")]
    [InlineData("KMS.ThrottlingException", 400, "s3", "Throttled", "slower")]
    [InlineData("KMS.InternalException", 500, "s3", "Transient", "key service failed")]
    [InlineData("AccessDenied", 403, "alibaba", "Denied", "oss:PutBucketEncryption")]
    [InlineData("AccessDenied", 403, "huawei", "Denied", "obs:bucket:PutEncryptionConfiguration")]
    [InlineData("AccessDenied", 403, "jdcloud", "Denied", "encryption setting")]
    [InlineData("AccessDenied", 403, "s3", "Denied", "s3:PutEncryptionConfiguration")]
    [InlineData("AllAccessDisabled", 403, "huawei s3", "Denied", "closed")]
    [InlineData("AccountProblem", 403, "s3", "Denied", "ask its owner")]
    [InlineData("DeregisterUserId", 403, "huawei", "Denied", "closed")]
    [InlineData("InArrearOrInsufficientBalance", 403, "huawei", "Denied", "arrears")]
    [InlineData("NotSignedUp", 403, "huawei", "Denied", "signed up")]
    [InlineData("NotSignedUp", 403, "s3", "Denied", "ask its owner")]
    [InlineData("Unauthorized", 403, "huawei", "Denied", "verified")]
    [InlineData("UserDisable", 403, "alibaba", "Denied", "disabled")]
    [InlineData("InDebt", 403, "alibaba", "Denied", "debt")]
    [InlineData("InvalidAccessKeyId", 403, All, "Denied", "accessKeyId", true)]
    [InlineData("SignatureDoesNotMatch", 403, All, "Denied", "accessKeySecret", true)]
    [InlineData("InvalidSecurityToken", 403, All, "Denied", "securityToken", true)]
    [InlineData("SecurityTokenExpired", 403, All, "Denied", "securityToken", true)]
    [InlineData("ExpiredToken", 400, All, "Denied", "securityToken", true)]
    [InlineData("InvalidToken", 400, "s3", "Denied", "securityToken", true)]
    [InlineData("InvalidTokenId", 403, "s3", "Denied", "securityToken", true)]
    [InlineData("TooManyWrongSignature", 400, "huawei", "Denied", "blocks this access key", true)]
    [InlineData("NoSuchBucket", 404, All, "Missing", "Create the bucket")]
    [InlineData("NoSuchBucket", 400, "alibaba", "Missing", "Create the bucket")]
    [InlineData("InvalidBucket", 404, All, "Missing", "Create the bucket")]
    [InlineData("InvalidBucketName", 400, All, "Refused", "name")]
    [InlineData("MethodNotAllowed", 405, "alibaba jdcloud s3", "Refused", "does not offer")]
    [InlineData("MethodNotAllowed", 405, "huawei", "Refused", "no default encryption")]
    [InlineData("ServiceNotSupported", 409, "huawei", "Refused", "no default encryption")]
    [InlineData("ServiceNotImplemented", 501, "huawei", "Refused", "no default encryption")]
    [InlineData("OperationAborted", 409, All, "Conflict", "under way")]
    [InlineData("InternalError", 500, All, "Transient", "failed")]
    [InlineData("ServiceUnavailable", 503, All, "Throttled", "not available")]
    [InlineData("SlowDown", 503, All, "Throttled", "slower")]
    [InlineData("SlowDownRead", 503, All, "Throttled", "slower")]
    [InlineData("SlowDownWrite", 503, All, "Throttled", "slower")]
    [InlineData("TooManyRequests", 429, All, "Throttled", "slower")]
    [InlineData("XMinioServerNotInitialized", 503, "s3", "Throttled", "starting")]
    [InlineData("MetaOperationQpsLimitExceeded", 503, "alibaba", "Throttled", "limit for bucket settings")]
    [InlineData("TotalQpsLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("QpsLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("ActiveRequestLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("UploadTrafficRateLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("DownloadTrafficRateLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("CpuLimitExceeded", 503, "alibaba", "Throttled", "limit")]
    [InlineData("SomethingNew", 503, "jdcloud", "Throttled", "slower")]
    [InlineData("RequestTimeout", 408, All, "Transient", "in time")]
    [InlineData("RequestTimeout", 400, "s3", "Transient", "in time")]
    [InlineData("BadRequest", 400, All, "Transient", "transit")]
    [InlineData("IncompleteBody", 400, All, "Transient", "cut off")]
    [InlineData("BadDigest", 400, All, "Transient", "changed")]
    [InlineData("InvalidDigest", 400, All, "Transient", "changed")]
    [InlineData("RequestTimeTooSkewed", 403, All, "Transient", "clock")]
    [InlineData("PermanentRedirect", 301, All, "Refused", "endpoint")]
    [InlineData("PermanentRedirect", 403, "alibaba", "Refused", "endpoint")]
    [InlineData("TemporaryRedirect", 307, All, "Transient", "another endpoint")]
    [InlineData("SecondLevelDomainForbidden", 403, "alibaba", "Refused", "VirtualHost")]
    [InlineData("NonStandardHostForbidden", 403, "alibaba", "Refused", "endpoint")]
    [InlineData("VirtualHostDomainRequired", 403, "huawei", "Refused", "endpoint")]
    [InlineData("AuthorizationHeaderMalformed", 400, All, "Refused", "region")]
    [InlineData("InvalidRegion", 400, All, "Refused", "region")]
    [InlineData("IllegalLocationConstraintException", 400, All, "Refused", "region")]
    [InlineData("MissingRegion", 400, All, "Refused", "region")]
    public void A_known_code_has_a_kind_a_hint_and_a_legal_reason(string code, int status, string vendors, string kind, string hint = "", bool concernsCredentials = false)
    {
        foreach (var vendor in vendors.Split(' '))
        {
            var table = Dialects.All[vendor].Errors;

            var failure = table.Read(Answer(status, Error(code)), "GetBucketEncryption");

            Assert.True(ErrorTable.SaysNotConfigured(failure) == (kind == None), vendor);
            Assert.True(table.SaysNotConfigurable(failure) == (code == "FsNotSupport"), vendor);
            Assert.Equal((code, (int?)status, concernsCredentials, code.Replace('.', '_')), (failure.Code, failure.HttpStatus, failure.ConcernsCredentials, StatusComposer.Legal(failure.Code, failure.HttpStatus)));
            if (kind == None)
                continue;
            Assert.Equal((vendor, kind), (vendor, failure.Kind.ToString()));
            Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        }
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
        foreach (var (vendor, dialect) in Dialects.All)
        {
            foreach (var body in new[] { Error("SomethingNew"), "", "<html><body>502 Bad Gateway</body></html>", "not xml", "{\"other\": \"NoSuchServerSideEncryptionRule\"}", "{", "[]" })
            {
                var failure = dialect.Errors.Read(Answer(status, body), "GetBucketEncryption");

                Assert.True(kind == failure.Kind.ToString(), $"{sentence}, {vendor}: {body}");
                Assert.Equal(body.Contains("SomethingNew", StringComparison.Ordinal) ? "SomethingNew" : $"HTTP_{status}", failure.Code);
                Assert.False(ErrorTable.SaysNotConfigured(failure));
                Assert.NotNull(failure.Hint);
            }
        }
    }

    [Theory]
    [InlineData("bare", """{"code": "NoSuchBucket", "message": "m", "requestId": "r-1"}""")]
    [InlineData("in capitals", """{"Code": "NoSuchBucket", "Message": "m", "RequestId": "r-1"}""")]
    [InlineData("in an Error", """ {"Error": {"Code": "NoSuchBucket", "Message": "m", "RequestId": "r-1", "Deep": {"Code": "x"}}}""")]
    public void An_answer_in_JSON_is_read_too(string sentence, string body)
    {
        var failure = Dialects.All["jdcloud"].Errors.Read(Answer(404, body), "GetBucketEncryption");

        Assert.True((failure.Code, failure.Message, failure.RequestId) == ("NoSuchBucket", "m", "r-1"), sentence);
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

        var failure = Dialects.All["alibaba"].Errors.Read(Answer(404, Body), "GetBucketEncryption");

        Assert.Equal(("GetBucketEncryption", "NoSuchBucket", 404), (failure.Operation, failure.Code, failure.HttpStatus));
        Assert.Equal(("The specified bucket does not exist.", "5C3D", "0015-00000101"), (failure.Message, failure.RequestId, failure.Ec));
    }

    [Fact]
    public void An_empty_body_gives_way_to_Alibaba_Clouds_header()
    {
        var encoded = Convert.ToBase64String("<Error><Code>NoSuchBucket</Code></Error>"u8);

        var failure = Dialects.All["alibaba"].Errors.Read(Answer(404, " ", ("x-oss-err", encoded), ("x-oss-request-id", "r-1"), ("x-oss-ec", "0015-00000101")), "GetBucketEncryption");

        Assert.Equal(("NoSuchBucket", "r-1", "0015-00000101"), (failure.Code, failure.RequestId, failure.Ec));
    }

    [Theory]
    [InlineData("no base64", "%%%")]
    [InlineData("base64 of no text", "/////w==")]
    [InlineData("base64 of no XML", "aGVsbG8=")]
    [InlineData("nothing", "")]
    public void A_header_that_cannot_be_read_leaves_the_status(string sentence, string header)
    {
        var failure = Dialects.All["alibaba"].Errors.Read(Answer(503, "", ("x-oss-err", header)), "GetBucketEncryption");

        Assert.True(failure is { Code: "HTTP_503", Kind: FailureKind.Transient }, sentence);
    }

    [Fact]
    public void RetryAfter_is_read_from_its_header()
    {
        var failure = Dialects.All["s3"].Errors.Read(Answer(503, Error("SlowDown"), ("Retry-After", "7")), "GetBucketEncryption");

        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
    }

    /// <summary>One code, and several owners who could help: only the text, or the number beside it, tells.</summary>
    [Theory]
    [InlineData("alibaba", "AccessDenied", 403, "<Message>This request is forbidden by kms.</Message>", "kms:DescribeKey")]
    [InlineData("alibaba", "AccessDenied", 403, "<Message>You have no right to access this object because of bucket acl: kms-logs</Message>", "oss:GetBucketEncryption")]
    [InlineData("alibaba", "AccessDenied", 403, "<Message>... must be addressed using the specified endpoint.</Message><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>", "The vendor names oss-cn-beijing.aliyuncs.com.")]
    [InlineData("alibaba", "AccessDenied", 403, "<Message>... must be addressed using the specified endpoint.</Message>", "correct the store's region and endpoint")]
    [InlineData("alibaba", "AccessDenied", 403, "<Message>... specified endpoint ...</Message><Endpoint>evil.com/ run this</Endpoint>", "correct the store's region and endpoint.")]
    [InlineData("alibaba", "AccessDenied", 403, "", "oss:GetBucketEncryption")]
    [InlineData("alibaba", "PermanentRedirect", 403, "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>", "oss-cn-beijing.aliyuncs.com")]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0002-00000226</EC>", "the store's region must be the bucket's")]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0005-00000003</EC>", "SM4 and own keys")]
    [InlineData("huawei", "AccessDenied", 403, "<Message>no permission for kms:cmk:get</Message>", "kms:cmk:list")]
    [InlineData("huawei", "InvalidArgument", 400, "<Message>contains illegal KMSMasterKeyID</Message>", "kmsProjectId")]
    [InlineData("huawei", "PermanentRedirect", 301, "<Endpoint>b.obs.cn-east-3.myhuaweicloud.com</Endpoint>", "b.obs.cn-east-3.myhuaweicloud.com")]
    [InlineData("s3", "AccessDenied", 403, "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey</Message>", "key policy")]
    [InlineData("s3", "AccessDenied", 403, "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutEncryptionConfiguration on arn:aws:s3:::kms-logs</Message>", "s3.expectedBucketOwner")]
    [InlineData("s3", "AuthorizationHeaderMalformed", 400, "<Region>eu-west-3</Region>", "in region eu-west-3")]
    [InlineData("s3", "PermanentRedirect", 301, "<Endpoint>b.s3.eu-west-3.amazonaws.com</Endpoint>", "The vendor names b.s3.eu-west-3.amazonaws.com")]
    [InlineData("s3", "PermanentRedirect", 301, "<Region>evil; run this</Region>", "correct the store's endpoint and region")]
    public void A_hint_goes_to_who_can_help(string vendor, string code, int status, string fields, string hint)
    {
        var failure = Dialects.All[vendor].Errors.Read(Answer(status, $"<Error><Code>{code}</Code>{fields}</Error>"), "GetBucketEncryption");

        Assert.Equal(code, failure.Code);
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("run this", failure.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("long", 2_000, 'A')]
    [InlineData("long, of pairs that must not be cut in two", 2_000, '\uD83D')]
    public void What_is_long_is_cut(string sentence, int length, char of)
    {
        var text = "x" + string.Concat(Enumerable.Repeat(char.IsHighSurrogate(of) ? "\U0001F600" : of.ToString(), length));
        var body = $"<Error><Code>{text}</Code><Message>{text}</Message><RequestId>{text}</RequestId><EC>{text}</EC></Error>";

        var failure = Dialects.All["alibaba"].Errors.Read(Answer(403, body), "GetBucketEncryption");

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
        Assert.Matches(HostileAnswerTests.Reason(), reason);
    }

    internal static VendorResponse Answer(int status, string body, params (string Name, string Value)[] headers)
    {
        using var message = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            message.Headers.TryAddWithoutValidation(name, value);
        return new VendorResponse((HttpStatusCode)status, body, message.Headers);
    }

    internal static string Error(string code) => $"<Error><Code>{code}</Code><Message>m</Message><RequestId>r</RequestId></Error>";
}
