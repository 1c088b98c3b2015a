using System.Net;
using System.Security.Cryptography.X509Certificates;
using KubeRuntime.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using TestKit;

namespace KubeRuntime.Tests.Client;

/// <summary>The real thing: HTTP/2 over TLS, with certificates made for the run.</summary>
public sealed class TlsTests(TlsTests.Server server) : IClassFixture<TlsTests.Server>
{
    private static readonly NamespacedName Key = new("ns", "a");
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task A_server_of_our_authority_is_accepted_over_HTTP_2_and_gets_the_token()
    {
        using var client = Client(Trusting(server.Ours, server.ByAddress) with { Token = BearerToken.FromText("t0") });

        var widget = await client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        Assert.Equal("HTTP/2 Bearer t0 -", widget.Metadata.Uid);
    }

    [Fact]
    public async Task A_server_of_another_authority_is_refused()
    {
        using var other = new TestCertificates("other-ca");
        using var client = Client(Trusting(other, server.ByAddress));

        var e = await FailureAsync(client);

        Assert.Contains("certificate", e.Message);
    }

    [Fact]
    public async Task A_server_that_the_system_does_not_know_is_refused_when_no_authority_is_given()
    {
        using var client = Client(new KubeConnection(server.ByAddress));

        Assert.Contains("certificate", (await FailureAsync(client)).Message);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        using var client = Client(Trusting(server.Ours, server.ByName));

        Assert.Contains("NameMismatch", (await FailureAsync(client)).Message);
    }

    [Fact]
    public async Task Tls_server_name_is_the_name_to_expect()
    {
        using var right = Client(Trusting(server.Ours, server.ByName) with { TlsServerName = "api.test" });
        using var wrong = Client(Trusting(server.Ours, server.ByAddress) with { TlsServerName = "elsewhere.test" });

        var widget = await right.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        Assert.Equal("a", widget.Metadata.Name);
        Assert.Contains("NameMismatch", (await FailureAsync(wrong)).Message);
    }

    [Fact]
    public async Task A_client_certificate_is_presented()
    {
        var (certificate, key) = server.Ours.Client("someone");
        using var mine = X509Certificate2.CreateFromPem(certificate, key);
        using var client = Client(
            Trusting(server.Ours, server.ByAddress) with
            {
                ClientCertificate = Renewable.Of<X509Certificate2>(mine),
            }
        );

        var widget = await client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        Assert.Equal("HTTP/2 - CN=someone", widget.Metadata.Uid);
    }

    [Fact]
    public async Task A_stream_that_is_reset_is_a_passing_failure_and_the_connection_goes_on()
    {
        using var client = Client(Trusting(server.Ours, server.ByAddress));
        var release = server.NextWatch();
        using var reader = await client
            .WatchAsync(Widget.Resource, new WatchScope("ns"), "1", TimeSpan.FromMinutes(5), CancellationToken.None)
            .Within();
        var line = await reader.ReadAsync(CancellationToken.None).Within();

        release.SetResult();
        var e = await Assert.ThrowsAsync<KubeApiException>(() => reader.ReadAsync(CancellationToken.None).Within());
        var widget = await client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within();

        Assert.Equal("2", line?.ResourceVersion);
        Assert.Equal(KubeFailureKind.Transient, e.Failure);
        Assert.Equal("a", widget.Metadata.Name);
    }

    [Fact]
    public async Task A_watch_that_is_given_up_is_closed_on_the_server_too()
    {
        using var client = Client(Trusting(server.Ours, server.ByAddress));
        server.NextWatch();
        using var cancel = new CancellationTokenSource();
        var reader = await client
            .WatchAsync(Widget.Resource, new WatchScope("ns"), "1", TimeSpan.FromMinutes(5), CancellationToken.None)
            .Within();
        await reader.ReadAsync(CancellationToken.None).Within();
        var pending = reader.ReadAsync(cancel.Token);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending.Within());
        reader.Dispose();

        await server.WatchGone.Within();
    }

    private static Task<KubeApiException> FailureAsync(KubeClient client) =>
        Assert.ThrowsAsync<KubeApiException>(() =>
            client.GetAsync(Widget.Resource, Key, CancellationToken.None).Within()
        );

    private static KubeConnection Trusting(TestCertificates authority, Uri server) =>
        new(server) { CertificateAuthorities = Renewable.Of<X509Certificate2Collection>([authority.Authority]) };

    private KubeClient Client(KubeConnection connection) => new(connection, "test/1.0", _clock);

    /// <summary>
    /// Answers each object with what it saw of the client, and each watch with one bookmark and, when released, a
    /// reset.
    /// </summary>
#pragma warning disable CA1001 // xunit disposes through IAsyncLifetime.
    public sealed class Server : IAsyncLifetime
#pragma warning restore CA1001
    {
        private WebApplication? _app;
        private TaskCompletionSource _release = new();
        private TaskCompletionSource _gone = new();

        internal TestCertificates Ours { get; } = new("kube-ca");

        public Uri ByAddress => new($"https://127.0.0.1:{Port(0)}");

        /// <summary>The certificate here is for api.test only.</summary>
        public Uri ByName => new($"https://127.0.0.1:{Port(1)}");

        public Task WatchGone => _gone.Task;

        public TaskCompletionSource NextWatch()
        {
            _gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public async Task InitializeAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrelHttpsConfiguration();
            builder.WebHost.ConfigureKestrel(k =>
            {
                k.Listen(IPAddress.Loopback, 0, l => Secure(l, Ours.Server(dnsName: null, IPAddress.Loopback)));
                k.Listen(IPAddress.Loopback, 0, l => Secure(l, Ours.Server("api.test", address: null)));
            });
            _app = builder.Build();
            _app.Run(AnswerAsync);
            await _app.StartAsync().Within();
        }

        public async Task DisposeAsync()
        {
            _release.TrySetResult();
            if (_app is not null)
                await _app.DisposeAsync().AsTask().Within();
            Ours.Dispose();
        }

        private static void Secure(ListenOptions listen, X509Certificate2 certificate)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = (_, _, _) => true;
            });
        }

        private int Port(int index) => new Uri(_app?.Urls.ElementAt(index) ?? "").Port;

        private async Task AnswerAsync(HttpContext context)
        {
            if (!context.Request.Query.ContainsKey("watch"))
            {
                var authorization = context.Request.Headers.Authorization.ToString() is { Length: > 0 } a ? a : "-";
                var seen =
                    $"{context.Request.Protocol} {authorization} "
                    + $"{context.Connection.ClientCertificate?.Subject ?? "-"}";
                await context.Response.WriteAsync($$$"""{"metadata":{"name":"a","uid":"{{{seen}}}"}}""");
                return;
            }
            var (release, gone) = (_release, _gone);
            context.RequestAborted.Register(() => gone.TrySetResult());
            await context.Response.WriteAsync(Widget.Bookmark(2) + "\n" + Widget.Bookmark(3)[..10]);
            await context.Response.Body.FlushAsync();
            await Task.WhenAny(release.Task, gone.Task);
            context.Abort();
        }
    }
}
