using System.Net;
using System.Security.Cryptography;
using System.Text;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Commands;

/// <summary>
/// Serves the report as a page on the loopback address. Each request reads the cluster again, with the caller's rights.
/// Other users of the machine and other pages in the caller's browser can reach the port: so the path contains a random
/// token, and the Host header must name the loopback address (DNS rebinding).
/// </summary>
internal sealed class ReportServer(CommandConsole console, Func<CancellationToken, Task<EvidenceReport>> read)
{
    private const int TokenBytes = 16;
    private const int MaxConnections = 20;

    /// <summary>Runs until it is stopped.</summary>
    /// <param name="port">0: any that is free.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="IOException">The port is in use.</exception>
    public async Task<int> RunAsync(int port, CancellationToken cancellationToken)
    {
        var path = $"/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes))}/";
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, port);
                kestrel.Limits.MaxConcurrentConnections = MaxConnections;
                kestrel.AddServerHeader = false;
            });
        using var oneAtATime = new SemaphoreSlim(1);
        await using var app = builder.Build();
        app.Run(context => AnswerAsync(context, path, oneAtATime));
        await app.StartAsync(cancellationToken);
        await console.WriteLineAsync(app.Urls.First() + path);
        await console.Output.FlushAsync(cancellationToken);
        var stopped = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(stopped.SetResult);
        await stopped.Task;
        await app.StopAsync(CancellationToken.None);
        return 0;
    }

    private async Task AnswerAsync(HttpContext context, string path, SemaphoreSlim oneAtATime)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.ContentSecurityPolicy = "frame-ancestors 'none'";
        if (
            request.Host.Host is not ("127.0.0.1" or "localhost")
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(request.Path.Value ?? ""),
                Encoding.UTF8.GetBytes(path)
            )
        )
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!HttpMethods.IsGet(request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }
        await oneAtATime.WaitAsync(context.RequestAborted);
        try
        {
            var page = ReportPage.Of(await read(context.RequestAborted), isLive: true);
            response.ContentType = "text/html; charset=utf-8";
            await response.WriteAsync(page, context.RequestAborted);
        }
        catch (Exception e) when (e is KubeApiException or UsageException)
        {
            response.StatusCode = StatusCodes.Status502BadGateway;
            response.ContentType = "text/plain; charset=utf-8";
            await response.WriteAsync(e.Message, context.RequestAborted);
        }
        finally
        {
            oneAtATime.Release();
        }
    }
}
