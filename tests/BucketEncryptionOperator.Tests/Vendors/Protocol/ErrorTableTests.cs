using System.Net;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed class ErrorTableTests
{
    private const string All = "alibaba huawei jdcloud s3";
    private const string None = "NotConfigured";

    private static readonly AnswerContext Read = new(AnswerContext.Get);
    private static readonly AnswerContext Written = new(AnswerContext.Put);

    /// <summary>
    /// Codes, with the status that they come with and whose they are → what they mean, what the hint says, whether the
    /// key is the trouble. Sources: docs/vendors.
    /// </summary>
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
    [InlineData("XNotImplemented", 501, All, "Refused", "does not offer")]
    [InlineData("UserSuspended", 403, "s3", "Denied", "radosgw-admin user enable")]
    [InlineData("ConcurrentModification", 409, All, "Conflict", "under way")]
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
    public void A_known_code_has_a_kind_a_hint_and_a_legal_reason(
        string code,
        int status,
        string vendors,
        string kind,
        string hint = "",
        bool concernsCredentials = false
    )
    {
        foreach (var vendor in vendors.Split(' '))
        {
            var table = Dialects.All[vendor].Errors;

            var failure = table.Read(Answer(status, Error(code)), Written);

            Assert.True(ErrorTable.SaysNotConfigured(failure) == (kind == None), vendor);
            Assert.True(table.SaysNotConfigurable(failure) == (code == "FsNotSupport"), vendor);
            Assert.Equal(
                (code, (int?)status, concernsCredentials, code.Replace('.', '_')),
                (
                    failure.Code,
                    failure.HttpStatus,
                    failure.ConcernsCredentials,
                    PolicyVerdict.ToReason(failure.Code, failure.HttpStatus)
                )
            );
            if (kind == None)
                continue;
            Assert.Equal((vendor, kind), (vendor, failure.Kind.ToString()));
            Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a success that is none", 200, "Transient")]
    [InlineData("429", 429, "Throttled")]
    [InlineData("500", 500, "Transient")]
    [InlineData("501 says that it is not offered", 501, "Refused")]
    [InlineData("599", 599, "Transient")]
    [InlineData("401", 401, "Denied")]
    [InlineData("403", 403, "Denied")]
    [InlineData("400", 400, "Refused")]
    [InlineData("404 alone does not say what is missing", 404, "Refused")]
    [InlineData("409", 409, "Refused")]
    [InlineData("301", 301, "Refused")]
    public void An_unknown_code_of_the_vendors_is_judged_by_its_status(string sentence, int status, string kind)
    {
        foreach (var (vendor, dialect) in Dialects.All)
        {
            var failure = dialect.Errors.Read(Answer(status, Error("SomethingNew")), Read);

            Assert.True(
                (kind, "SomethingNew", true, false)
                    == (failure.Kind.ToString(), failure.Code, failure.IsVendorAnswer, failure.IsForeign),
                $"{sentence}, {vendor}: {failure}"
            );
            Assert.False(ErrorTable.SaysNotConfigured(failure));
            Assert.NotNull(failure.Hint);
        }
    }

    /// <summary>Gateways, proxies and other servers, with what they are known to send.</summary>
    [Theory]
    [InlineData("nothing", "")]
    [InlineData("blanks", " \r\n ")]
    [InlineData("a page", "<html><body>502 Bad Gateway</body></html>")]
    [InlineData(
        "a page in well-formed XML",
        "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>404</title></head></html>"
    )]
    [InlineData("Traefik's text", "404 page not found")]
    [InlineData("text", "upstream connect error or disconnect/reset before headers")]
    [InlineData("an error without a code", "<Error><Message>blocked</Message><RequestId>r</RequestId></Error>")]
    [InlineData("a number in place of a code", "<Error><Code>404</Code><RequestId>r</RequestId></Error>")]
    [InlineData("a sentence in place of a code", "<Error><Code>Access Denied</Code><RequestId>r</RequestId></Error>")]
    [InlineData(
        "a code that nobody knows, and nothing else of a store's",
        "<Error><Code>Blocked</Code><Message>by the firewall</Message></Error>"
    )]
    [InlineData(
        "another store's error, with its id in another place",
        "<Error><Code>AuthenticationFailed</Code><Message>m. RequestId:1</Message></Error>"
    )]
    [InlineData("a reason phrase of HTTP in XML", "<Error><Code>Unauthorized</Code><Message>m</Message></Error>")]
    [InlineData("another letter's case", "<error><code>NoSuchBucket</code></error>")]
    [InlineData(
        "a code inside of something else",
        "<ErrorResponse><Error><Code>AccessDenied</Code></Error><RequestId>r</RequestId></ErrorResponse>"
    )]
    [InlineData("half an error", "<Error><Code>AccessDenied</Code><Mess")]
    [InlineData("an API gateway's JSON", """{"code":"404","message":"no route"}""")]
    [InlineData("a number in JSON", """{"error":{"code":404,"status":"NOT_FOUND"},"requestId":"r"}""")]
    [InlineData(
        "a code in JSON that nobody knows",
        """{"error":{"code":"ResourceNotFound","message":"m","requestId":"r"}}"""
    )]
    [InlineData("a known code in JSON without a request id", """{"code":"AccessDenied","message":"m"}""")]
    [InlineData("JSON that says so elsewhere", """{"other": "NoSuchServerSideEncryptionRule"}""")]
    [InlineData("Kong's JSON", """{"message":"no Route matched with those values","request_id":"r"}""")]
    [InlineData("half of JSON", "{")]
    [InlineData("a list", "[]")]
    public void An_answer_without_the_vendors_code_is_nobodys_word_whatever_its_status(string sentence, string body)
    {
        foreach (var (vendor, dialect) in Dialects.All)
        {
            foreach (
                var status in new[]
                {
                    300,
                    301,
                    302,
                    304,
                    307,
                    400,
                    401,
                    403,
                    404,
                    405,
                    407,
                    409,
                    410,
                    418,
                    451,
                    500,
                    501,
                    502,
                    504,
                    599,
                }
            )
            {
                var failure = dialect.Errors.Read(Answer(status, body), Read);

                Assert.True(
                    failure
                        is {
                            Kind: FailureKind.Transient,
                            IsVendorAnswer: false,
                            IsForeign: true,
                            ConcernsCredentials: false,
                            Endpoint: null
                        }
                        && failure.Code == $"HTTP_{status}",
                    $"{sentence}, {vendor}, {status}: {failure}"
                );
                Assert.Contains("Something in front of the store answered", failure.Hint, StringComparison.Ordinal);
                Assert.False(ErrorTable.SaysNotConfigured(failure) || dialect.Errors.SaysNotConfigurable(failure));
            }
            Assert.Equal(FailureKind.Throttled, dialect.Errors.Read(Answer(429, body), Read).Kind);
        }
    }

    [Fact]
    public void Where_the_vendor_documents_a_503_for_too_many_requests_one_without_a_code_is_no_strangers()
    {
        var failure = Dialects.All["jdcloud"].Errors.Read(Answer(503, ""), Read);

        Assert.Equal((FailureKind.Throttled, false, false), (failure.Kind, failure.IsVendorAnswer, failure.IsForeign));
    }

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

    [Theory]
    [InlineData("seconds", "7", "", 7)]
    [InlineData("more seconds than a number holds", "99999999999999999999", "", int.MaxValue)]
    [InlineData(
        "a date, by the clock of the answer",
        "Sat, 21 Nov 2026 05:00:30 GMT",
        "Sat, 21 Nov 2026 05:00:00 GMT",
        30
    )]
    [InlineData(
        "a date without a clock beside it, by the time that was signed for",
        "Sat, 21 Nov 2026 01:48:57 GMT",
        "",
        60
    )]
    [InlineData("a date in the older form with a day's name", "Saturday, 21-Nov-26 01:48:57 GMT", "", 60)]
    [InlineData("a date in C's form", "Sat Nov 21 01:48:57 2026", "", 60)]
    [InlineData("a date that has passed", "Sat, 21 Nov 2026 01:00:00 GMT", "", 0)]
    [InlineData("neither", "soon", "", null)]
    [InlineData("a fraction, which HTTP has not", "1.5", "", null)]
    [InlineData("nothing", "", "", null)]
    public void RetryAfter_is_read_in_every_form_of_HTTPs(string sentence, string header, string date, int? seconds)
    {
        (string, string)[] headers =
            date.Length == 0 ? [("Retry-After", header)] : [("Retry-After", header), ("Date", date)];

        var failure = Dialects
            .All["s3"]
            .Errors.Read(Answer(503, Error("SlowDown"), headers), Read with { Now = Dialects.Now });

        Assert.True(
            (seconds is { } s ? TimeSpan.FromSeconds(s) : null) == failure.RetryAfter,
            $"{sentence}: {failure.RetryAfter}"
        );
    }

    [Fact]
    public void A_header_with_letters_beyond_ASCII_is_read()
    {
        // As the HTTP client gives the UTF-8 of two Chinese letters: a letter per byte.
        var failure = Dialects
            .All["huawei"]
            .Errors.Read(
                Answer(
                    403,
                    "",
                    ("x-obs-error-code", "AccessDenied"),
                    ("x-obs-error-message", "\u00e6\u008b\u0092\u00e7\u00bb\u009d")
                ),
                Read
            );

        Assert.Equal(("AccessDenied", "\u62d2\u7edd"), (failure.Code, failure.Message));
    }

    /// <summary>One code, and several owners who could help: only the text, or the number beside it, tells.</summary>
    [Theory]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>This request is forbidden by kms.</Message>",
        "kms:DescribeKey"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>You have no right to access this object because of bucket acl: kms-logs</Message>",
        "oss:GetBucketEncryption"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... must be addressed using the specified endpoint.</Message>"
            + "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>",
        "The vendor names oss-cn-beijing.aliyuncs.com."
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... must be addressed using the specified endpoint.</Message>",
        "correct the store's region and endpoint"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>... specified endpoint ...</Message><Endpoint>evil.com/ run this</Endpoint>",
        "correct the store's region and endpoint."
    )]
    [InlineData("alibaba", "AccessDenied", 403, "", "oss:GetBucketEncryption")]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>Access denied by bucket policy.</Message>",
        "The bucket's policy denies it"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<Message>Access denied by bucket policy.</Message>"
            + "<AccessDeniedDetail><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType>"
            + "<NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "A RAM policy of the key's owner denies it"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><PolicyType>ControlPolicy</PolicyType>"
            + "<NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "ask whoever runs the directory"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><NoPermissionType>ExplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "No further grant"
    )]
    [InlineData(
        "alibaba",
        "AccessDenied",
        403,
        "<AccessDeniedDetail><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType>"
            + "<NoPermissionType>ImplicitDeny</NoPermissionType></AccessDeniedDetail>",
        "Grant the key's owner"
    )]
    [InlineData(
        "alibaba",
        "PermanentRedirect",
        403,
        "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>",
        "oss-cn-beijing.aliyuncs.com"
    )]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0002-00000226</EC>", "the store's region must be the bucket's")]
    [InlineData("alibaba", "InvalidArgument", 400, "<EC>0005-00000003</EC>", "SM4 and own keys")]
    [InlineData("huawei", "AccessDenied", 403, "<Message>no permission for kms:cmk:get</Message>", "kms:cmk:list")]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>No privilege to this kms operation.</Message>",
        "kms:cmk:list"
    )]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>No privilege to this kms operation.</Message>",
        "spec.encryption.kmsProjectId"
    )]
    [InlineData(
        "huawei",
        "AccessDenied",
        403,
        "<Message>Access Denied to kms-operations-logs</Message>",
        "obs:bucket:GetEncryptionConfiguration"
    )]
    [InlineData("huawei", "InvalidArgument", 400, "<Message>contains illegal KMSMasterKeyID</Message>", "kmsProjectId")]
    [InlineData(
        "huawei",
        "PermanentRedirect",
        301,
        "<Endpoint>b.obs.cn-east-3.myhuaweicloud.com</Endpoint>",
        "b.obs.cn-east-3.myhuaweicloud.com"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey</Message>",
        "key policy"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutEncryptionConfiguration on "
            + "arn:aws:s3:::kms-logs</Message>",
        "s3.expectedBucketOwner"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>Access Denied</Message>",
        "Ceph calls them s3:GetBucketEncryption"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutEncryptionConfiguration on "
            + "resource: b with an explicit deny in a service control "
            + "policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1</Message>",
        "ask whoever runs the organisation. No further grant"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a resource "
            + "control policy</Message>",
        "A resource control policy of the organisation denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a "
            + "resource-based policy</Message>",
        "The bucket's own policy denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: kms:GenerateDataKey with an explicit deny in a resource-based "
            + "policy</Message>",
        "The policy of the KMS key denies it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in an "
            + "identity-based policy</Message>",
        "take that statement away"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a "
            + "permissions boundary</Message>",
        "whoever set the boundary"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration with an explicit deny in a VPC "
            + "endpoint policy</Message>",
        "whoever runs the network"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no service control policy "
            + "allows the s3:PutEncryptionConfiguration action</Message>",
        "organisation does not allow it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no session policy allows the "
            + "s3:PutEncryptionConfiguration action</Message>",
        "The session policy of the temporary key does not allow it"
    )]
    [InlineData(
        "s3",
        "AccessDenied",
        403,
        "<Message>not authorized to perform: s3:PutEncryptionConfiguration because no identity-based policy "
            + "allows the s3:PutEncryptionConfiguration action</Message>",
        "Grant the key's owner s3:GetEncryptionConfiguration"
    )]
    [InlineData("s3", "AuthorizationHeaderMalformed", 400, "<Region>eu-west-3</Region>", "in region eu-west-3")]
    [InlineData(
        "s3",
        "PermanentRedirect",
        301,
        "<Endpoint>b.s3.eu-west-3.amazonaws.com</Endpoint>",
        "The vendor names b.s3.eu-west-3.amazonaws.com"
    )]
    [InlineData(
        "s3",
        "PermanentRedirect",
        301,
        "<Region>evil; run this</Region>",
        "correct the store's endpoint and region"
    )]
    public void A_hint_goes_to_who_can_help(string vendor, string code, int status, string fields, string hint)
    {
        var failure = Dialects
            .All[vendor]
            .Errors.Read(Answer(status, $"<Error><Code>{code}</Code>{fields}</Error>"), Written);

        Assert.Equal(code, failure.Code);
        Assert.Contains(hint, failure.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("run this", failure.Hint, StringComparison.Ordinal);
    }

    /// <summary>What is shown of a message is cut, and long names stand before the words that tell.</summary>
    [Fact]
    public void A_hint_is_found_at_the_end_of_a_long_message()
    {
        var message =
            $"User: arn:aws:sts::1:assumed-role/{new string('r', 300)}/s is not authorized with an explicit deny in a "
            + "service control policy";

        var failure = Dialects
            .All["s3"]
            .Errors.Read(Answer(403, $"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"), Read);

        Assert.Contains("ask whoever runs the organisation", failure.Hint, StringComparison.Ordinal);
        Assert.Equal(256, failure.Message?.Length);
    }

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

    [Theory]
    [InlineData("long", 2_000, 'A')]
    [InlineData("long, of pairs that must not be cut in two", 2_000, '\uD83D')]
    public void What_is_long_is_cut(string sentence, int length, char of)
    {
        var text =
            "x" + string.Concat(Enumerable.Repeat(char.IsHighSurrogate(of) ? "\U0001F600" : of.ToString(), length));
        var body =
            $"<Error><Code>{text}</Code><Message>{text}</Message><RequestId>{text}</RequestId><EC>{text}</EC></Error>";

        var failure = Dialects.All["alibaba"].Errors.Read(Answer(403, body), Read);

        Assert.True(
            failure is { Code.Length: <= 128, Ec.Length: <= 128, RequestId.Length: <= 128, Message.Length: <= 256 },
            sentence
        );
        Assert.All(
            [failure.Code, failure.Ec, failure.RequestId, failure.Message],
            t => Assert.False(char.IsHighSurrogate(t![^1]), sentence)
        );
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
        var reason = PolicyVerdict.ToReason(code, status);

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

    internal static string Error(string code) =>
        $"<Error><Code>{code}</Code><Message>m</Message><RequestId>r</RequestId></Error>";
}
