using System.Text;
using System.Xml.Linq;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

public sealed class FaultTests : SimulatorTest
{
    [Fact]
    public async Task An_error_strikes_at_its_call_and_for_its_times()
    {
        await Admin.InjectAsync(
            new FaultRule(FaultActions.Error)
            {
                Bucket = Bucket,
                Operations = [StoreOperations.Put],
                FromCall = 2,
                Times = 2,
                Status = 503,
                Code = "MetaOperationQpsLimitExceeded",
                Ec = "0004-00000302",
                RetryAfterSeconds = 7,
            }
        );

        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(200, null);
        (await Oss.DeleteAsync()).AssertIs(204, null);
        StoreTestAnswer struck = await Oss.PutAsync(OssTestClient.Rule("AES256"));
        struck.AssertIs(503, "MetaOperationQpsLimitExceeded");
        Assert.Equal(("0004-00000302", "7"), (struck.Headers["x-oss-ec"], struck.Headers["Retry-After"]));
        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(503, "MetaOperationQpsLimitExceeded");
        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(200, null);

        FaultStatus status = Assert.Single(await Admin.GetFaultsAsync());
        Assert.Equal((4, 2), (status.Seen, status.Struck));
    }

    [Fact]
    public async Task A_rate_strikes_only_what_comes_faster()
    {
        await Admin.InjectAsync(
            new FaultRule(FaultActions.Error)
            {
                AbovePerSecond = 2,
                Status = 503,
                Code = "SlowDown",
            }
        );

        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.DeleteAsync()).AssertIs(503, "SlowDown");
        Clock.Advance(TimeSpan.FromSeconds(0.5));
        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.DeleteAsync()).AssertIs(503, "SlowDown");
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.DeleteAsync()).AssertIs(204, null);
        (await Oss.DeleteAsync()).AssertIs(503, "SlowDown");
    }

    [Fact]
    public async Task A_fault_can_be_about_one_key_only()
    {
        await Admin.SetAccountAsync("other", new SimulatedAccount("sk"));
        await Admin.InjectAsync(new FaultRule(FaultActions.Error) { AccessKeyId = "other" });

        (await Oss.DeleteAsync(new OssTestRequest { KeyId = "other" })).AssertIs(500, "InternalError");
        (await Oss.DeleteAsync()).AssertIs(204, null);
    }

    [Fact]
    public async Task Chances_are_the_same_for_the_same_seed()
    {
        string first = await RunAsync(seed: 42);
        string again = await RunAsync(seed: 42);
        string other = await RunAsync(seed: 43);

        Assert.Equal(first, again);
        Assert.False(first == other, "Another seed gave the same chances.");
        Assert.Contains("5", first, StringComparison.Ordinal);
        Assert.Contains("2", first, StringComparison.Ordinal);

        async Task<string> RunAsync(int seed)
        {
            await Admin.ClearFaultsAsync();
            await Admin.InjectAsync(new FaultRule(FaultActions.Error) { Probability = 0.5, Seed = seed });
            StringBuilder statuses = new();
            for (int i = 0; i < 24; i++)
            {
                statuses.Append((int)(await Oss.DeleteAsync()).Status / 100);
            }

            return statuses.ToString();
        }
    }

    [Fact]
    public async Task A_reset_does_nothing_and_breaks_the_connection()
    {
        await Admin.InjectAsync(new FaultRule(FaultActions.Reset) { Times = 1 });

        await AssertBrokenAsync(() => Oss.PutAsync(OssTestClient.Rule("AES256")));

        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
        (await Oss.PutAsync(OssTestClient.Rule("AES256"))).AssertIs(200, null);
    }

    [Fact]
    public async Task A_lost_answer_has_been_carried_out()
    {
        await Admin.InjectAsync(new FaultRule(FaultActions.AnswerLost) { Times = 1 });

        await AssertBrokenAsync(() => Oss.PutAsync(OssTestClient.Rule("AES256")));

        Assert.Equal(OssTestClient.Rule("AES256"), await Admin.GetEncryptionAsync(Bucket));
        Assert.Equal(1, (await Admin.GetCountersAsync()).AcceptedWrites(Bucket));
    }

    [Fact]
    public async Task Half_a_body_ends_before_its_length()
    {
        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        await Admin.InjectAsync(new FaultRule(FaultActions.Truncate));

        HttpIOException get = await AssertBrokenAsync(() => Oss.GetAsync());
        HttpIOException put = await AssertBrokenAsync(() => Oss.PutAsync(OssTestClient.Rule("KMS")));

        Assert.Equal(
            (HttpRequestError.ResponseEnded, HttpRequestError.ResponseEnded),
            (get.HttpRequestError, put.HttpRequestError)
        );
        Assert.Equal(OssTestClient.Rule("KMS"), await Admin.GetEncryptionAsync(Bucket));
    }

    [Fact]
    public async Task Latency_waits_on_the_simulators_clock()
    {
        await Admin.InjectAsync(new FaultRule(FaultActions.Latency) { LatencyMs = 1500 });
        await Admin.InjectAsync(new FaultRule(FaultActions.Latency) { LatencyMs = 500 });

        Task<StoreTestAnswer> delete = Oss.DeleteAsync();
        await Clock.TimersScheduledAsync(1).WaitAsync(Patience);
        Clock.Advance(TimeSpan.FromMilliseconds(1999));
        Assert.Equal(1, Clock.ScheduledTimers);
        Clock.Advance(TimeSpan.FromMilliseconds(1));

        (await delete.WaitAsync(Patience)).AssertIs(204, null);
    }

    [Fact]
    public async Task A_hanging_request_ends_when_the_client_gives_up_and_has_done_nothing()
    {
        await Admin.InjectAsync(new FaultRule(FaultActions.Hang));
        using CancellationTokenSource givesUp = new();
        Task<StoreTestAnswer> put = Oss.SendAsync(
            new OssTestRequest { Method = HttpMethod.Put, Body = OssTestClient.Rule("AES256") },
            givesUp.Token
        );
        await Admin.WaitForCountersAsync(counters => counters.InFlight == 1);

        await givesUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);
        SimulatorCounters counters = await Admin.WaitForCountersAsync(counters => counters.InFlight == 0);
        Assert.Equal(1, counters.Total.Spoiled);
        Assert.Null(await Admin.GetEncryptionAsync(Bucket));
    }

    [Fact]
    public async Task A_hanging_request_does_not_keep_the_simulator_from_stopping()
    {
        await Admin.InjectAsync(new FaultRule(FaultActions.Hang));
        Task<StoreTestAnswer> hanging = Oss.GetAsync();
        await Admin.WaitForCountersAsync(counters => counters.InFlight == 1);

        await StopServerAsync().WaitAsync(Patience);

        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task An_empty_body_tells_its_error_in_x_oss_err()
    {
        await Admin.InjectAsync(
            new FaultRule(FaultActions.EmptyBody)
            {
                Times = 1,
                Status = 403,
                Code = "AccessDenied",
            }
        );
        await Admin.InjectAsync(new FaultRule(FaultActions.EmptyBody) { Times = 1 });

        StoreTestAnswer injected = await Oss.GetAsync();
        StoreTestAnswer genuine = await Oss.GetAsync();

        Assert.Equal((403, "", "AccessDenied"), ((int)injected.Status, injected.Body, CodeIn(injected)));
        Assert.Equal((404, "", "NoSuchServerSideEncryptionRule"), ((int)genuine.Status, genuine.Body, CodeIn(genuine)));

        static string CodeIn(StoreTestAnswer answer) =>
            XElement
                .Parse(Encoding.UTF8.GetString(Convert.FromBase64String(answer.Headers["x-oss-err"])))
                .Element("Code")!
                .Value;
    }

    [Fact]
    public async Task Garbage_is_no_XML_and_can_come_as_any_status()
    {
        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        await Admin.InjectAsync(new FaultRule(FaultActions.Garbage) { Times = 1 });
        await Admin.InjectAsync(new FaultRule(FaultActions.Garbage) { Times = 1, Status = 502 });

        StoreTestAnswer asIs = await Oss.GetAsync();
        StoreTestAnswer proxy = await Oss.GetAsync();

        Assert.Equal((200, 502), ((int)asIs.Status, (int)proxy.Status));
        Assert.Throws<System.Xml.XmlException>(() => asIs.Xml);
    }

    [Fact]
    public async Task An_endless_body_goes_on_for_as_long_as_asked()
    {
        await Oss.PutAsync(OssTestClient.Rule("AES256"));
        await Admin.InjectAsync(new FaultRule(FaultActions.Endless) { Bytes = 3_000_000 });

        StoreTestAnswer answer = await Oss.GetAsync();

        Assert.InRange(answer.Body.Length, 3_000_000, 3_100_000);
    }

    [Fact]
    public async Task A_misspelt_rule_is_refused_and_does_not_match_everything()
    {
        using HttpClient http = new();
        using StringContent body = new("""{"action":"error","buckt":"b-one"}""");

        using HttpResponseMessage response = await http.PostAsync(new Uri(Admin.Url, "/_admin/faults"), body);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Empty(await Admin.GetFaultsAsync());
    }

    private static async Task<HttpIOException> AssertBrokenAsync(Func<Task> send)
    {
        HttpRequestException broken = await Assert.ThrowsAsync<HttpRequestException>(send);
        return broken.InnerException as HttpIOException ?? new HttpIOException(broken.HttpRequestError);
    }
}
