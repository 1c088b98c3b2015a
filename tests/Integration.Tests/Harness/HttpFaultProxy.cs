using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KubeRuntime.Client;
using KubeRuntime.Tests.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Integration.Tests.Harness;

/// <summary>
/// A reverse proxy before an API server that speaks HTTP: HTTP/2 to both sides, TLS with a certificate of the test's
/// own authority, headers (bearer token included) and bodies as they come, answers as they arrive. <see cref="Faults"/>
/// says what goes wrong. Client certificates end here. What breaks behind it breaks the client's stream; it never makes
/// up a 502.
/// </summary>
internal sealed class HttpFaultProxy : IAsyncDisposable
{
    private const int BufferSize = 16 * 1024;
    private static readonly string[] NotForwarded = ["Host", "Connection", "Transfer-Encoding", "Content-Length"];

    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private readonly Uri _server;
    private int _calls;
    private int _struck;

    private HttpFaultProxy(WebApplication app, KubeConnection server)
    {
        _app = app;
        _server = server.Server;
        var chain = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        chain.CustomTrustStore.AddRange(server.CertificateAuthorities.Current);
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = chain },
                EnableMultipleHttp2Connections = true,
                UseCookies = false,
                UseProxy = false,
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        app.Run(ServeAsync);
    }

    /// <summary>
    /// For each call; null lets it pass. It may be set at any time, and holds for calls that come after that.
    /// </summary>
    public Func<ProxiedCall, HttpFault?> Faults { get; set; } = _ => null;

    public int Port => new Uri(_app.Urls.Single()).Port;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Calls that a fault has struck.</summary>
    public int Struck => Volatile.Read(ref _struck);

    /// <param name="server">Address and authorities of the server behind it.</param>
    /// <param name="certificates">Signs this proxy's certificate, for 127.0.0.1.</param>
    public static async Task<HttpFaultProxy> StartAsync(KubeConnection server, TestCertificates certificates)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var certificate = certificates.Server(dnsName: null, IPAddress.Loopback);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                port: 0,
                listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    listen.UseHttps(certificate);
                }
            )
        );
        var proxy = new HttpFaultProxy(builder.Build(), server);
        await proxy._app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        using (var now = new CancellationTokenSource())
        {
            await now.CancelAsync(); // open watches would be waited for
            await _app.StopAsync(now.Token);
        }
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        var call = new ProxiedCall(
            Interlocked.Increment(ref _calls),
            request.Method,
            request.Path,
            request.QueryString.Value ?? "",
            request.Headers.Authorization.ToString()
        );
        var fault = Faults(call);
        if (fault is not null)
            Interlocked.Increment(ref _struck);
        try
        {
            await (
                fault switch
                {
                    HttpFault.Answer answer => AnswerAsync(context, answer.Status, answer.RetryAfterSeconds),
                    HttpFault.ExpiredEvent when call.IsWatch => context.Response.WriteAsync(
                        $$"""{"type":"ERROR","object":{{Status(410)}}}""" + "\n"
                    ),
                    HttpFault.ExpiredEvent => AnswerAsync(context, 410, retryAfterSeconds: null),
                    _ => ForwardAsync(context, fault),
                }
            );
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            context.Abort();
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, int? retryAfterSeconds)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        if (retryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString();
        return context.Response.WriteAsync(Status(status));
    }

    private static string Status(int code)
    {
        var reason = code == 410 ? "Expired" : "Injected";
        return """{"kind":"Status","apiVersion":"v1","status":"Failure","code":"""
            + $$"""{{code}},"message":"injected","reason":"{{reason}}"}""";
    }

    private async Task ForwardAsync(HttpContext context, HttpFault? fault)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_server, target))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (context.Request.ContentLength is not (null or 0))
            request.Content = new StreamContent(context.Request.Body);
        foreach (
            var (name, values) in context.Request.Headers.Where(h =>
                !NotForwarded.Contains(h.Key, StringComparer.OrdinalIgnoreCase)
            )
        )
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
        using var response = await _http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            context.RequestAborted
        );
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (
            var (name, values) in response
                .Headers.Concat(response.Content.Headers)
                .Where(h => !NotForwarded.Contains(h.Key, StringComparer.OrdinalIgnoreCase))
        )
            context.Response.Headers[name] = values.ToArray();
        // The head of a watch arrives long before its first line
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await PumpAsync(await response.Content.ReadAsStreamAsync(context.RequestAborted), context, fault);
    }

    private static async Task PumpAsync(Stream answer, HttpContext context, HttpFault? fault)
    {
        var left = fault is HttpFault.Truncate truncate ? truncate.Bytes : long.MaxValue;
        var passed = 0L;
        var buffer = new byte[BufferSize];
        while (left > 0 && await answer.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
        {
            if (fault is HttpFault.Corrupt { At: var at } && at >= passed && at < passed + read)
                buffer[at - passed] = 0;
            var part = (int)Math.Min(left, read);
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, part), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            (left, passed) = (left - part, passed + part);
        }
        if (fault is HttpFault.Truncate { Breaks: true })
            context.Abort();
    }
}
