using System.Net;
using System.Text;
using BenchmarkDotNet.Attributes;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Vendors.Alibaba;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.S3;
using KubeRuntime.Client;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace MicroBenchmarks;

/// <summary>
/// What the operator does for every policy, bucket and request, without the network. BenchmarkDotNet needs a public
/// class that is not sealed; <c>benchmarks hot-paths</c> needs that every path returns an object.
/// </summary>
public class HotPaths : IDisposable
{
    private const int PageSize = 500;
    private const string KeyId = "example-kms-key-id";
    private const string Document =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>"
        + "<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>"
        + KeyId
        + "</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>";
    private const string NotFound =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchServerSideEncryptionRule</Code><Message>The "
        + "server side encryption configuration does not exist.</Message><RequestId>5F3A0000000000000000000A"
        + "</RequestId><HostId>bench-0-0.oss-cn-hangzhou.aliyuncs.com</HostId><BucketName>bench-0-0</BucketName>"
        + "</Error>";

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AccessKey Key = new("example-key-id", "example-key-secret", SecurityToken: null);
    private static readonly BucketEncryption Kms = new BucketEncryption.Kms(KeyId, DataCipher.Aes256, null, false);

    private static readonly Goal Goal = new Goal.Declared(
        new DesiredEncryption.Kms(new KeyRequirement.Named(KeyId, null), DataCipher.Aes256),
        AtLeast: false,
        Consent: false
    );

    private readonly byte[] _line = Encoding.UTF8.GetBytes($$"""{"type":"MODIFIED","object":{{Policy(0, 1)}}}""");
    private readonly byte[] _largeLine = Encoding.UTF8.GetBytes(
        $$"""{"type":"MODIFIED","object":{{Policy(0, 256)}}}"""
    );

    private readonly byte[] _page = Encoding.UTF8.GetBytes(
        $$$"""
        {"kind":"BucketEncryptionPolicyList","metadata":{"resourceVersion":"1"},
         "items":[{{{string.Join(',', Enumerable.Range(0, PageSize).Select(i => Policy(i, 1)))}}}]}
        """
    );

    private readonly OssDialect _oss = new();
    private readonly S3Dialect _s3 = new();
    private readonly UnsignedRequest _ossRead = Read("https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou");
    private readonly UnsignedRequest _s3Read = Read("https://s3.eu-west-1.amazonaws.com", "eu-west-1");
    private readonly WorkQueue<NamespacedName> _queue = new(
        new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), new Random(1)),
        TimeProvider.System
    );
    private readonly NamespacedName[] _keys =
    [
        .. Enumerable.Range(0, 100).Select(i => new NamespacedName("bench", $"{i}")),
    ];

    private readonly BucketEncryptionPolicy _small = Parse(1);
    private readonly BucketEncryptionPolicy _large = Parse(256);
    private readonly Findings _smallFindings = Found(1);
    private readonly Findings _largeFindings = Found(256);
    private readonly PolicyStatus _status;
    private readonly PolicyStatus _statusAgain;
    private readonly ConsoleFormatter _formatter = JsonFormatter();
    private readonly LoggerExternalScopeProvider _scopes = new();

    public HotPaths()
    {
        // As it is in work: the second is made from the first, and has most of its texts
        _status = StatusComposer.Compose(_large, _largeFindings, TimeSpan.FromDays(1), Now).Status;
        var stored = _large with { Status = _status };
        _statusAgain = StatusComposer.Compose(stored, _largeFindings, TimeSpan.FromDays(1), Now).Status;
        if (!StatusWriter.IsSame(_status, _statusAgain))
            throw new InvalidOperationException("a status that says the same differs");
        _scopes.Push(
            new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["ReconcileId"] = "663337d8-e03c-48c8-9986-4c925113df0f",
            }
        );
        _scopes.Push(
            new Dictionary<string, object>(StringComparer.Ordinal) { ["Policy"] = "bench/bench-0", ["Store"] = "bench" }
        );
    }

    public void Dispose()
    {
        _queue.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Description = "watch line of one bucket → object")]
    public object? Line() => ObjectReader.ReadWatchLine(_line, ApiResources.Policies).Item;

    [Benchmark(Description = "watch line of 256 buckets → object")]
    public object? LargeLine() => ObjectReader.ReadWatchLine(_largeLine, ApiResources.Policies).Item;

    [Benchmark(Description = "page of 500 → objects", OperationsPerInvoke = PageSize)]
    public Task PageAsync() =>
        new ListReader<BucketEncryptionPolicy>(new MemoryStream(_page), ApiResources.Policies, _page.Length).ReadAsync(
            CancellationToken.None
        );

    [Benchmark(Description = "queue: add, take, done", OperationsPerInvoke = 100)]
    public async Task QueueAsync()
    {
        foreach (var key in _keys)
            _queue.Add(key);
        for (var i = 0; i < _keys.Length; i++)
        {
            if (await _queue.TakeAsync(CancellationToken.None) is { } key)
                _queue.Done(key);
        }
    }

    [Benchmark(Description = "sign a read, OSS V4")]
    public object SignOss() => _oss.Sign(_ossRead);

    [Benchmark(Description = "sign a read, SigV4")]
    public object SignS3() => _s3.Sign(_s3Read);

    [Benchmark(Description = "the realm of an endpoint")]
    public object Realm() => OssDialect.Vendor.Realm(_ossRead.Address.Endpoint);

    [Benchmark(Description = "answer to a read: a document")]
    public object? Answer() => Observe(HttpStatusCode.OK, Document);

    [Benchmark(Description = "answer to a read: not configured")]
    public object? AnswerNone() => Observe(HttpStatusCode.NotFound, NotFound);

    [Benchmark(Description = "search an answer for secrets")]
    public object? Redact() => KeyRedaction.Repeats(NotFound, Key) ? Key : null;

    [Benchmark(Description = "document of a write")]
    public object Write() => _oss.Document.Write(Kms, basis: null);

    [Benchmark(Description = "plan")]
    public object Plan() =>
        Planner.Decide(Goal, new Observation(Kms, Document: null), remembered: null, wasInSync: true, Now);

    [Benchmark(Description = "compose a status of one bucket")]
    public object Compose() => StatusComposer.Compose(_small, _smallFindings, TimeSpan.FromDays(1), Now);

    [Benchmark(Description = "compose a status of 256 buckets")]
    public object ComposeLarge() => StatusComposer.Compose(_large, _largeFindings, TimeSpan.FromDays(1), Now);

    [Benchmark(Description = "compare statuses of 256 buckets")]
    public object? Compare() => StatusWriter.IsSame(_status, _statusAgain) ? _status : null;

    [Benchmark(Description = "line of the log, JSON, two scopes")]
    public object LogLine()
    {
        var entry = new LogEntry<string>(
            LogLevel.Information,
            "BucketEncryptionOperator.Reconciling.StatusReporter",
            new EventId(102),
            "Ready is True (InSync), 1/1 buckets in sync",
            exception: null,
            static (text, _) => text
        );
        _formatter.Write(entry, _scopes, TextWriter.Null);
        return _formatter;
    }

    private Observation? Observe(HttpStatusCode status, string body)
    {
        using var message = new HttpResponseMessage(status);
        var response = new VendorResponse(status, body, message.Headers);
        var problem = Answers.Problem(_oss, response, new AnswerContext(AnswerContext.Get) { Now = Now });
        return Answers.Observe(_oss, response, problem).Value;
    }

    private static UnsignedRequest Read(string endpoint, string region) =>
        new(
            HttpMethod.Get,
            new BucketAddress(
                "bench-0-0",
                new Uri(endpoint),
                region,
                Addressing.VirtualHost,
                new VendorOptions.Nothing()
            ),
            Resource.Encryption,
            Key,
            Body: null,
            Now
        );

    private static Findings Found(int buckets) =>
        new(
            [
                .. Enumerable
                    .Range(0, buckets)
                    .Select(i => new BucketResult($"bench-0-{i}", new Outcome.InSync(Kms)) { Owns = true }),
            ],
            Failure: null,
            Attempt: 0
        )
        {
            Partition = "aliyuncs.com",
            Inputs = "2e1660c397909685",
        };

    private static BucketEncryptionPolicy Parse(int buckets) =>
        ObjectReader.ReadObject(Encoding.UTF8.GetBytes(Policy(0, buckets)), ApiResources.Policies).Item
        ?? throw new InvalidOperationException("the policy cannot be read");

    private static string Policy(int i, int buckets) =>
        $$$"""
            {"apiVersion":"bucketencryption.io/v1alpha1","kind":"BucketEncryptionPolicy","metadata":{
              "creationTimestamp":"2026-01-01T00:00:00Z","generation":1,"name":"bench-{{{i}}}","namespace":"bench",
              "resourceVersion":"{{{1000 + i}}}","uid":"23094848-39f1-4ae6-96dc-{{{i:d12}}}"},
             "spec":{"allowDowngrade":false,"buckets":[{{{Each(i, buckets, n => $$"""{"name":"{{n}}"}""")}}}],
              "deletionPolicy":"Retain","encryption":{"algorithm":"KMS","kmsKey":{"id":"example-kms-key-id"} },
              "match":"Exact","resyncInterval":"10m","storeRef":{"kind":"BucketStore","name":"bench"},"suspend":false},
             "status":{"buckets":[{{{Each(i, buckets, Row)}}}],"conditions":[
               {"lastTransitionTime":"2026-01-01T00:00:00Z","message":"The bucket is encrypted as declared.",
                "observedGeneration":1,"reason":"InSync","status":"True","type":"Ready"},
               {"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Every bucket is encrypted as declared.",
                "observedGeneration":1,"reason":"AsDeclared","status":"True","type":"Compliant"}],
              "inputs":"2e1660c397909685","lastVerifiedTime":"2026-01-01T00:00:00Z","observedGeneration":1,
              "summary":{"drifted":0,"failed":0,"inSync":{{{buckets}}},"text":"{{{buckets}}}/{{{buckets}}}",
               "total":{{{buckets}}},"unknown":0} } }
            """;

    private static string Each(int i, int buckets, Func<string, string> form) =>
        string.Join(',', Enumerable.Range(0, buckets).Select(j => form($"bench-{i}-{j}")));

    private static string Row(string name) =>
        $$"""
            {"claimedTime":"2026-01-01T00:00:00Z","heldTime":"2026-01-01T00:00:00Z",
             "lastAppliedTime":"2026-01-01T00:00:00Z","name":"{{name}}","observed":{"algorithm":"KMS",
             "kmsKeyId":"example-kms-key-id"},"partition":"aliyuncs.com","state":"InSync"}
            """;

    /// <summary>The operator's own formatter, with its settings.</summary>
    private static ConsoleFormatter JsonFormatter()
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddJsonConsole(options => options.IncludeScopes = true));
        return services
            .BuildServiceProvider()
            .GetServices<ConsoleFormatter>()
            .First(f => f.Name == ConsoleFormatterNames.Json);
    }
}
