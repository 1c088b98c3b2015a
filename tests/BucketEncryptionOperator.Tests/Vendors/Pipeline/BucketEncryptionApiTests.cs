using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
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
public sealed partial class BucketEncryptionApiTests : IDisposable
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
                Resource.Encryption,
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
        Assert.True(needsNamedKey == (await GetAsync("s3", present)).RefusesIdleBucketKey, sentence);
        Assert.False((await GetAsync("jdcloud", present)).NeedsNamedKey, sentence);
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
