using System.Net;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Catalog;
using BucketEncryptionOperator.Vendors.Pipeline;
using BucketEncryptionOperator.Vendors.Throttling;
using BucketEncryptionOperator.Vendors.Transport;
using KubeRuntime.Controllers;
using ObjectStoreSimulator;
using TestKit;
using Xunit.Abstractions;
using SimulatedVendor = ObjectStoreSimulator.Vendor;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A vendor that begins to answer what was put in another form, with elements of a later release, and late: an hour of
/// resyncs every 30 s writes nothing. The vendor is the simulator, over real sockets, with signatures; only the time is
/// not real.
/// </summary>
public sealed class QuietResyncTests(ITestOutputHelper output)
{
    private const string Bucket = "finance-archive";

    [Theory]
    [InlineData("AlibabaOSS", "AlibabaOSS", "http://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou")]
    [InlineData("HuaweiOBS", "HuaweiOBS", "http://obs.cn-north-4.myhuaweicloud.com", "cn-north-4")]
    [InlineData("JDCloudOSS", "JDCloudOSS", "http://s3.cn-north-1.jdcloud-oss.com", "cn-north-1")]
    [InlineData("S3", "S3", "http://s3.eu-central-1.amazonaws.com", "eu-central-1")]
    public async Task An_hour_of_answers_in_another_form_costs_no_write(
        string simulated,
        string vendor,
        string endpoint,
        string region
    )
    {
        var (time, kind) = (new ManualTimeProvider(), Enum.Parse<SimulatedVendor>(simulated));
        await using var server = await SimulatorServer.StartAsync(new SimulatorOptions { Vendor = kind, Time = time });
        using var admin = new SimulatorAdmin(server.Url);
        await admin.SetAccountAsync("ak", new SimulatedAccount(Workbench.GoodSecret));
        await admin.SetBucketAsync(Bucket, new SimulatedBucket { Region = region });
        using var http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(20),
            time,
            new VendorRoute { Proxy = new WebProxy(server.Url) }
        );
        using var limits = new VendorLimits(time);
        await using var bench = new Workbench(
            time: time,
            real: (
                vendor,
                new VendorServices(http, new ServerClocks(time), limits).Connect(VendorCatalog.Find(vendor)!.Dialect)
            )
        );
        var policy = Given
            .Policy(Bucket)
            .With(
                new EncryptionSpec
                {
                    Algorithm = "KMS",
                    KmsKey = new KmsKeySpec { Id = "example-kms-key-id" },
                }
            );
        bench.Start(policy with { Spec = policy.Spec with { ResyncInterval = "30s" } });
        bench.Put(Given.Store(vendor, region).At(endpoint));
        bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "ak"), ("accessKeySecret", Workbench.GoodSecret));
        await bench.ReconcileAsync();

        await admin.SetSettingsAsync(
            new SimulatorSettings
            {
                UnknownElements = true,
                WhiteSpace = true,
                ReverseOrder = true,
                LongKeyIds = true,
                EchoBucketKey = true,
                Namespace = "http://later.example/doc/2031/",
                ReadLagMs = 3000,
            }
        );
        var (end, patches) = (time.GetUtcNow().AddHours(1), bench.Patches);
        while (time.GetUtcNow() < end)
            time.Advance(Assert.IsType<ReconcileResult.After>(await bench.ReconcileAsync()).Delay);

        var calls = await admin.GetCountersAsync();
        var (gets, puts, deletes) = (
            calls.Of(Bucket, StoreOperations.Get).Received,
            calls.Of(Bucket, StoreOperations.Put).Received,
            calls.Of(Bucket, StoreOperations.Delete).Received
        );
        output.WriteLine(
            $"{vendor}: {gets} reads, {puts} PUT (the first), {bench.Patches - patches} status writes in the hour"
        );
        Assert.Equal(Condition.True, bench.Status.Conditions.Find("Ready")?.Status);
        Assert.InRange(gets, 100, 140);
        Assert.Equal((1, 0), (puts, deletes));
        Assert.InRange(bench.Patches - patches, 0, 1); // the key's other spelling, once
    }

    /// <summary>The first write, where reads lag from the begin on.</summary>
    [Fact]
    public async Task A_read_that_lags_three_seconds_costs_no_second_write()
    {
        var time = new ManualTimeProvider();
        await using var server = await SimulatorServer.StartAsync(
            new SimulatorOptions { Vendor = SimulatedVendor.AlibabaOSS, Time = time }
        );
        using var admin = new SimulatorAdmin(server.Url);
        await admin.SetAccountAsync("ak", new SimulatedAccount(Workbench.GoodSecret));
        await admin.SetBucketAsync(Bucket, new SimulatedBucket { ReadLagMs = 3000 });
        using var http = new VendorHttp(
            "test/1.0",
            TimeSpan.FromSeconds(20),
            time,
            new VendorRoute { Proxy = new WebProxy(server.Url) }
        );
        using var limits = new VendorLimits(time);
        await using var bench = new Workbench(
            time: time,
            real: (
                "AlibabaOSS",
                new VendorServices(http, new ServerClocks(time), limits).Connect(
                    VendorCatalog.Find("AlibabaOSS")!.Dialect
                )
            )
        );
        bench.Start(Given.Policy(Bucket));
        bench.Put(Given.Store().At("http://oss-cn-hangzhou.aliyuncs.com"));
        bench.Kubernetes.PutSecret(Given.SecretKey, ("accessKeyId", "ak"), ("accessKeySecret", Workbench.GoodSecret));

        await bench.ReconcileAsync();
        var between = bench.Status.Conditions.Find("Ready");
        await bench.SettleAsync();

        Assert.Equal((Condition.Unknown, "Confirming"), (between?.Status, between?.Reason));
        Assert.Equal(1, (await admin.GetCountersAsync()).AcceptedWrites(Bucket));
        Assert.Equal(Condition.True, bench.Status.Conditions.Find("Ready")?.Status);
    }
}
