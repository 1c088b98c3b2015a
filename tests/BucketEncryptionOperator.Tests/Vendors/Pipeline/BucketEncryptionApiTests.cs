using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

/// <summary>
/// The three operations over the wire, for each vendor. An address of its own (CName) lets every dialect speak to
/// loopback.
/// </summary>
public sealed class BucketEncryptionApiTests : IDisposable
{
    private const string NothingConfigured =
        "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>";
    private const string Skewed = "<Error><Code>RequestTimeTooSkewed</Code></Error>";

    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly Observation Nothing = new(new BucketEncryption.None(), Document: null);

    private readonly ManualTimeProvider _time = new(Dialects.Now);
    private readonly VendorHttp _http;
    private readonly VendorLimits _limits;

    public BucketEncryptionApiTests() =>
        (_http, _limits) = (new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time), new VendorLimits(_time));

    public static TheoryData<string> Vendors => Dialects.Names;

    public static TheoryData<string, int, string> NotConfigured =>
        new()
        {
            { "alibaba", 404, "NoSuchServerSideEncryptionRule" },
            { "alibaba", 400, "NoSuchServerSideEncryptionRule" },
            { "huawei", 404, "NoSuchEncryptionConfiguration" },
            { "huawei", 405, "FsNotSupport" },
            { "jdcloud", 404, "NoSuchServerSideEncryptionRule" },
            { "jdcloud", 404, "NoSuchEncryptionConfiguration" },
            { "jdcloud", 404, "ServerSideEncryptionConfigurationNotFoundError" },
            { "s3", 404, "ServerSideEncryptionConfigurationNotFoundError" },
        };

    public void Dispose()
    {
        _http.Dispose();
        _limits.Dispose();
    }

    /// <summary>The golden files show what was built; this shows that the same goes over the wire.</summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task What_is_built_is_what_is_sent(string vendor)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200));
        var dialect = Dialects.All[vendor];
        var target = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

        await Api(vendor).PutAsync(At(server), Dialects.Temporary, Api(vendor).Write(target, Nothing));

        using var built = dialect.Sign(
            new UnsignedRequest(
                HttpMethod.Put,
                At(server),
                Dialects.Temporary,
                dialect.Document.Write(target, null),
                Dialects.Now
            )
        );
        var lines = Assert
            .Single(server.Requests)
            .Split("\r\n")
            .Where(l => !l.StartsWith("User-Agent", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        Assert.Equal(
            (await Dialects.TextAsync(built)).Split('\n').Order(StringComparer.Ordinal).Where(l => l.Length > 0),
            lines.Where(l => l.Length > 0)
        );
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_message_that_repeats_the_token_is_not_passed_on(string vendor)
    {
        var key = Dialects.Temporary with { SecurityToken = "a-longer-token" };
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(
                403,
                $"<Error><Code>AccessDenied</Code><Message>{key.SecurityToken} may not</Message></Error>"
            )
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).GetAsync(At(server), key, CancellationToken.None)
        );

        Assert.Equal(("AccessDenied", null), (thrown.Failure.Code, thrown.Failure.Message));
    }

    /// <summary>
    /// Real tokens are longer than any text that is kept: what is left of one in a text that was cut is a part of it.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task No_text_of_a_failure_repeats_the_key_whatever_the_endpoint_says(string vendor)
    {
        var key = new AccessKey(
            "AKIA-an-id",
            "a/secret+that-nobody/may=see",
            string.Concat(Enumerable.Range(1000, 200))
        );
        foreach (var said in new[] { key.Id, key.Secret, key.SecurityToken!, key.SecurityToken![100..] })
        {
            foreach (
                var body in new[]
                {
                    $"<Error><Code>AccessDenied</Code><Message>you said {said}, no</Message></Error>",
                    $"<Error><Code>{said}</Code></Error>",
                    $"<Error><Code>AccessDenied</Code><RequestId>{said}</RequestId><EC>{said}</EC></Error>",
                    "<Error><Code>PermanentRedirect</Code>"
                        + $"<Endpoint>{said[..Math.Min(said.Length, 60)].Replace("/", "", StringComparison.Ordinal)}"
                        + "</Endpoint></Error>",
                    "<Error><Code>AuthorizationHeaderMalformed</Code>"
                        + $"<Region>{said[..Math.Min(said.Length, 60)]}</Region></Error>",
                    "",
                }
            )
            {
                var header = $"{said[..Math.Min(said.Length, 500)]}";
                await using var server = new ScriptedServer(_ =>
                    ScriptedServer.Answer(
                        403,
                        body,
                        $"x-oss-request-id: {header}",
                        $"x-amz-request-id: {header}",
                        $"x-obs-request-id: {header}",
                        $"x-oss-ec: {header}",
                        $"x-amz-bucket-region: {header}"
                    )
                );

                var thrown = await Assert.ThrowsAsync<VendorException>(() =>
                    Api(vendor).GetAsync(At(server), key, CancellationToken.None)
                );

                AssertSaysNothing(key, thrown);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task An_answer_that_repeats_the_secrets_is_not_taken_for_what_a_bucket_has(string vendor)
    {
        var key = Dialects.Temporary;
        var body = Dialects.Document(
            vendor,
            $"<KMSMasterKeyID>{key.SecurityToken}</KMSMasterKeyID><SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm>"
        );
        foreach (var answer in new[] { body, "not a document" })
        {
            await using var server = new ScriptedServer(_ =>
                ScriptedServer.Answer(
                    200,
                    answer,
                    $"x-oss-request-id: {key.Secret}",
                    $"x-amz-request-id: {key.Secret}",
                    $"x-obs-request-id: {key.Secret}"
                )
            );

            var thrown = await Assert.ThrowsAsync<VendorException>(() =>
                Api(vendor).GetAsync(At(server), key, CancellationToken.None)
            );

            Assert.Equal((FailureKind.Transient, "UnreadableAnswer"), (thrown.Failure.Kind, thrown.Failure.Code));
            AssertSaysNothing(key, thrown);
        }
    }

    private static void AssertSaysNothing(AccessKey key, VendorException thrown)
    {
        var text = $"{thrown} {thrown.Failure}";
        Assert.DoesNotContain(key.Id, text, StringComparison.Ordinal);
        foreach (var hidden in new[] { key.Secret, key.SecurityToken! })
        {
            for (var i = 0; i + 16 <= hidden.Length; i++)
                Assert.DoesNotContain(hidden.Substring(i, 16), text, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// It was good when the work on the policy began; the turn came a minute before its end by the vendor's clock.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_temporary_key_that_is_over_is_not_sent(string vendor)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(500));
        var key = Dialects.Temporary with
        {
            Lifetime = new KeyLifetime(TimeSpan.FromHours(1), _time.GetTimestamp(), _time),
        };
        _time.Advance(TimeSpan.FromMinutes(59));

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).GetAsync(At(server), key, CancellationToken.None)
        );

        Assert.Equal(
            (FailureKind.Transient, "KeyExpired", true),
            (thrown.Failure.Kind, thrown.Failure.Code, thrown.Failure.ConcernsCredentials)
        );
        Assert.Empty(server.Requests);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Get_gives_what_the_bucket_has_and_the_document(string vendor)
    {
        var body = Dialects.Document(
            vendor,
            $"<KMSMasterKeyID>k-1</KMSMasterKeyID><SSEAlgorithm>{Dialects.Kms(vendor)}</SSEAlgorithm>"
        );
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200, body));

        var observation = await GetAsync(vendor, server);

        Assert.Equal(new Observation(new BucketEncryption.Kms("k-1", DataCipher.Aes256), body), observation);
    }

    [Theory]
    [MemberData(nameof(NotConfigured))]
    public async Task Get_of_a_bucket_without_encryption_is_a_value(string vendor, int status, string code)
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(status, $"<Error><Code>{code}</Code></Error>")
        );

        var observation = await GetAsync(vendor, server);

        Assert.Equal(Nothing, observation with { NotConfigured = null });
        Assert.Equal((status, code), (observation.NotConfigured!.HttpStatus, observation.NotConfigured.Code));
    }

    [Theory]
    [MemberData(nameof(NotConfigured))]
    public async Task Delete_of_nothing_is_done_unless_nothing_can_be_configured(string vendor, int status, string code)
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(status, $"<Error><Code>{code}</Code></Error>")
        );

        var thrown = await Record.ExceptionAsync(() => Api(vendor).DeleteAsync(At(server), Dialects.Key));

        Assert.Equal(code == "FsNotSupport" ? "FsNotSupport" : null, (thrown as VendorException)?.Failure.Code);
    }

    [Theory]
    [MemberData(nameof(NotConfigured))]
    public async Task Put_never_takes_not_configured_for_done(string vendor, int status, string code)
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(status, $"<Error><Code>{code}</Code></Error>")
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).PutAsync(At(server), Dialects.Key, Api(vendor).Write(Aes, Nothing))
        );

        Assert.Equal(("PutBucketEncryption", code), (thrown.Failure.Operation, thrown.Failure.Code));
    }

    [Theory]
    [InlineData("alibaba", "x-oss-request-id")]
    [InlineData("huawei", "x-obs-request-id")]
    [InlineData("jdcloud", "x-req-id")]
    [InlineData("s3", "x-amz-request-id")]
    public async Task Get_of_anything_else_is_a_failure_with_the_request_id(string vendor, string requestId)
    {
        (string Sentence, int Status, string Body, string Kind, string Code)[] cases =
        [
            ("no such bucket", 404, "<Error><Code>NoSuchBucket</Code></Error>", "Missing", "NoSuchBucket"),
            ("a page of a proxy in place of an answer", 200, "<html></html>", "Transient", "UnreadableAnswer"),
            ("nothing in place of an answer", 200, "", "Transient", "UnreadableAnswer"),
            (
                "not configured, with a good status",
                200,
                "<Error><Code>NoSuchEncryptionConfiguration</Code></Error>",
                "Transient",
                "NoSuchEncryptionConfiguration"
            ),
            ("an error with a good status", 200, "<Error><Code>AccessDenied</Code></Error>", "Denied", "AccessDenied"),
            ("404 without a word", 404, "", "Transient", "HTTP_404"),
            (
                "the answer to another question",
                200,
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name></ListBucketResult>",
                "Refused",
                "EncryptionNotOffered"
            ),
            (
                "a document with something in it that nobody knows, and no algorithm",
                200,
                Dialects
                    .Document(vendor, "<SSEAlgorithm>AES256</SSEAlgorithm>", "<Unknown>x</Unknown>")
                    .Replace("AES256", "", StringComparison.Ordinal),
                "Refused",
                "DocumentNotUnderstood"
            ),
        ];

        foreach (var (sentence, status, body, kind, code) in cases)
        {
            await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status, body, requestId + ": r-1"));

            var thrown = await Assert.ThrowsAsync<VendorException>(() => GetAsync(vendor, server));

            var failure = thrown.Failure;
            Assert.True((kind, code) == (failure.Kind.ToString(), failure.Code), sentence);
            Assert.Equal(
                ("GetBucketEncryption", status, "r-1"),
                (failure.Operation, failure.HttpStatus, failure.RequestId)
            );
        }
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Put_starts_from_what_was_read(string vendor)
    {
        var read = Dialects.Document(
            vendor,
            "<SSEAlgorithm>AES256</SSEAlgorithm><New>x</New>",
            "<BlockedEncryptionTypes><EncryptionType>y</EncryptionType></BlockedEncryptionTypes>"
        );
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200));

        await Api(vendor)
            .PutAsync(
                At(server),
                Dialects.Key,
                Api(vendor).Write(new BucketEncryption.Kms(null, DataCipher.Aes256), new Observation(Aes, read))
            );

        Assert.EndsWith(
            "\r\n\r\n" + read.Replace("AES256", Dialects.Kms(vendor), StringComparison.Ordinal),
            Assert.Single(server.Requests),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Delete_takes_any_good_status(string vendor)
    {
        foreach (var status in new[] { 200, 204 })
        {
            await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status));

            await Api(vendor).DeleteAsync(At(server), Dialects.Key);

            Assert.StartsWith(
                "DELETE /?encryption HTTP/1.1\r\n",
                Assert.Single(server.Requests),
                StringComparison.Ordinal
            );
        }
    }

    /// <summary>
    /// A store answers a write with nothing. What else comes with a good status is an error, or somebody else's.
    /// </summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_write_is_done_only_when_its_answer_is_empty(string vendor)
    {
        (string Sentence, string Body, string? Kind, string? Code)[] cases =
        [
            ("nothing", "", null, null),
            ("blanks and a byte order mark", "\r\n\uFEFF \n", null, null),
            ("an error", "<Error><Code>InternalError</Code></Error>", "Transient", "InternalError"),
            (
                "an error behind blanks",
                "\r\n<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
                "Denied",
                "AccessDenied"
            ),
            (
                "an error that nobody knows",
                "<Error><Code>SomethingNew</Code><RequestId>r</RequestId></Error>",
                "Transient",
                "SomethingNew"
            ),
            ("a page", "<html><body>Please log in</body></html>", "Transient", "UnreadableAnswer"),
            ("JSON", "{\"ok\":true}", "Transient", "UnreadableAnswer"),
            (
                "a list of objects",
                "<ListBucketResult><Name>b</Name></ListBucketResult>",
                "Transient",
                "UnreadableAnswer"
            ),
            ("half an error", "<Error><Code>Acc", "Transient", "UnreadableAnswer"),
        ];

        foreach (var (sentence, body, kind, code) in cases)
        {
            await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200, body));
            var api = Api(vendor);

            var put = await Record.ExceptionAsync(() =>
                api.PutAsync(At(server), Dialects.Key, api.Write(Aes, Nothing))
            );
            var delete = await Record.ExceptionAsync(() => api.DeleteAsync(At(server), Dialects.Key));

            foreach (var failure in new[] { put, delete }.Select(e => (e as VendorException)?.Failure))
                Assert.True((kind, code) == (failure?.Kind.ToString(), failure?.Code), $"{sentence}: {failure}");
        }
    }

    /// <summary>Bytes beyond ASCII are legal in a header; a proxy that adds one must not cost the answer.</summary>
    [Fact]
    public async Task A_header_with_bytes_beyond_ASCII_does_no_harm()
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(
                404,
                "<Error><Code>NoSuchBucket</Code></Error>",
                "X-Cache: proxy-m\u00fcnchen",
                "x-amz-request-id: r-\u62d2"
            )
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() => GetAsync("s3", server));

        Assert.Equal(("NoSuchBucket", "r-\u62d2"), (thrown.Failure.Code, thrown.Failure.RequestId));
    }

    [Theory]
    [InlineData("Ceph, by its name", "Server: Ceph Object Gateway (squid)", true)]
    [InlineData("Ceph, by its request id", "x-amz-request-id: tx00000f4d5a2ef1b1ae08c-0064f0a3c2-4b3d-default", true)]
    [InlineData("AWS", "x-amz-request-id: 4442587FB7D0A2F9", false)]
    [InlineData("Swift, whose ids end earlier", "x-amz-request-id: tx00000f4d5a2ef1b1ae08c-0064f0a3c2", false)]
    [InlineData("somebody who says nothing", "Server: nginx", false)]
    public async Task A_store_that_has_no_key_of_its_own_is_known_by_its_answers(
        string sentence,
        string header,
        bool needsNamedKey
    )
    {
        await using var absent = new ScriptedServer(_ =>
            ScriptedServer.Answer(
                404,
                "<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>",
                header
            )
        );
        await using var present = new ScriptedServer(_ =>
            ScriptedServer.Answer(200, Dialects.Document("s3", "<SSEAlgorithm>AES256</SSEAlgorithm>"), header)
        );

        Assert.True(needsNamedKey == (await GetAsync("s3", absent)).NeedsNamedKey, sentence);
        Assert.True(needsNamedKey == (await GetAsync("s3", present)).NeedsNamedKey, sentence);
        Assert.False((await GetAsync("jdcloud", present)).NeedsNamedKey, sentence);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_failure_never_holds_key_or_token(string vendor)
    {
        await using var server = new ScriptedServer(r =>
            ScriptedServer.Answer(
                403,
                "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><StringToSign>"
                    + r.Replace("&", "", StringComparison.Ordinal)
                    + "</StringToSign></Error>"
            )
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() =>
            Api(vendor).GetAsync(At(server), Dialects.Temporary, CancellationToken.None)
        );

        var text = thrown + thrown.Failure.ToString();
        Assert.DoesNotContain("nobody-may-see", text, StringComparison.Ordinal);
        Assert.DoesNotContain("STS.key", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_clock_that_is_wrong_is_corrected_once_by_the_servers_and_stays_corrected(string vendor)
    {
        var serverTime = Dialects.Now.AddHours(3);
        var good = Dialects.Document(vendor, "<SSEAlgorithm>AES256</SSEAlgorithm>");
        var answers = new Queue<Reply>([
            ScriptedServer.Answer(403, Skewed, $"Date: {serverTime:R}"),
            ScriptedServer.Answer(200, good),
            ScriptedServer.Answer(200, good),
        ]);
        await using var server = new ScriptedServer(_ => answers.Dequeue());
        var api = Api(vendor);

        await api.GetAsync(At(server), Dialects.Key, CancellationToken.None);
        await api.GetAsync(At(server), Dialects.Key, CancellationToken.None);

        using var first = Dialects
            .All[vendor]
            .Sign(new UnsignedRequest(HttpMethod.Get, At(server), Dialects.Key, Body: null, Dialects.Now));
        using var corrected = Dialects
            .All[vendor]
            .Sign(new UnsignedRequest(HttpMethod.Get, At(server), Dialects.Key, Body: null, serverTime));
        Assert.Equal(
            [Authorization(first), Authorization(corrected), Authorization(corrected)],
            server.Requests.Select(Authorization)
        );
    }

    /// <summary>
    /// The guard of writes was asked for one request: what is sent later may be another replica's turn.
    /// </summary>
    [Fact]
    public async Task A_write_with_a_wrong_clock_is_not_sent_again_but_the_clock_is_corrected()
    {
        var serverTime = Dialects.Now.AddHours(3);
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(403, Skewed, $"Date: {serverTime:R}"));
        var api = Api("huawei");

        var put = await Assert.ThrowsAsync<VendorException>(() =>
            api.PutAsync(At(server), Dialects.Key, api.Write(Aes, Nothing))
        );
        var delete = await Assert.ThrowsAsync<VendorException>(() => api.DeleteAsync(At(server), Dialects.Key));

        Assert.Equal(("RequestTimeTooSkewed", "RequestTimeTooSkewed"), (put.Failure.Code, delete.Failure.Code));
        Assert.Collection(
            server.Requests,
            r => Assert.Contains($"Date: {Dialects.Now:R}\r\n", r, StringComparison.Ordinal),
            r => Assert.Contains($"Date: {serverTime:R}\r\n", r, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_clock_that_cannot_be_corrected_is_reported_after_one_more_try()
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(403, Skewed, $"Date: {Dialects.Now.AddHours(3):R}")
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() => GetAsync("alibaba", server));

        Assert.Equal((FailureKind.Transient, "RequestTimeTooSkewed"), (thrown.Failure.Kind, thrown.Failure.Code));
        Assert.Contains("set the node's clock", thrown.Failure.Hint, StringComparison.Ordinal);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("a date that is none", "Date: yesterday")]
    [InlineData("no date", "X-Date: none")]
    [InlineData(
        "a date of another decade, for which a signature would be good to whoever asked for it",
        "Date: Sat, 21 Nov 2037 01:47:57 GMT"
    )]
    public async Task A_time_that_is_not_to_be_believed_is_not_signed_for(string sentence, string header)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(403, Skewed, header));

        await Assert.ThrowsAsync<VendorException>(() => GetAsync("s3", server));

        Assert.True(server.Requests.Count == 1, sentence);
    }

    [Fact]
    public async Task Another_endpoints_clock_is_not_touched()
    {
        var answers = new Queue<Reply>([
            ScriptedServer.Answer(403, Skewed, $"Date: {Dialects.Now.AddHours(3):R}"),
            ScriptedServer.Answer(404),
            ScriptedServer.Answer(404),
        ]);
        await using var skewed = new ScriptedServer(_ => answers.Dequeue());
        await using var other = new ScriptedServer(_ => ScriptedServer.Answer(404));
        var api = Api("huawei");

        await Assert.ThrowsAsync<VendorException>(() => api.GetAsync(At(skewed), Dialects.Key, CancellationToken.None));
        await Assert.ThrowsAsync<VendorException>(() => api.GetAsync(At(other), Dialects.Key, CancellationToken.None));

        Assert.Contains($"Date: {Dialects.Now:R}", Assert.Single(other.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    public async Task A_redirect_to_another_region_is_reported_and_not_followed(int status)
    {
        await using var elsewhere = new ScriptedServer(_ => ScriptedServer.Answer(200));
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(status, "", $"Location: {elsewhere.Address}", "x-amz-bucket-region: eu-west-3")
        );

        var thrown = await Assert.ThrowsAsync<VendorException>(() => GetAsync("s3", server));

        Assert.Equal((FailureKind.Transient, $"HTTP_{status}"), (thrown.Failure.Kind, thrown.Failure.Code));
        Assert.Contains("The bucket is in region eu-west-3", thrown.Failure.Hint, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task At_one_request_per_second_a_write_follows_its_read_at_once_and_leaves_the_only_slot_to_the_next()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(404, NothingConfigured));
        var address = At(server) with { Limit = new RateLimit(RequestsPerSecond: 1, Burst: 1, MaxConcurrency: 1) };

        using var write = await Api("s3").BeginWriteAsync(address, Dialects.Key, CancellationToken.None).Within();
        var read = await write.GetAsync(CancellationToken.None).Within();
        await write.DeleteAsync(() => null, CancellationToken.None).Within();
        var confirming = Api("s3").GetAsync(address, Dialects.Key, CancellationToken.None);
        await _time.TimersScheduledAsync(1).Within();
        _time.Advance(TimeSpan.FromSeconds(2.1));
        await confirming.Within();

        Assert.IsType<BucketEncryption.None>(read.Encryption);
        Assert.Equal(["GET", "DELETE", "GET"], server.Requests.Select(r => r.Split(' ')[0]));
    }

    [Fact]
    public async Task A_write_that_the_last_check_stops_is_not_sent_and_its_permits_are_returned()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(404, NothingConfigured));
        var address = At(server) with { Limit = new RateLimit(RequestsPerSecond: 1, Burst: 1, MaxConcurrency: 1) };
        var stop = new Failure(FailureKind.Conflict, "Test", "Stopped") { Message = "stopped" };

        var stopped = await Assert
            .ThrowsAsync<VendorException>(() => Api("s3").DeleteAsync(address, Dialects.Key, () => stop))
            .Within();
        await Api("s3").GetAsync(address, Dialects.Key, CancellationToken.None).Within();

        Assert.Equal(stop with { NotSent = true }, stopped.Failure);
        Assert.StartsWith("GET", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody listens", true)]
    [InlineData("the vendor fails", false)]
    [InlineData("the connection breaks in the middle of the answer", false)]
    [InlineData("no answer comes", false)]
    public async Task A_failed_write_says_whether_it_may_have_reached_the_vendor(string sentence, bool notSent)
    {
        await using var server = new ScriptedServer(_ =>
            sentence switch
            {
                "the vendor fails" => ScriptedServer.Answer(500),
                "no answer comes" => new Reply.Silence(),
                _ => new Reply.Reset(),
            }
        );
        var address = At(server);
        if (sentence == "nobody listens")
            await server.DisposeAsync();

        var writing = Api("s3").DeleteAsync(address, Dialects.Key);
        if (sentence == "no answer comes")
        {
            await Waiting.UntilAsync(() => server.Requests.Count == 1);
            _time.Advance(TimeSpan.FromSeconds(10));
        }
        var thrown = await Assert.ThrowsAsync<VendorException>(() => writing).Within();

        Assert.True(thrown.Failure.NotSent == notSent, sentence);
    }

    [Fact]
    public async Task An_endpoint_that_has_not_answered_three_requests_is_not_sent_a_fourth_and_nobody_waits_for_it()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = new VendorServices(_http, new ServerClocks(_time), _limits) { EndpointBreakers = breakers }.Connect(
            Dialects.All["s3"]
        );
        var address = At(server) with { Limit = new RateLimit(RequestsPerSecond: 100, Burst: 100, MaxConcurrency: 1) };
        Task<Observation> GetAsync() => api.GetAsync(address, Dialects.Key, CancellationToken.None);
        var codes = new List<string>();
        async Task EndsAsync(Task request) =>
            codes.Add((await Assert.ThrowsAsync<VendorException>(() => request).Within()).Failure.Code);
        for (var i = 1; i <= 2; i++)
        {
            var unanswered = GetAsync();
            await Waiting.UntilAsync(() => server.Requests.Count == i);
            _time.Advance(TimeSpan.FromSeconds(10));
            await EndsAsync(unanswered);
        }

        var third = GetAsync();
        await Waiting.UntilAsync(() => server.Requests.Count == 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        var fourth = GetAsync(); // waits for the third's slot
        _time.Advance(TimeSpan.FromSeconds(9));
        await EndsAsync(third);
        await EndsAsync(fourth);
        var read = await Assert
            .ThrowsAsync<VendorException>(() => api.GetAsync(address, Dialects.Key, CancellationToken.None))
            .Within();
        var write = await Assert.ThrowsAsync<VendorException>(() => api.DeleteAsync(address, Dialects.Key)).Within();

        Assert.Equal(["Timeout", "Timeout", "EndpointDown", "EndpointDown"], codes);
        Assert.Equal(["EndpointDown", "EndpointDown"], [read.Failure.Code, write.Failure.Code]);
        Assert.True(write.Failure.NotSent);
        Assert.Equal(3, server.Requests.Count);
    }

    /// <summary>
    /// A new key's first call is waited for by the others with that key, but not at an endpoint that is down.
    /// </summary>
    [Fact]
    public async Task Nobody_waits_for_the_first_call_of_a_key_at_an_endpoint_that_is_down()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var services = new VendorServices(_http, new ServerClocks(_time), _limits)
        {
            KeyBreakers = new AccessKeyCircuitBreakers(_time),
            EndpointBreakers = breakers,
        };
        var api = services.Connect(VendorCatalog.All)["S3"];
        Task<Observation> GetAsync(string id) =>
            api.GetAsync(At(server), new AccessKey(id, "secret", SecurityToken: null), CancellationToken.None);
        var first = Enumerable.Range(0, EndpointCircuitBreakers.OpensAt).Select(i => GetAsync($"id-{i}")).ToList();
        await Waiting.UntilAsync(() => server.Requests.Count == EndpointCircuitBreakers.OpensAt);
        _time.Advance(TimeSpan.FromSeconds(10));
        foreach (var request in first)
            await Assert.ThrowsAsync<VendorException>(() => request).Within();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);
        var probe = GetAsync("new");
        await Waiting.UntilAsync(() => server.Requests.Count == EndpointCircuitBreakers.OpensAt + 1);

        var refused = await Assert.ThrowsAsync<VendorException>(() => GetAsync("new")).Within();

        Assert.Equal(("EndpointDown", false), (refused.Failure.Code, probe.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<VendorException>(() => probe).Within();
    }

    [Theory]
    [InlineData("an error of the vendor", 500)]
    [InlineData("a page of a gateway", 504)]
    [InlineData("a slow down", 503)]
    public async Task An_answer_of_any_status_is_an_answer(string sentence, int status)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status));
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = new VendorServices(_http, new ServerClocks(_time), _limits) { EndpointBreakers = breakers }.Connect(
            Dialects.All["s3"]
        );

        for (var i = 0; i < 5; i++)
            await Assert
                .ThrowsAsync<VendorException>(() => api.GetAsync(At(server), Dialects.Key, CancellationToken.None))
                .Within();

        Assert.True(server.Requests.Count == 5, sentence);
    }

    [Fact]
    public async Task A_write_that_the_end_of_the_lease_cuts_short_says_nothing_about_the_endpoint()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = new VendorServices(_http, new ServerClocks(_time), _limits)
        {
            WriteTime = () => TimeSpan.FromSeconds(4),
            EndpointBreakers = breakers,
        }.Connect(Dialects.All["s3"]);
        var writing = Enumerable.Range(0, 5).Select(_ => api.DeleteAsync(At(server), Dialects.Key)).ToList();
        await Waiting.UntilAsync(() => server.Requests.Count == 5);

        _time.Advance(TimeSpan.FromSeconds(5));
        foreach (var write in writing)
            await Assert.ThrowsAsync<VendorException>(() => write).Within();

        Assert.Equal(0, breakers.OpenCount);
    }

    [Fact]
    public async Task A_write_that_its_last_check_stops_leaves_the_endpoints_probe_to_the_next_request()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = new VendorServices(_http, new ServerClocks(_time), _limits) { EndpointBreakers = breakers }.Connect(
            Dialects.All["s3"]
        );
        Task<Observation> GetAsync() => api.GetAsync(At(server), Dialects.Key, CancellationToken.None);
        var unanswered = Enumerable.Range(0, EndpointCircuitBreakers.OpensAt).Select(_ => GetAsync()).ToList();
        await Waiting.UntilAsync(() => server.Requests.Count == EndpointCircuitBreakers.OpensAt);
        _time.Advance(TimeSpan.FromSeconds(10));
        foreach (var request in unanswered)
            await Assert.ThrowsAsync<VendorException>(() => request).Within();
        _time.Advance(EndpointCircuitBreakers.ShortestPause);
        var stop = new Failure(FailureKind.Conflict, "Check", "SpecChanged");

        using (var write = await api.BeginWriteAsync(At(server), Dialects.Key, CancellationToken.None))
        {
            var stopped = await Assert
                .ThrowsAsync<VendorException>(() => write.DeleteAsync(() => stop, CancellationToken.None))
                .Within();
            Assert.Equal(("SpecChanged", true), (stopped.Failure.Code, stopped.Failure.NotSent));
        }
        var probe = GetAsync();
        await Waiting.UntilAsync(() => server.Requests.Count == EndpointCircuitBreakers.OpensAt + 1);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("EndpointDown", (await Assert.ThrowsAsync<VendorException>(() => probe).Within()).Failure.Code);
    }

    /// <summary>
    /// Another replica may write when the lease has ended: until then the request must have ended, too.
    /// </summary>
    [Fact]
    public async Task A_write_takes_no_longer_than_is_left_of_the_lease()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        var api = new VendorServices(_http, new ServerClocks(_time), _limits)
        {
            WriteTime = () => TimeSpan.FromSeconds(4),
        }.Connect(Dialects.All["s3"]);

        var writing = api.DeleteAsync(At(server), Dialects.Key);
        await Waiting.UntilAsync(() => server.Requests.Count == 1);
        _time.Advance(TimeSpan.FromSeconds(3.9));
        var early = writing.IsCompleted;
        _time.Advance(TimeSpan.FromSeconds(0.2));
        var thrown = await Assert.ThrowsAsync<VendorException>(() => writing).Within();

        Assert.Equal((false, "Timeout", false), (early, thrown.Failure.Code, thrown.Failure.NotSent));
    }

    [Fact]
    public async Task Without_a_lease_nothing_is_written_whatever_the_last_check_says()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(204));
        var api = new VendorServices(_http, new ServerClocks(_time), _limits)
        {
            WriteTime = () => TimeSpan.Zero,
        }.Connect(Dialects.All["s3"]);

        var thrown = await Assert
            .ThrowsAsync<VendorException>(() => api.DeleteAsync(At(server), Dialects.Key))
            .Within();

        Assert.Equal(NotLeading.Failure, thrown.Failure);
        Assert.Empty(server.Requests);
    }

    private static BucketAddress At(ScriptedServer server) =>
        new("finance-archive", server.Address, "cn-north-1", Addressing.CName, VendorOptions.None);

    private static string Authorization(string request) =>
        request.Split("\r\n").Single(l => l.StartsWith("Authorization: ", StringComparison.Ordinal))[
            "Authorization: ".Length..
        ];

    private static string Authorization(HttpRequestMessage request) =>
        string.Join(", ", request.Headers.GetValues("Authorization"));

    private BucketEncryptionApi Api(string vendor) =>
        new VendorServices(_http, new ServerClocks(_time), _limits).Connect(Dialects.All[vendor]);

    private Task<Observation> GetAsync(string vendor, ScriptedServer server) =>
        Api(vendor).GetAsync(At(server), Dialects.Key, CancellationToken.None);
}
