using System.Diagnostics.CodeAnalysis;
using ObjectStoreSimulator;
using TestKit;

namespace BucketEncryptionOperator.Tests.Simulator;

/// <summary>
/// Each test has its own simulator with one account (<c>ak</c>, <c>sk</c>), one bucket (<c>b-one</c>) and a clock that
/// stands still.
/// </summary>
public abstract class SimulatorTest : IAsyncLifetime
{
    internal const string Bucket = "b-one";

    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Vendor _vendor;
    private readonly string _region;
    private SimulatorServer? _server;

    protected SimulatorTest()
        : this(Vendor.AlibabaOSS, "cn-hangzhou") { }

    private protected SimulatorTest(Vendor vendor, string region)
    {
        _vendor = vendor;
        _region = region;
    }

    protected ManualTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 21, 1, 47, 57, TimeSpan.Zero));

    protected SimulatorAdmin Admin { get; private set; } = null!;

    /// <summary>For Alibaba's store.</summary>
    private protected OssTestClient Oss { get; private set; } = null!;

    /// <summary>For all others.</summary>
    private protected StoreTestClient Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Seed seed = new(
            [new SeedAccount { AccessKeyId = "ak", Secret = "sk" }],
            [new SeedBucket { Name = Bucket, Region = _region }]
        );
        _server = await SimulatorServer.StartAsync(
            new SimulatorOptions
            {
                Vendor = _vendor,
                Time = Clock,
                Seed = seed,
            }
        );
        Admin = new SimulatorAdmin(_server.Url);
        Oss = new OssTestClient(_server.Url, Clock);
        Store = new StoreTestClient(_server.Url, Clock);
    }

    [SuppressMessage(
        "Usage",
        "CA1816",
        Justification = "The method is xunit's IAsyncLifetime's, not IAsyncDisposable's."
    )]
    public async Task DisposeAsync()
    {
        Oss.Dispose();
        Store.Dispose();
        Admin.Dispose();
        await StopServerAsync();
    }

    protected async Task StopServerAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server)
        {
            await server.DisposeAsync();
        }
    }
}
