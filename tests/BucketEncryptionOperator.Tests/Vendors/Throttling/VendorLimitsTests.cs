using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Throttling;

public sealed class VendorLimitsTests : IDisposable
{
    private static readonly AccessKey Key = new("id-1", "secret", SecurityToken: null);
    private static readonly BucketAddress Bucket = new(
        "finance-archive",
        new Uri("https://oss-cn-hangzhou.aliyuncs.com"),
        "cn-hangzhou",
        Addressing.VirtualHost,
        VendorOptions.None
    );

    private readonly ManualTimeProvider _time = new();
    private readonly VendorLimits _limits;

    public VendorLimitsTests() => _limits = new VendorLimits(_time);

    public void Dispose() => _limits.Dispose();

    [Fact]
    public async Task One_key_at_one_endpoint_is_one_limit_whatever_the_bucket()
    {
        await SendAsync(Bucket, Key);
        await SendAsync(Bucket with { Bucket = "finance-ledger" }, Key);

        var state = Assert.Single(_limits.States);
        Assert.Equal(("id-1", "oss-cn-hangzhou.aliyuncs.com", 2), (state.Principal, state.Endpoint, state.Requests));
    }

    [Fact]
    public async Task Another_key_and_another_endpoint_have_their_own()
    {
        await SendAsync(Bucket, Key);
        await SendAsync(Bucket, Key with { Id = "id-2", Principal = "id-2" });
        await SendAsync(Bucket with { Endpoint = new Uri("https://oss-cn-shanghai.aliyuncs.com") }, Key);

        Assert.Equal(3, _limits.States.Count);
    }

    [Fact]
    public async Task New_temporary_keys_of_the_same_role_go_on_at_the_pace_that_was_found()
    {
        await SendAsync(Bucket, Key with { Principal = "role" }, new Failure(FailureKind.Throttled, "Get", "SlowDown"));
        _time.Advance(TimeSpan.FromSeconds(1));
        await SendAsync(Bucket, new AccessKey("id-2", "other", "token") { Principal = "role" });

        Assert.InRange(Assert.Single(_limits.States).RequestsPerSecond, 1, RateLimit.Default.RequestsPerSecond - 1);
    }

    /// <summary>
    /// An id is in logs and in presigned URLs. Without the secret it must not be enough to slow its owner down.
    /// </summary>
    [Fact]
    public async Task Another_secret_with_the_same_id_is_another_key()
    {
        var slow = new RateLimit(RequestsPerSecond: 1, Burst: 1, MaxConcurrency: 1);
        await SendAsync(
            Bucket with
            {
                Limit = slow,
            },
            Key with
            {
                Secret = "guessed",
            },
            new Failure(FailureKind.Throttled, "Get", "SlowDown") { RetryAfter = TimeSpan.FromHours(1) }
        );
        await SendAsync(
            Bucket with
            {
                Limit = slow,
            },
            Key with
            {
                SecurityToken = "guessed",
            },
            new Failure(FailureKind.Throttled, "Get", "SlowDown")
        );

        for (var i = 0; i < RateLimit.Default.Burst; i++)
            await SendAsync(Bucket, Key).Within();

        var state = Assert.Single(_limits.States); // metrics have one series for the id
        Assert.Equal(
            (RateLimit.Default.RequestsPerSecond, RateLimit.Default.Burst + 2, 2),
            (state.RequestsPerSecond, state.Requests, state.Throttled)
        );
    }

    /// <summary>Whoever knows a role's name may write it into his own Secret as an id.</summary>
    [Fact]
    public async Task A_key_whose_id_is_the_name_of_a_role_is_not_the_roles()
    {
        await SendAsync(
            Bucket,
            new AccessKey("role", "guessed", SecurityToken: null),
            new Failure(FailureKind.Throttled, "Get", "SlowDown") { RetryAfter = TimeSpan.FromHours(1) }
        );

        await SendAsync(Bucket, Key with { Principal = "role" }).Within();
    }

    [Fact]
    public async Task Keys_without_end_leave_a_bounded_number_of_limits_behind()
    {
        for (var i = 0; i < VendorLimits.MaxLimiters + 10; i++)
            await SendAsync(Bucket, Key with { Id = $"id-{i}", Principal = $"id-{i}" });

        Assert.Equal(VendorLimits.MaxLimiters, _limits.States.Count);
        Assert.DoesNotContain(_limits.States, s => s.Principal == "id-9");
    }

    [Fact]
    public async Task What_nobody_uses_for_an_hour_is_dropped()
    {
        await SendAsync(Bucket, Key);
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        await SendAsync(Bucket, Key with { Id = "id-2", Principal = "id-2" });

        Assert.Equal("id-2", Assert.Single(_limits.States).Principal);
    }

    /// <summary>The way that every vendor request takes: a throttled answer slows the next ones down.</summary>
    [Fact]
    public async Task A_vendors_word_to_go_slower_reaches_the_pace()
    {
        await using var server = new ScriptedServer(_ =>
            ScriptedServer.Answer(503, "<Error><Code>SlowDown</Code></Error>")
        );
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time);
        var api = new VendorServices(http, new ServerClocks(_time), _limits).Connect(Dialects.All["s3"]);

        await Assert.ThrowsAsync<VendorException>(() =>
            api.GetAsync(
                Bucket with
                {
                    Endpoint = server.Address,
                    Addressing = Addressing.CName,
                },
                Key,
                CancellationToken.None
            )
        );

        var state = Assert.Single(_limits.States);
        Assert.Equal((1, 1, 0, 16.0), (state.Requests, state.Throttled, state.InFlight, state.RequestsPerSecond));
    }

    /// <summary>
    /// The wait for a turn may last as long as a lease: what was allowed before it says nothing after it.
    /// </summary>
    [Theory]
    [InlineData("a put")]
    [InlineData("a delete")]
    public async Task A_write_that_waited_for_its_turn_until_the_lease_was_lost_is_not_sent(string write)
    {
        var (requests, mayWrite) = (0, true);
        await using var server = new ScriptedServer(_ =>
        {
            Interlocked.Increment(ref requests);
            return ScriptedServer.Answer(200, "");
        });
        using var http = new VendorHttp("test/1.0", TimeSpan.FromSeconds(10), _time);
        var api = new VendorServices(http, new ServerClocks(_time), _limits).Connect(Dialects.All["s3"]);
        var address = Bucket with
        {
            Endpoint = server.Address,
            Addressing = Addressing.CName,
            Limit = new RateLimit(1, 1, 1),
        };
        await SendAsync(address, Key);

        var waiting =
            write == "a put"
                ? api.PutAsync(
                    address,
                    Key,
                    api.Write(
                        new BucketEncryption.Aes256(),
                        new Observation(new BucketEncryption.None(), Document: null)
                    ),
                    LastCheck
                )
                : api.DeleteAsync(address, Key, LastCheck);
        await _time.TimersScheduledAsync(1).Within();
        mayWrite = false;
        _time.Advance(TimeSpan.FromSeconds(2));

        var stopped = await Assert.ThrowsAsync<VendorException>(() => waiting.Within());
        Assert.Equal(("NotLeading", true, 0), (stopped.Failure.Code, stopped.Failure.NotSent, requests));

        Failure? LastCheck() => mayWrite ? null : NotLeading.Failure;
    }

    private async Task SendAsync(BucketAddress address, AccessKey key, Failure? failure = null)
    {
        using var turn = await _limits.EnterAsync(address, key, "Get", requests: 1, CancellationToken.None);
        turn.Send().Answered(failure);
    }
}
