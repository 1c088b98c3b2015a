using System.Globalization;
using System.Text;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors;
using BucketEncryptionOperator.Vendors.Alibaba;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Alibaba;

public sealed class AlibabaOssApiTests : IDisposable
{
    private const string Secret = "a-secret-that-nobody-may-see";

    private static readonly AccessKey Key = new("LTAI-key", Secret, SecurityToken: null);
    private static readonly AccessKey Temporary = new("STS.key", Secret, "a-token-that-nobody-may-see");
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Kms = new BucketEncryption.Kms("k-1", DataCipher.Sm4);

    private static readonly BucketAddress VirtualHost = new("finance-archive", new Uri("https://oss-cn-hangzhou.aliyuncs.com"), "cn-hangzhou", PathStyle: false);
    private static readonly BucketAddress PathStyle = new("finance-archive", new Uri("http://127.0.0.1:9000"), "cn-hangzhou", PathStyle: true);
    private static readonly BucketAddress Port = new("finance-archive", new Uri("https://oss.corp.example:8443"), "cn-shanghai", PathStyle: false);
    private static readonly BucketAddress IPv6 = new("finance-archive", new Uri("http://[::1]:9000"), "cn-hangzhou", PathStyle: true);

    /// <summary>File in Golden/alibaba → the request that must be it.</summary>
    private static readonly Dictionary<string, (HttpMethod Method, BucketAddress Address, AccessKey Key, string? Body)> Golden = new(StringComparer.Ordinal)
    {
        ["get"] = (HttpMethod.Get, VirtualHost, Key, null),
        ["get-path-style"] = (HttpMethod.Get, PathStyle, Key, null),
        ["get-ipv6"] = (HttpMethod.Get, IPv6, Key, null),
        ["get-port"] = (HttpMethod.Get, Port, Key, null),
        ["get-token"] = (HttpMethod.Get, VirtualHost, Temporary, null),
        ["put-aes256"] = (HttpMethod.Put, VirtualHost, Key, OssDocument.Write(Aes, null)),
        ["put-kms"] = (HttpMethod.Put, VirtualHost, Key, OssDocument.Write(Kms, null)),
        ["put-path-style-token"] = (HttpMethod.Put, PathStyle, Temporary, OssDocument.Write(Kms, null)),
        ["delete"] = (HttpMethod.Delete, VirtualHost, Key, null),
        ["delete-token"] = (HttpMethod.Delete, VirtualHost, Temporary, null),
    };

    private readonly ManualTimeProvider _time = new(new DateTimeOffset(2026, 11, 21, 1, 47, 57, TimeSpan.Zero));
    private readonly VendorHttp _http;
    private readonly AlibabaOssApi _api;

    public AlibabaOssApiTests()
    {
        _http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time);
        _api = new AlibabaOssApi(_http, _time);
    }

    public static TheoryData<string> GoldenFiles => new(Golden.Keys);

    public void Dispose() => _http.Dispose();

    [Theory]
    [MemberData(nameof(GoldenFiles))]
    public async Task A_request_is_the_golden_file(string name)
    {
        var (method, address, key, body) = Golden[name];
        var file = Path.Combine(Repository.Root, "tests", "BucketEncryptionOperator.Tests", "Golden", "alibaba", name + ".http");

        using var request = _api.Build(method, address, key, body);

        Assert.Equal(await File.ReadAllTextAsync(file), await TextAsync(request));
    }

    [Fact]
    public void Every_golden_file_is_compared() => Assert.Equal(
        Golden.Keys.Order(StringComparer.Ordinal),
        Directory.GetFiles(Path.Combine(Repository.Root, "tests", "BucketEncryptionOperator.Tests", "Golden", "alibaba")).Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal));

    /// <summary>The golden files show what was built; this shows that the same goes over the wire.</summary>
    [Fact]
    public async Task What_is_built_is_what_is_sent()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200));
        var address = PathStyle with { Endpoint = server.Address };

        await _api.PutAsync(address, Temporary, Kms, new Observation(new BucketEncryption.None(), null), CancellationToken.None);

        using var built = _api.Build(HttpMethod.Put, address, Temporary, OssDocument.Write(Kms, null));
        var lines = Assert.Single(server.Requests).Split("\r\n").Where(l => !l.StartsWith("User-Agent", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        Assert.Equal((await TextAsync(built)).Split('\n').Order(StringComparer.Ordinal).Where(l => l.Length > 0), lines.Where(l => l.Length > 0));
    }

    [Fact]
    public async Task Get_gives_what_the_bucket_has_and_the_document()
    {
        const string Body = "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><KMSDataEncryption>SM4</KMSDataEncryption><SSEAlgorithm>KMS</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200, Body));

        var observation = await GetAsync(server);

        Assert.Equal(new Observation(new BucketEncryption.Kms(null, DataCipher.Sm4), Body), observation);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    public async Task Get_of_a_bucket_without_encryption_is_a_value(int status)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status, "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>"));

        Assert.Equal(new Observation(new BucketEncryption.None(), null), await GetAsync(server));
    }

    [Theory]
    [InlineData("no such bucket", 404, "<Error><Code>NoSuchBucket</Code></Error>", "Missing", "NoSuchBucket")]
    [InlineData("a page of a proxy in place of an answer", 200, "<html></html>", "Transient", "UnreadableAnswer")]
    [InlineData("nothing in place of an answer", 200, "", "Transient", "UnreadableAnswer")]
    [InlineData("an error document with a good status", 200, "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>", "Transient", "UnreadableAnswer")]
    [InlineData("404 without a word", 404, "", "Refused", "HTTP_404")]
    public async Task Get_of_anything_else_is_a_failure(string sentence, int status, string body, string kind, string code)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status, body, "x-oss-request-id: r-1"));

        var thrown = await Assert.ThrowsAsync<VendorException>(() => GetAsync(server));

        var failure = thrown.Failure;
        Assert.True((kind, code) == (failure.Kind.ToString(), failure.Code), sentence);
        Assert.Equal(("GetBucketEncryption", status, "r-1"), (failure.Operation, failure.HttpStatus, failure.RequestId));
    }

    [Fact]
    public async Task Put_starts_from_what_was_read()
    {
        const string Read = "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm><New>x</New></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(200));

        await _api.PutAsync(PathStyle with { Endpoint = server.Address }, Key, new BucketEncryption.Kms(null, DataCipher.Aes256), new Observation(Aes, Read), CancellationToken.None);

        Assert.EndsWith("\r\n\r\n" + Read.Replace("AES256", "KMS", StringComparison.Ordinal), Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("204", 204, "", null)]
    [InlineData("200", 200, "", null)]
    [InlineData("nothing was configured", 404, "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>", null)]
    [InlineData("the bucket is not there", 404, "<Error><Code>NoSuchBucket</Code></Error>", "NoSuchBucket")]
    public async Task Delete_of_nothing_is_done(string sentence, int status, string body, string? code)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(status, body));

        var thrown = await Record.ExceptionAsync(() => _api.DeleteAsync(PathStyle with { Endpoint = server.Address }, Key, CancellationToken.None));

        Assert.True(code == (thrown as VendorException)?.Failure.Code, $"{sentence}: {thrown}");
    }

    [Fact]
    public async Task Put_never_takes_not_configured_for_done()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(404, "<Error><Code>NoSuchServerSideEncryptionRule</Code></Error>"));

        await Assert.ThrowsAsync<VendorException>(() =>
            _api.PutAsync(PathStyle with { Endpoint = server.Address }, Key, Aes, new Observation(new BucketEncryption.None(), null), CancellationToken.None));
    }

    [Fact]
    public async Task A_failure_never_holds_key_or_token()
    {
        await using var server = new ScriptedServer(r => ScriptedServer.Answer(403, "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message><StringToSign>" + r.Replace("&", "", StringComparison.Ordinal) + "</StringToSign></Error>"));

        var thrown = await Assert.ThrowsAsync<VendorException>(() => _api.GetAsync(PathStyle with { Endpoint = server.Address }, Temporary, CancellationToken.None));

        var text = thrown + thrown.Failure.ToString();
        Assert.DoesNotContain("nobody-may-see", text, StringComparison.Ordinal);
        Assert.DoesNotContain("STS.key", text, StringComparison.Ordinal);
    }

    private Task<Observation> GetAsync(ScriptedServer server) => _api.GetAsync(PathStyle with { Endpoint = server.Address }, Key, CancellationToken.None);

    /// <summary>The request as HTTP/1.1 would have it, with line feeds and without the connection's own headers.</summary>
    private static async Task<string> TextAsync(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{request.Method} {uri.PathAndQuery} HTTP/1.1\nHost: {uri.Authority}\n");
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync();
        _ = request.Content?.Headers.ContentLength; // computed when asked for
        foreach (var (name, values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []).OrderBy(h => h.Key, StringComparer.OrdinalIgnoreCase))
            text.Append(CultureInfo.InvariantCulture, $"{name}: {string.Join(", ", values)}\n");
        return text.Append('\n').Append(body).ToString();
    }
}
