using System.Net;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Protocol;

public sealed partial class ErrorTableTests
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
    [InlineData("InvalidToken", 400, All, "Denied", "securityToken", true)]
    [InlineData("InvalidTokenId", 403, All, "Denied", "securityToken", true)]
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
