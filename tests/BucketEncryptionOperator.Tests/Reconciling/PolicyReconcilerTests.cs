using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class PolicyReconcilerTests : IAsyncLifetime
{
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();
    private static readonly BucketEncryption Key1 = new BucketEncryption.Kms("k-1", DataCipher.Aes256);

    private readonly Workbench _bench = new(bucketConcurrency: 8);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task An_open_bucket_is_encrypted_with_one_write_a_record_before_it_and_a_report_after_it()
    {
        _bench.Vendor["finance-archive"] = None;

        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();

        Assert.Equal(Aes, _bench.Vendor["finance-archive"]);
        Assert.Equal(["Get", "Put", "Get"], _bench.Vendor.Calls.Select(c => c.Operation));
        Assert.Equal(2, _bench.Patches);
        AssertReady("True", "InSync");
        Assert.Equal(_bench.Time.GetUtcNow(), Assert.Single(_bench.Status.Buckets).LastAppliedTime);
        AssertWithin(TimeSpan.FromMinutes(10), requeue);
    }

    [Fact]
    public async Task A_settled_policy_costs_one_read_a_bucket_and_no_request_to_Kubernetes()
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-b"] = Aes;
        await _bench.Start(Given.Policy("bucket-a", "bucket-b")).SettleAsync();
        var (calls, requests, logs, events) = (
            _bench.Vendor.Calls.Count,
            _bench.Kubernetes.Requests.Count,
            _bench.Logs.Count,
            _bench.Events.All.Count
        );

        for (var i = 0; i < 3; i++)
        {
            _bench.Time.Advance(TimeSpan.FromMinutes(1));
            await _bench.ReconcileAsync();
        }

        Assert.Equal(Enumerable.Repeat("Get", 6), _bench.Vendor.Calls.Skip(calls).Select(c => c.Operation));
        Assert.Equal(requests, _bench.Kubernetes.Requests.Count);
        Assert.Equal(logs, _bench.Logs.Count);
        Assert.Equal(events, _bench.Events.All.Count);
    }

    [Fact]
    public async Task Five_minutes_later_the_Secret_is_read_again_and_nothing_else()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        var requests = _bench.Kubernetes.Requests.Count;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();

        Assert.Equal(["GET /api/v1/namespaces/team-a/secrets/oss-keys"], _bench.Kubernetes.Requests.Skip(requests));
    }

    [Fact]
    public async Task Without_the_lease_nothing_is_written_and_nothing_is_said_of_it()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor["finance-archive"] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        var (calls, patches) = (_bench.Vendor.Calls.Count, _bench.Patches);
        _bench.MayWrite = false;

        var requeue = await _bench.ReconcileAsync();

        Assert.IsType<ReconcileResult.Retry>(requeue);
        Assert.Equal(["Get"], _bench.Vendor.Calls.Skip(calls).Select(c => c.Operation));
        Assert.Equal(patches, _bench.Patches);
        _bench.MayWrite = true;
        await _bench.ReconcileAsync();
        Assert.Equal(Aes, _bench.Vendor["finance-archive"]);
    }

    /// <summary>A text that names what the bucket had must not stay when the bucket has something else.</summary>
    [Fact]
    public async Task A_refusal_speaks_of_what_the_bucket_has_now()
    {
        _bench.Vendor["finance-archive"] = Key1;
        await _bench.Start(Given.Policy()).ReconcileAsync();
        _bench.Vendor["finance-archive"] = new BucketEncryption.Kms("k-2", DataCipher.Aes256);
        _bench.Time.Advance(TimeSpan.FromHours(1));

        await _bench.ReconcileAsync();

        Assert.Contains("k-2", Assert.Single(_bench.Status.Buckets).Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_that_lag_cost_no_second_write()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.LaggingReads = 2;

        await _bench.Start(Given.Policy()).ReconcileAsync();
        var during = _bench.Status;
        await _bench.SettleAsync();

        Assert.Equal(
            ("Unknown", "Confirming"),
            (during.Conditions.Find("Ready")!.Status, during.Conditions.Find("Ready")!.Reason)
        );
        Assert.NotNull(during.Conditions.Find("Reconciling"));
        Assert.Equal(1, _bench.Vendor.Count("Put"));
        AssertReady("True", "InSync");
    }

    /// <summary>
    /// A day of a vendor that drops what it is told: 3 writes until the fuse blows, then at ever longer distance.
    /// </summary>
    [Fact]
    public async Task A_vendor_that_drops_writes_blows_a_fuse()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.DropsWrites = true;
        _bench.Start(Given.Policy());

        var end = _bench.Time.GetUtcNow().AddDays(1);
        while (_bench.Time.GetUtcNow() < end)
            _bench.Time.Advance(Assert.IsType<ReconcileResult.After>(await _bench.ReconcileAsync()).Delay);

        AssertReady("False", "NotConverging");
        Assert.NotNull(_bench.Status.Conditions.Find("Stalled"));
        Assert.InRange(_bench.Vendor.Count("Put"), 8, 11);
        // Each write is put on record before it is sent, reported when it was, and again when it has had its time
        Assert.InRange(_bench.Patches, 8, 36);
    }

    [Fact]
    public async Task A_blown_fuse_survives_a_restart_and_a_change_of_the_spec_mends_it()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.DropsWrites = true;
        await _bench.Start(Given.Policy()).SettleAsync();
        var writes = _bench.Vendor.Count("Put");
        var stored = _bench.Kubernetes.Read(Given.PolicyKey);
        await using var restarted = new Workbench();
        restarted.Vendor["finance-archive"] = None;
        restarted.Time.Advance(_bench.Time.GetUtcNow() - restarted.Time.GetUtcNow());
        restarted.Start(stored);

        await restarted.ReconcileAsync();
        var afterRestart = restarted.Vendor.Count("Put");
        restarted.Put(stored.NextGeneration().With(new EncryptionSpec { Algorithm = "SM4" }));
        await restarted.ReconcileAsync();

        Assert.Equal((3, 0), (writes, afterRestart));
        Assert.Equal(1, restarted.Vendor.Count("Put"));
    }

    /// <summary>
    /// The write happened; that it could not be read back must not make it forgotten, or the next try would write
    /// again.
    /// </summary>
    [Fact]
    public async Task A_write_whose_read_back_fails_is_counted()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.LaggingReads = 1;
        _bench.Vendor.Faults = (n, _) =>
            n == 3 ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500)) : null;

        await _bench.Start(Given.Policy()).ReconcileAsync();
        var row = Assert.Single(_bench.Status.Buckets);
        await _bench.SettleAsync();

        Assert.Equal(("Confirming", 1), (row.Error?.Code, row.Writes?.Count));
        Assert.NotNull(row.LastAppliedTime);
        Assert.Equal(1, _bench.Vendor.Count("Put"));
        AssertReady("True", "InSync");
    }

    /// <summary>At the policy's next time in its interval, or earlier for a reason.</summary>
    private static void AssertWithin(TimeSpan interval, ReconcileResult requeue)
    {
        var after = Assert.IsType<ReconcileResult.After>(requeue);
        Assert.InRange(after.Delay, interval * 0.1, interval * 1.1);
    }

    private void AssertReady(string status, string reason)
    {
        var ready = _bench.Status.Conditions.Find("Ready")!;
        Assert.Equal((status, reason), (ready.Status, ready.Reason));
    }
}
