using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using KubeRuntime.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Client;

/// <summary>
/// Certificates and servers are replaced while one client runs; HTTP/2 over TLS, real sockets, files on disk.
/// </summary>
public sealed class RotationTests : IAsyncDisposable
{
    private static readonly NamespacedName Key = new("ns", "a");
    private readonly ManualTimeProvider _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("rotation-test-").FullName;
    private readonly List<WebApplication> _servers = [];
    private readonly TestCertificates _old = new("old-ca");
    private readonly TestCertificates _new = new("new-ca");
    private readonly TaskCompletionSource _endWatches = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, int> _connections = new(StringComparer.Ordinal);
    private volatile string _admitted = "";
    private int _port;

    public async ValueTask DisposeAsync()
    {
        _endWatches.TrySetResult();
        foreach (var server in _servers)
            await server.DisposeAsync().AsTask().Within();
        _old.Dispose();
        _new.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("a kubeconfig's certificate-authority")]
    [InlineData("a pod's ca.crt")]
    public async Task A_server_with_a_certificate_of_a_new_authority_is_trusted_once_the_file_holds_that_authority(
        string file
    )
    {
        var first = await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        using var client = Client(file.StartsWith("a pod", StringComparison.Ordinal) ? InCluster() : FromKubeconfig());
        await GetAsync(client);
        await StopAsync(first);
        await StartAsync(_new);

        var refused = await FailureAsync(client);
        if (!refused.Message.Contains("certificate", StringComparison.Ordinal))
            refused = await FailureAsync(client); // the first ended with the old connection
        Write("ca.crt", _new.AuthorityPem);
        var widget = await GetAsync(client);

        Assert.Equal(KubeFailureKind.Transient, refused.Failure);
        Assert.Contains(
            "certificate is invalid because of errors in the certificate chain",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.Equal("a", widget.Metadata.Name);
    }

    [Fact]
    public async Task A_client_certificate_that_is_replaced_is_presented_after_a_minute_or_when_the_old_one_is_refused()
    {
        await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        WriteClient("first");
        using var client = Client(FromKubeconfig("{client-certificate: me.crt, client-key: me.key}"));
        Assert.Equal("CN=first", (await GetAsync(client)).Metadata.Uid);

        WriteClient("second");
        Assert.Equal("CN=first", (await GetAsync(client)).Metadata.Uid);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("CN=second", (await GetAsync(client)).Metadata.Uid);

        WriteClient("third");
        _admitted = "CN=third";
        Assert.Equal(KubeFailureKind.Transient, (await FailureAsync(client)).Failure);
        Assert.Equal("CN=third", (await GetAsync(client)).Metadata.Uid);
    }

    [Fact]
    public async Task A_certificate_whose_key_has_yet_to_be_replaced_is_not_presented()
    {
        await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        WriteClient("first");
        using var client = Client(FromKubeconfig("{client-certificate: me.crt, client-key: me.key}"));
        var (certificate, key) = _old.Client("second");

        Write("me.crt", certificate);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("CN=first", (await GetAsync(client)).Metadata.Uid);
        Write("me.key", key);
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("CN=second", (await GetAsync(client)).Metadata.Uid);
    }

    [Fact]
    public async Task Files_that_stay_as_they_are_keep_the_connection()
    {
        await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        WriteClient("first");
        using var client = Client(FromKubeconfig("{client-certificate: me.crt, client-key: me.key}"));

        for (var i = 0; i < 3; i++)
        {
            await GetAsync(client);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Single(_connections);
    }

    [Fact]
    public async Task What_runs_on_the_old_connections_goes_on_when_a_certificate_is_replaced()
    {
        await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        WriteClient("first");
        using var client = Client(FromKubeconfig("{client-certificate: me.crt, client-key: me.key}"));
        using var watch = await client
            .WatchAsync(Widget.Resource, new WatchScope("ns"), "1", TimeSpan.FromMinutes(5), CancellationToken.None)
            .Within();
        await watch.ReadAsync(CancellationToken.None).Within();

        WriteClient("second");
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("CN=second", (await GetAsync(client)).Metadata.Uid);
        _endWatches.SetResult();

        Assert.Equal("3", (await watch.ReadAsync(CancellationToken.None).Within())?.ResourceVersion);
        Assert.Null(await watch.ReadAsync(CancellationToken.None).Within());
    }

    /// <summary>
    /// An API server that is shut down in good order sends GOAWAY: what it has begun it ends, and wants nothing new.
    /// </summary>
    [Fact]
    public async Task After_a_goaway_a_watch_is_read_to_its_end_and_new_calls_go_to_a_new_connection()
    {
        var leaving = await StartAsync(_old);
        Write("ca.crt", _old.AuthorityPem);
        using var client = Client(FromKubeconfig());
        using var watch = await client
            .WatchAsync(Widget.Resource, new WatchScope("ns"), "1", TimeSpan.FromMinutes(5), CancellationToken.None)
            .Within();
        await watch.ReadAsync(CancellationToken.None).Within();

        var stopped = leaving.StopAsync();
        await StartAsync(_old);
        while ((await GetAsync(client)).Metadata.ResourceVersion != "2")
            await Task.Yield();
        Assert.False(stopped.IsCompleted);
        _endWatches.SetResult();

        Assert.Equal("3", (await watch.ReadAsync(CancellationToken.None).Within())?.ResourceVersion);
        Assert.Null(await watch.ReadAsync(CancellationToken.None).Within());
        await stopped.Within();
    }

    private static Task<Widget> GetAsync(KubeClient client) =>
        client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

    private static Task<KubeApiException> FailureAsync(KubeClient client) =>
        Assert.ThrowsAsync<KubeApiException>(() => GetAsync(client));

    private KubeClient Client(KubeConnection connection) => new(connection, "test/1.0", _clock);

    private KubeConnection InCluster()
    {
        Write("token", "t0");
        return KubeConfig.InCluster("127.0.0.1", $"{_port}", _folder, _clock);
    }

    private KubeConnection FromKubeconfig(string user = "{}")
    {
        Write(
            "config",
            $$$"""
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://127.0.0.1:{{{_port}}}", certificate-authority: ca.crt}}]
            users: [{name: u, user: {{{user}}} }]
            """
        );
        return KubeConfig.FromFiles([Path.Combine(_folder, "config")], context: null, _ => null, _clock);
    }

    private void WriteClient(string name)
    {
        var (certificate, key) = _old.Client(name);
        Write("me.crt", certificate);
        Write("me.key", key);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    /// <summary>The next server, on the same port, as soon as that is free.</summary>
    private async Task<WebApplication> StartAsync(TestCertificates authority)
    {
        var certificate = authority.Server(dnsName: null, IPAddress.Loopback);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        while (true)
        {
            var app = Build(certificate, _servers.Count + 1);
            try
            {
                await app.StartAsync(patience.Token);
                _servers.Add(app);
                _port = new Uri(app.Urls.Single()).Port;
                return app;
            }
            catch (IOException) when (!patience.IsCancellationRequested)
            {
                await app.DisposeAsync(); // the one before still listens
            }
        }
    }

    private Task StopAsync(WebApplication server)
    {
        _endWatches.TrySetResult();
        return server.StopAsync().Within();
    }

    private WebApplication Build(X509Certificate2 certificate, int generation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
            k.Listen(
                IPAddress.Loopback,
                _port,
                listen =>
                {
                    listen.Protocols = HttpProtocols.Http2;
                    listen.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                        https.ClientCertificateValidation = (_, _, _) => true;
                    });
                }
            )
        );
        var app = builder.Build();
        app.Run(context => AnswerAsync(context, generation));
        return app;
    }

    /// <summary>
    /// Says who asks, and which server answers. A watch has one line, and another and its end when that is asked for.
    /// </summary>
    private async Task AnswerAsync(HttpContext context, int generation)
    {
        _connections[context.Connection.Id] = generation;
        var subject = context.Connection.ClientCertificate?.Subject ?? "-";
        if (_admitted.Length > 0 && subject != _admitted)
            context.Response.StatusCode = 401;
        else if (!context.Request.Query.ContainsKey("watch"))
            await context.Response.WriteAsync(
                $$$"""{"metadata":{"name":"a","uid":"{{{subject}}}","resourceVersion":"{{{generation}}}"}}"""
            );
        else
        {
            await context.Response.WriteAsync(Widget.Bookmark(2) + "\n");
            await context.Response.Body.FlushAsync();
            await _endWatches.Task;
            await context.Response.WriteAsync(Widget.Bookmark(3) + "\n");
        }
    }
}
