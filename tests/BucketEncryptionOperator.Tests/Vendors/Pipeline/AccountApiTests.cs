using System.Collections.Immutable;
using System.Net;
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
/// Lists, places and tags over the wire, for each vendor. The server stands behind the vendors' own host names as the
/// proxy.
/// </summary>
public sealed partial class AccountApiTests : IAsyncLifetime
{
    private const string Denied =
        "<Error><Code>AccessDenied</Code><Message>m</Message><RequestId>r</RequestId></Error>";

    private readonly ManualTimeProvider _time = new(Dialects.Now);
    private readonly Queue<Reply> _replies = new();
    private readonly ScriptedServer _server;
    private readonly VendorHttp _http;
    private readonly VendorLimits _limits;

    public AccountApiTests()
    {
        _server = new ScriptedServer(_ => _replies.TryDequeue(out var reply) ? reply : ScriptedServer.Answer(599));
        _http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(10),
            _time,
            new VendorRoute { Proxy = new WebProxy(_server.Address) }
        );
        _limits = new VendorLimits(_time);
    }

    public static TheoryData<string> Vendors => Dialects.Names;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _http.Dispose();
        _limits.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_list_has_each_bucket_once_in_the_order_of_names(string vendor)
    {
        Answers(200, Page(Entry("b-two") + Entry("b-one") + Entry("b-two")));

        var listed = await ListAsync(vendor);

        Assert.Equal(["b-one", "b-two"], listed.Select(b => b.Name));
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task An_account_without_buckets_has_an_empty_list(string vendor)
    {
        Answers(200, Page(""));

        Assert.Empty(await ListAsync(vendor));
    }

    [Theory]
    [InlineData(
        "alibaba",
        "<IsTruncated>true</IsTruncated><NextMarker>b-0999</NextMarker>",
        "?max-keys=1000&marker=b-0999"
    )]
    [InlineData("huawei", "<IsTruncated>true</IsTruncated><NextMarker>b-0999</NextMarker>", "?marker=b-0999")]
    [InlineData(
        "s3",
        "<ContinuationToken>a/b+c=</ContinuationToken>",
        "?max-buckets=1000&continuation-token=a%2Fb%2Bc%3D"
    )]
    public async Task A_list_of_1001_buckets_comes_in_two_pages(string vendor, string next, string query)
    {
        Answers(200, Page(string.Concat(Enumerable.Range(0, 1000).Select(i => Entry($"b-{i:d4}"))), next));
        Answers(200, Page(Entry("b-1000")));

        var listed = await ListAsync(vendor);

        Assert.Equal(Enumerable.Range(0, 1001).Select(i => $"b-{i:d4}"), listed.Select(b => b.Name));
        Assert.Contains($"/{query} HTTP", _server.Requests.Last(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alibaba", "<Region>cn-north-1</Region><Location>oss-other</Location>", BucketPlace.Here)]
    [InlineData("alibaba", "<Location>oss-cn-north-1</Location>", BucketPlace.Here)]
    [InlineData("alibaba", "<Region>cn-hangzhou</Region>", BucketPlace.Elsewhere)]
    [InlineData("alibaba", "<Region/>", BucketPlace.Unknown)]
    [InlineData("huawei", "<Location>cn-north-1</Location><BucketType>OBJECT</BucketType>", BucketPlace.Here)]
    [InlineData("huawei", "<Location>cn-north-4</Location>", BucketPlace.Elsewhere)]
    [InlineData("huawei", "", BucketPlace.Unknown)]
    [InlineData("jdcloud", "<Location>cn-north-1</Location>", BucketPlace.Unknown)]
    [InlineData("s3", "<BucketRegion>cn-north-1</BucketRegion>", BucketPlace.Here)]
    [InlineData("s3", "<BucketRegion>cn-northwest-1</BucketRegion>", BucketPlace.Elsewhere)]
    [InlineData("s3", "", BucketPlace.Unknown)]
    internal async Task An_entry_says_where_its_bucket_is(string vendor, string fields, BucketPlace place)
    {
        Answers(200, Page(Entry("b-one", fields)));

        Assert.Equal(new ListedBucket("b-one", place), Assert.Single(await ListAsync(vendor)));
    }

    [Theory]
    [InlineData("<Region>cn-hangzhou-finance</Region>")]
    [InlineData("<Region>cn-hzfinance</Region>")]
    [InlineData("<Location>oss-cn-hzfinance</Location>")]
    public async Task A_region_of_the_finance_clouds_has_several_names(string fields)
    {
        Answers(200, Page(Entry("b-one", fields)));

        var listed = await ListAsync("alibaba", Store("alibaba") with { Region = "cn-hangzhou-finance" });

        Assert.Equal(BucketPlace.Here, Assert.Single(listed).Place);
    }

    [Fact]
    public async Task A_site_that_is_not_AWS_has_one_region_and_one_page()
    {
        Answers(200, Page(Entry("b-one", "<BucketRegion>eu-west-3</BucketRegion>")));
        var store = Store("s3") with { Endpoint = new Uri("http://minio.storage.svc:9000") };

        var listed = await ListAsync("s3", store);

        Assert.Equal(new ListedBucket("b-one", BucketPlace.Here), Assert.Single(listed));
        Assert.Contains(
            "GET http://minio.storage.svc:9000/ HTTP",
            Assert.Single(_server.Requests),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_parallel_file_system_is_no_bucket()
    {
        Answers(200, Page(Entry("b-one") + Entry("b-two", "<BucketType>POSIX</BucketType>")));

        Assert.Equal(["b-one"], (await ListAsync("huawei")).Select(b => b.Name));
        Assert.Contains("x-obs-bucket-type: OBJECT", Assert.Single(_server.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task An_answer_that_is_not_a_whole_list_fails(string vendor)
    {
        var page = Page(Entry("b-one"));
        (string Sentence, string Body)[] bad =
        [
            ("nothing", ""),
            ("blanks", " \n"),
            ("a page of a gateway", "<html><body>Welcome</body></html>"),
            ("a list cut off", page[..^30]),
            ("another document", "<ListBucketResult><Name>b</Name></ListBucketResult>"),
            ("a list without the list", "<ListAllMyBucketsResult><Owner/></ListAllMyBucketsResult>"),
            ("two lists", "<ListAllMyBucketsResult><Buckets/><Buckets/></ListAllMyBucketsResult>"),
            ("an entry without a name", Page(Entry("b-one") + "<Bucket><Location>l</Location></Bucket>")),
            ("an entry with an empty name", Page(Entry("b-one") + Entry(""))),
            ("an entry with two names", Page(Entry("b-one", "<Name>b-two</Name>"))),
            ("an entry of another kind", Page(Entry("b-one") + "<Prefix><Name>b-two</Name></Prefix>")),
            ("a name without end", Page(Entry(new string('b', 256)))),
            ("cut off, and not where", Page(Entry("b-one"), "<IsTruncated>true</IsTruncated>")),
            ("cut off or not", Page(Entry("b-one"), "<IsTruncated>perhaps</IsTruncated>")),
            ("a bucket at two places", Page(Entry("b-one", Region("a")) + Entry("b-one", Region("cn-north-1")))),
            ("nothing but elements", Page(string.Concat(Enumerable.Repeat("<a/>", 300_000)))),
        ];

        foreach (var (sentence, body) in bad.Where(b => vendor != "jdcloud" || b.Sentence != "a bucket at two places"))
        {
            Answers(200, body);
            var failure = await FailureOfAsync(() => ListAsync(vendor));

            Assert.True(
                failure is { Kind: FailureKind.Transient, Code: "UnreadableAnswer", Operation: "ListBuckets" },
                $"{sentence}: {failure}"
            );
        }
    }

    [Theory]
    [InlineData("alibaba", "<IsTruncated>true</IsTruncated><NextMarker>b-one</NextMarker>")]
    [InlineData("huawei", "<IsTruncated>true</IsTruncated><NextMarker>b-one</NextMarker>")]
    [InlineData("s3", "<ContinuationToken>t-1</ContinuationToken>")]
    public async Task Half_a_list_is_no_list(string vendor, string next)
    {
        (string Sentence, Reply Second, string Code)[] bad =
        [
            ("a page cut off", ScriptedServer.Answer(200, Page(Entry("b-two"))[..^30]), "UnreadableAnswer"),
            ("a page denied", ScriptedServer.Answer(403, Denied), "AccessDenied"),
            ("the same page again", ScriptedServer.Answer(200, Page(Entry("b-one"), next)), "UnreadableAnswer"),
            (
                "a page that never comes",
                new Reply.Bytes("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n<L"),
                "BrokenAnswer"
            ),
        ];

        foreach (var (sentence, second, code) in bad)
        {
            Answers(200, Page(Entry("b-one"), next));
            _replies.Enqueue(second);
            var failure = await FailureOfAsync(() => ListAsync(vendor));

            Assert.True(failure.Code == code && _replies.Count == 0, $"{sentence}: {failure}");
        }
    }

    [Fact]
    public async Task A_list_whose_names_go_back_has_no_end()
    {
        Answers(200, Page("", "<IsTruncated>true</IsTruncated><NextMarker>b-two</NextMarker>"));
        Answers(200, Page("", "<IsTruncated>true</IsTruncated><NextMarker>b-one</NextMarker>"));

        Assert.Equal("UnreadableAnswer", (await FailureOfAsync(() => ListAsync("alibaba"))).Code);
    }

    [Fact]
    public async Task A_list_of_too_many_pages_fails()
    {
        for (var page = 0; page <= AccountApi.MaxPages; page++)
            Answers(200, Page("", $"<ContinuationToken>t-{page}</ContinuationToken>"));

        var failure = await FailureOfAsync(() => ListAsync("s3"));

        Assert.Equal(("UnreadableAnswer", AccountApi.MaxPages), (failure.Code, _server.Requests.Count));
    }

    /// <summary>As Ceph gives it: more than any document of one bucket may have.</summary>
    [Fact]
    public async Task A_list_may_have_10_000_buckets_at_once()
    {
        Answers(
            200,
            Page(string.Concat(Enumerable.Range(0, 10_000).Select(i => Entry($"archive-of-a-department-{i:d6}"))))
        );

        Assert.Equal(10_000, (await ListAsync("jdcloud")).Length);
    }

    [Fact]
    public async Task A_larger_answer_than_any_list_fails()
    {
        _replies.Enqueue(new Reply.Endless("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListAllMyBucketsResult>"));

        Assert.Equal("AnswerTooLarge", (await FailureOfAsync(() => ListAsync("s3"))).Code);
    }

    /// <summary>A document of one bucket keeps its own bound.</summary>
    [Fact]
    public async Task Tags_may_not_be_as_long_as_a_list()
    {
        Answers(200, Tags(new string('x', 70_000)));

        Assert.Equal("AnswerTooLarge", (await FailureOfAsync(() => TagsAsync("s3"))).Code);
    }

    [Fact]
    public async Task The_endpoint_of_one_bucket_is_asked_for_no_list()
    {
        var failure = await FailureOfAsync(() =>
            ListAsync("alibaba", Store("alibaba") with { Addressing = Addressing.CName })
        );

        Assert.True(failure is { Kind: FailureKind.Invalid, Code: "InvalidSpec", NotSent: true }, $"{failure}");
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task Names_that_repeat_the_requests_secrets_are_not_taken(string vendor)
    {
        foreach (var secret in BucketEncryptionApiTests.SpellingsOf(Dialects.Key.Secret))
        {
            Answers(200, Page(Entry(secret)));
            Answers(200, Tags($"<Tag><Key>k</Key><Value>{secret}</Value></Tag>"));

            var list = await FailureOfAsync(() => ListAsync(vendor));
            var tags = await FailureOfAsync(() => TagsAsync(vendor));

            Assert.Equal(["UnreadableAnswer", "UnreadableAnswer"], [list.Code, tags.Code]);
            Assert.DoesNotContain(Dialects.Key.Secret, $"{list}{tags}", StringComparison.Ordinal);
        }
    }

    /// <summary>By the clock of the answer that refused the first signature.</summary>
    [Theory]
    [MemberData(nameof(Vendors))]
    public async Task A_page_is_asked_for_again_with_the_vendors_time(string vendor)
    {
        _replies.Enqueue(
            ScriptedServer.Answer(
                403,
                "<Error><Code>RequestTimeTooSkewed</Code><RequestId>r</RequestId></Error>",
                $"Date: {Dialects.Now.AddHours(5):R}"
            )
        );
        Answers(200, Page(Entry("b-one")));

        Assert.Single(await ListAsync(vendor));
        Assert.Equal(2, _server.Requests.Count);
    }

    private AccountApi Api(string vendor) =>
        new VendorServices(_http, new ServerClocks(_time), _limits).ConnectAccount(Dialects.All[vendor]);

    /// <summary>The clock stands still, so that a limit of requests would be waited for without end.</summary>
    private static StoreAddress Store(string vendor) =>
        new(new Uri($"http://{Host(vendor)}"), "cn-north-1", Addressing.VirtualHost, VendorOptions.None)
        {
            Limit = new RateLimit(RequestsPerSecond: 1000, Burst: 1000, MaxConcurrency: 8),
        };

    private static string Host(string vendor) =>
        vendor switch
        {
            "alibaba" => "oss-cn-north-1.aliyuncs.com",
            "huawei" => "obs.cn-north-1.myhuaweicloud.com",
            "jdcloud" => "s3.cn-north-1.jdcloud-oss.com",
            _ => "s3.cn-north-1.amazonaws.com.cn",
        };

    private void Answers(int status, string body) => _replies.Enqueue(ScriptedServer.Answer(status, body));

    private Task<ImmutableArray<ListedBucket>> ListAsync(string vendor, StoreAddress? store = null) =>
        Api(vendor).ListBucketsAsync(store ?? Store(vendor), Dialects.Key, CancellationToken.None);

    private Task<ImmutableDictionary<string, string>> TagsAsync(string vendor) =>
        Api(vendor).GetTagsAsync(Store(vendor).Bucket("finance-archive"), Dialects.Key, CancellationToken.None);

    private Task<BucketPlace> LocateAsync(string vendor, StoreAddress? store = null) =>
        Api(vendor)
            .LocateAsync((store ?? Store(vendor)).Bucket("finance-archive"), Dialects.Key, CancellationToken.None);

    private static async Task<Failure> FailureOfAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<VendorException>(call).Within()).Failure;

    private static string Page(string entries, string head = "") =>
        "<?xml version=\"1.0\"?><ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        + $"<Owner><ID>o</ID></Owner><Buckets>{entries}</Buckets>{head}</ListAllMyBucketsResult>";

    private static string Entry(string name, string fields = "") =>
        $"<Bucket><Name>{name}</Name><CreationDate>2026-11-21T01:47:57.000Z</CreationDate>{fields}</Bucket>";

    private static string Region(string region) =>
        $"<Region>{region}</Region><Location>{region}</Location><BucketRegion>{region}</BucketRegion>";

    private static string Tags(string tags) => $"<Tagging><TagSet>{tags}</TagSet></Tagging>";
}
