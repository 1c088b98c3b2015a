using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Tests.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Protocol;

namespace BucketEncryptionOperator.Tests.Vendors.Pipeline;

public sealed partial class BucketEncryptionApiTests
{
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
            .Sign(
                new UnsignedRequest(
                    HttpMethod.Get,
                    At(server),
                    Resource.Encryption,
                    Dialects.Key,
                    Body: null,
                    Dialects.Now
                )
            );
        using var corrected = Dialects
            .All[vendor]
            .Sign(
                new UnsignedRequest(
                    HttpMethod.Get,
                    At(server),
                    Resource.Encryption,
                    Dialects.Key,
                    Body: null,
                    serverTime
                )
            );
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
}
