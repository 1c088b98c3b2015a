using KubeRuntime.Client;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Client;

public sealed class ServerWarningsTests : IAsyncDisposable
{
    private readonly ScriptedApiServer _server = ScriptedApiServer.Start();
    private readonly RecordingLogger _logger = new();
    private readonly ServerWarnings _warnings;

    public ServerWarningsTests() => _warnings = new ServerWarnings(_logger);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_warning_is_logged_once_whoever_hears_it()
    {
        const string Header =
            "Warning: 299 - \"widgets v1 is \\\"old\\\", use v2\", 299 - \"unknown field \\\"a\\\\b\\\"\"";
        _server.Script(
            Answer.Whole(Widget.Json("a", 1), 200, Header),
            Answer.Whole(Widget.Json("a", 1), 200, Header),
            Answer.Whole("", 404, "Warning: 299 - \"third\"")
        );
        _server.Otherwise = _ => new Answer { Headers = ["Warning: 299 - \"of a watch\""] }.Text("\n");

        await CallAsync();
        await CallAsync();
        await Assert.ThrowsAsync<KubeApiException>(CallAsync);
        using (var client = Client())
            (
                await client
                    .WatchAsync(
                        Widget.Resource,
                        new WatchScope("ns"),
                        "1",
                        TimeSpan.FromMinutes(5),
                        CancellationToken.None
                    )
                    .Within()
            ).Dispose();

        Assert.Equal(["widgets v1 is \"old\", use v2", "unknown field \"a\\b\"", "third", "of a watch"], Texts());
    }

    [Theory]
    [InlineData("another code", "Warning: 214 proxy \"transformed\"")]
    [InlineData("no warning", "Warning: nonsense")]
    [InlineData("a text without quotes", "Warning: 299 - nonsense")]
    public async Task What_is_no_warning_of_an_API_server_is_not_logged(string rule, string header)
    {
        _server.Script(Answer.Whole(Widget.Json("a", 1), 200, header));

        await CallAsync();

        Assert.True(_logger.Entries.Count == 0, rule);
    }

    [Fact]
    public async Task Neither_the_number_of_texts_nor_their_length_is_the_servers_to_choose()
    {
        var calls = 0;
        _server.Otherwise = _ =>
            Answer.Whole(Widget.Json("a", 1), 200, $"Warning: 299 - \"{++calls:d4}{new string('x', 2000)}\"");

        for (var i = 0; i < 110; i++)
            await CallAsync();

        Assert.Equal(100, Texts().Count);
        Assert.All(Texts(), t => Assert.Equal(512, t.Length));
    }

    private List<string> Texts()
    {
        const string Before = "The API server warns: ";
        Assert.All(
            _logger.Entries,
            e => Assert.True(e.Level == LogLevel.Warning && e.Text.StartsWith(Before, StringComparison.Ordinal), e.Text)
        );
        return [.. _logger.Entries.Select(e => e.Text[Before.Length..])];
    }

    private async Task CallAsync()
    {
        using var client = Client();
        await client.GetAsync(Widget.Resource, new NamespacedName("ns", "a"), CancellationToken.None).Within();
    }

    private KubeClient Client() => new(new KubeConnection(_server.Address), "test/1.0", TimeProvider.System, _warnings);
}
