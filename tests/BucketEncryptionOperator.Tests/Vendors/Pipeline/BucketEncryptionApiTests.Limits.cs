using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class BucketEncryptionApiTests
{
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
    public async Task An_endpoint_that_has_not_answered_three_requests_is_not_sent_a_fourth_and_nobody_waits_for_it()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = Api(breakers);
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
        var api = Api(breakers);

        for (var i = 0; i < 5; i++)
            await Assert
                .ThrowsAsync<VendorException>(() => api.GetAsync(At(server), Dialects.Key, CancellationToken.None))
                .Within();

        Assert.True(server.Requests.Count == 5, sentence);
    }

    [Theory]
    [InlineData("the vendor's error", 500, true)]
    [InlineData("as if it were asked too often", 503, true)]
    [InlineData("there is no such bucket", 404, false)]
    [InlineData("asked too often", 429, false)]
    public async Task The_end_of_a_row_of_faults_is_the_end_of_an_outage(string sentence, int status, bool isTold)
    {
        var answers = 0;
        await using var server = new ScriptedServer(_ => ScriptedServer.Answer(++answers <= 4 ? status : 403));
        using var breakers = new EndpointCircuitBreakers(_time);
        var changes = new List<EndpointChange>();
        breakers.Listen((_, change) => changes.Add(change));
        var api = Api(breakers);

        for (var i = 0; i < 5; i++)
        {
            await Assert
                .ThrowsAsync<VendorException>(() => api.GetAsync(At(server), Dialects.Key, CancellationToken.None))
                .Within();
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.True(changes.SequenceEqual(isTold ? [EndpointChange.Up] : []), sentence);
    }

    [Fact]
    public async Task A_write_that_its_last_check_stops_leaves_the_endpoints_probe_to_the_next_request()
    {
        await using var server = new ScriptedServer(_ => new Reply.Silence());
        using var breakers = new EndpointCircuitBreakers(_time);
        var api = Api(breakers);
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

    private IBucketEncryptionApi Api(EndpointCircuitBreakers breakers) =>
        new VendorServices(_http, new ServerClocks(_time), _limits) { EndpointBreakers = breakers }.Connect(
            Dialects.All["s3"]
        );
}
