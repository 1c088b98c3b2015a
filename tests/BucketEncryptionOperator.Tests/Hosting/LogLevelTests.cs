using System.Collections.Concurrent;
using System.Net;
using BucketEncryptionOperator.Hosting;
using BucketEncryptionOperator.Tests.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TestKit;

namespace BucketEncryptionOperator.Tests.Hosting;

public sealed class LogLevelTests : IAsyncLifetime, IDisposable
{
    private readonly LogLevels _levels = new(LogLevel.Information);
    private readonly ConcurrentQueue<string> _said = new();
    private readonly HttpClient _http = new();
    private WebApplication? _app;
    private Uri _admin = new("http://127.0.0.1:1");
    private Uri _public = new("http://127.0.0.1:1");

    public async Task InitializeAsync()
    {
        var port = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseUrls("http://127.0.0.1:0", $"http://127.0.0.1:{port}");
        _app = builder.Build();
        _app.MapLogLevel(port, _levels, new RecordingLogger<LogLevelTests>(_said));
        await _app.StartAsync();
        _admin = new Uri($"http://127.0.0.1:{port}/loglevel");
        _public = new Uri(
            new Uri(_app.Urls.Single(u => !u.EndsWith($":{port}", StringComparison.Ordinal))),
            "/loglevel"
        );
    }

    public async Task DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task The_level_is_told_and_changed_and_the_change_is_logged()
    {
        Assert.Equal("Information", await _http.GetStringAsync(_admin));

        Assert.Equal((HttpStatusCode.OK, "Debug"), await PutAsync(_admin, "debug\n"));

        Assert.Equal("Debug", await _http.GetStringAsync(_admin));
        Assert.True(_levels.IsEnabled("BucketEncryptionOperator.Reconciling", LogLevel.Debug));
        Assert.Contains(
            "The least level to log was Information and is Debug",
            Assert.Single(_said),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("+1")]
    [InlineData("loud")]
    [InlineData("informationinformationinformation")]
    public async Task What_is_no_level_changes_nothing(string body)
    {
        var (status, text) = await PutAsync(_admin, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("Debug", text, StringComparison.Ordinal);
        Assert.Equal(LogLevel.Information, _levels.Minimum);
    }

    [Fact]
    public async Task Where_probes_and_metrics_are_nobody_can_change_it()
    {
        using var forged = new HttpRequestMessage(HttpMethod.Put, _public) { Content = new StringContent("Trace") };
        forged.Headers.Host = _admin.Authority;

        using var answer = await _http.SendAsync(forged);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await PutAsync(_public, "Trace")).Status);
        Assert.Equal(LogLevel.Information, _levels.Minimum);
    }

    [Fact]
    public async Task A_page_in_a_browser_whose_name_leads_to_loopback_can_not()
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, _admin) { Content = new StringContent("Trace") };
        request.Headers.Host = "evil.example:" + _admin.Port;

        using var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting", LogLevel.Information, false)]
    [InlineData("System.Net.Http", LogLevel.Debug, false)]
    [InlineData("Microsoft.AspNetCore.Hosting", LogLevel.Warning, true)]
    [InlineData("BucketEncryptionOperator.Hosting", LogLevel.Trace, true)]
    public void Of_what_dotnet_says_only_warnings_pass_at_any_level(string category, LogLevel level, bool passes) =>
        Assert.Equal(passes, new LogLevels(LogLevel.Trace).IsEnabled(category, level));

    private async Task<(HttpStatusCode Status, string Text)> PutAsync(Uri address, string body)
    {
        using var content = new StringContent(body);
        using var answer = await _http.PutAsync(address, content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
