using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ObjectStoreSimulator.Admin;
using ObjectStoreSimulator.State;

namespace ObjectStoreSimulator;

/// <summary>
/// One vendor's store on a real socket, with its own buckets, accounts, rules and admin API:
/// <c>await using SimulatorServer server = await SimulatorServer.StartAsync(new());</c>. Several can run in one
/// process. It writes no log and touches no signal handler. Disposing it ends what is parked or hangs.
/// </summary>
internal sealed class SimulatorServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping;

    private SimulatorServer(WebApplication app, CancellationTokenSource stopping, World world)
    {
        _app = app;
        _stopping = stopping;
        World = world;
        Url = new Uri(
            app.Services.GetRequiredService<IServer>()
                .Features.GetRequiredFeature<IServerAddressesFeature>()
                .Addresses.Single()
        );
    }

    /// <summary><c>http://127.0.0.1:PORT/</c>, or https with an authority.</summary>
    public Uri Url { get; }

    /// <summary>For tests in the same process; the admin API offers the same.</summary>
    public World World { get; }

    public static async Task<SimulatorServer> StartAsync(
        SimulatorOptions options,
        CancellationToken cancellationToken = default
    )
    {
        World world = new(options.Time, options.RecordedRequests);
        options.Seed.ApplyTo(world);
        CancellationTokenSource stopping = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.AllowHostHeaderOverride = true;
            kestrel.Listen(
                options.Listen,
                listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    if (options.Authority is { } authority)
                    {
                        listen.UseHttps(authority.Server);
                    }
                }
            );
        });
        WebApplication app = builder.Build();
        RequestPipeline pipeline = new(world, options.Vendor.Speak(world), stopping.Token);
        app.Use((context, next) => IsAdmin(context) ? next(context) : pipeline.HandleAsync(context));
        AdminEndpoints.Map(app, world, options.Seed);
        await app.StartAsync(cancellationToken);
        return new SimulatorServer(app, stopping, world);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Origin form only: an absolute target is for a store, whatever its path.</summary>
    private static bool IsAdmin(HttpContext context) =>
        context
            .Features.GetRequiredFeature<IHttpRequestFeature>()
            .RawTarget.StartsWith(AdminEndpoints.Prefix + "/", StringComparison.Ordinal);

    /// <summary>
    /// The process belongs to whoever started the server: SIGTERM is Program's business, and in a test nobody's.
    /// </summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
