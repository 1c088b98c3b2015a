using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ObjectStoreSimulator;
using ObjectStoreSimulator.State;

namespace Integration.Tests.Scenarios;

/// <summary>
/// All vendors' simulated stores behind one HTTP proxy, by the vendors' own host names: an operator that is given it as
/// http_proxy takes it for the vendors. Each scenario has a region of its own, and each vendor in a region its own
/// buckets, accounts, faults and counters.
/// </summary>
internal sealed partial class VendorStreet : IAsyncDisposable
{
    /// <summary>What a run of a scenario may ask of one vendor; the exact writes are read from these.</summary>
    private const int RecordedRequests = 10_000;

    private readonly ConcurrentDictionary<
        (string Region, Vendor Vendor),
        (World World, RequestPipeline Pipeline)
    > _stores = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<WebApplication> _apps = [];

    public Uri Url { get; private set; } = new("http://127.0.0.1");

    /// <summary>Endpoints that the operator must be allowed.</summary>
    public static IReadOnlyList<string> Endpoints { get; } =
    [
        "http://oss-*.aliyuncs.com",
        "http://*.*.oss-cloudbox.aliyuncs.com",
        "http://obs.*.myhuaweicloud.com",
        "http://s3.*.jdcloud-oss.com",
        "http://s3.*.jcloudcs.com",
        "http://s3.*.amazonaws.com",
        "http://s3.*.example.com",
        "http://kms.*.aliyuncs.com",
        "http://kms.*.myhuaweicloud.com",
        "http://kms.*.jdcloud-api.com",
        "http://kms.*.amazonaws.com",
    ];

    public static async Task<VendorStreet> OpenAsync()
    {
        var street = new VendorStreet();
        street.Url = await street.ListenAsync(street.HandleAsync);
        return street;
    }

    public static string Region(int scenario) => $"zz-scenario-{scenario}";

    /// <summary>
    /// Starts the token services of a scenario's vendors, and returns their host and port. They are on loopback, where
    /// the operator takes plain http and asks no proxy.
    /// </summary>
    public async Task<string> OpenTokenServicesAsync(int scenario) =>
        (await ListenAsync(context => HandleTokenAsync(Region(scenario), context))).Authority;

    /// <summary>The vendor's endpoint for the region.</summary>
    public static string Endpoint(Vendor vendor, string region) =>
        vendor switch
        {
            Vendor.AlibabaOSS => $"http://oss-{region}.aliyuncs.com",
            Vendor.HuaweiOBS => $"http://obs.{region}.myhuaweicloud.com",
            Vendor.JDCloudOSS => $"http://s3.{region}.jdcloud-oss.com",
            Vendor.S3 => $"http://s3.{region}.amazonaws.com",
            _ => $"http://s3.{region}.example.com",
        };

    /// <summary>
    /// The vendor's key service for the region. JD Cloud has one name for all, which would not tell the scenario; MinIO
    /// is asked itself.
    /// </summary>
    public static string KeyServiceEndpoint(Vendor vendor, string region) =>
        vendor switch
        {
            Vendor.AlibabaOSS => $"http://kms.{region}.aliyuncs.com",
            Vendor.HuaweiOBS => $"http://kms.{region}.myhuaweicloud.com",
            Vendor.JDCloudOSS => $"http://kms.{region}.jdcloud-api.com",
            Vendor.S3 => $"http://kms.{region}.amazonaws.com",
            _ => Endpoint(vendor, region),
        };

    /// <summary>
    /// What an operator is told with --partitions: each scenario's vendors are partitions of their own, so that names
    /// of buckets need not be unique over all files. MinIO has no vendor's name: its endpoint is its partition.
    /// </summary>
    public static IEnumerable<string> Partitions(string region) =>
        [
            $"oss-of-{region}=oss-{region}.aliyuncs.com",
            $"oss-of-{region}=oss-{region}-internal.aliyuncs.com",
            $"obs-of-{region}=obs.{region}.myhuaweicloud.com",
            $"jd-of-{region}=s3.{region}.jdcloud-oss.com",
            $"aws-of-{region}=s3.{region}.amazonaws.com",
        ];

    public World Store(string region, Vendor vendor) =>
        _stores
            .GetOrAdd(
                (region, vendor),
                key =>
                {
                    var world = new World(TimeProvider.System, RecordedRequests);
                    return (world, new RequestPipeline(world, key.Vendor.Speak(world), _stopping.Token));
                }
            )
            .World;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        foreach (var app in _apps)
            await app.DisposeAsync();
        _stopping.Dispose();
    }

    private Task HandleAsync(HttpContext context)
    {
        var host = context.Request.Host.Host;
        return HandleAsync(InRegion().Match(host).Value, VendorOf(host), context);
    }

    /// <summary>Alibaba Cloud's has its action in the query, AWS's in the form.</summary>
    private Task HandleTokenAsync(string region, HttpContext context) =>
        HandleAsync(
            region,
            context.Request.QueryString.HasValue
                ? ObjectStoreSimulator.Vendor.AlibabaOSS
                : ObjectStoreSimulator.Vendor.S3,
            context
        );

    private Task HandleAsync(string region, Vendor? vendor, HttpContext context)
    {
        if (vendor is { } known && _stores.TryGetValue((region, known), out var store))
            return store.Pipeline.HandleAsync(context);
        context.Response.StatusCode = StatusCodes.Status502BadGateway; // as a proxy says that it knows no such host
        return Task.CompletedTask;
    }

    private async Task<Uri> ListenAsync(RequestDelegate handle)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AllowHostHeaderOverride = true;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        _apps.Add(app);
        app.Run(handle);
        await app.StartAsync();
        return new Uri(
            app.Services.GetRequiredService<IServer>()
                .Features.GetRequiredFeature<IServerAddressesFeature>()
                .Addresses.Single()
        );
    }

    private static Vendor? VendorOf(string host) =>
        host.Split('.')[^2] switch
        {
            "aliyuncs" => Vendor.AlibabaOSS,
            "myhuaweicloud" => Vendor.HuaweiOBS,
            "jdcloud-oss" or "jcloudcs" or "jdcloud-api" => Vendor.JDCloudOSS,
            "amazonaws" => Vendor.S3,
            "example" => Vendor.MinIO,
            _ => null,
        };

    [GeneratedRegex("zz-scenario-[0-9]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InRegion();
}
