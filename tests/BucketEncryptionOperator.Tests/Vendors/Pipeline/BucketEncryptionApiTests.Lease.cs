using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Protocol;
using BucketEncryptionOperator.Vendors.Throttling;
using TestKit;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class BucketEncryptionApiTests
{
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
}
