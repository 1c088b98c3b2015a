using System.Collections.Concurrent;
using System.Globalization;
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
using ObjectStoreSimulator.KeyServices;
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

    private const string TokenServicesHead = "127.1.";

    private readonly ConcurrentDictionary<
        (string Region, Vendor Vendor),
        (World World, RequestPipeline Pipeline)
    > _stores = new();
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _app;

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
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AllowHostHeaderOverride = true;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = street._app = builder.Build();
        app.Run(street.HandleAsync);
        await app.StartAsync();
        street.Url = new Uri(
            app.Services.GetRequiredService<IServer>()
                .Features.GetRequiredFeature<IServerAddressesFeature>()
                .Addresses.Single()
        );
        return street;
    }

    public static string Region(int scenario) => $"zz-scenario-{scenario}";

    /// <summary>
    /// Address of the token services of a scenario's vendors. It is loopback, where the operator takes plain http, and
    /// goes through the proxy like any other.
    /// </summary>
    public static string TokenServices(int scenario) =>
        string.Create(CultureInfo.InvariantCulture, $"{TokenServicesHead}{scenario / 256}.{scenario % 256}");

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
                    var store = new KeyServiceRoom(world, key.Vendor, key.Vendor.Speak(world));
                    return (world, new RequestPipeline(world, store, _stopping.Token));
                }
            )
            .World;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_app is not null)
            await _app.DisposeAsync();
        _stopping.Dispose();
    }

    private Task HandleAsync(HttpContext context)
    {
        var host = context.Request.Host.Host;
        var (region, vendor) = host.StartsWith(TokenServicesHead, StringComparison.Ordinal)
            ? OfTokenService(host, context.Request)
            : (InRegion().Match(host).Value, VendorOf(host));
        if (vendor is { } known && _stores.TryGetValue((region, known), out var store))
            return store.Pipeline.HandleAsync(context);
        context.Response.StatusCode = StatusCodes.Status502BadGateway; // as a proxy says that it knows no such host
        return Task.CompletedTask;
    }

    /// <summary>Alibaba Cloud's has its action in the query, AWS's in the form.</summary>
    private static (string Region, Vendor? Vendor) OfTokenService(string host, HttpRequest request)
    {
        var numbers = IPAddress.Parse(host).GetAddressBytes();
        return (
            Region((numbers[2] * 256) + numbers[3]),
            request.QueryString.HasValue ? ObjectStoreSimulator.Vendor.AlibabaOSS : ObjectStoreSimulator.Vendor.S3
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
