using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>When events are told, over several reconciles.</summary>
public sealed class PolicyReconcilerEventsTests : IAsyncLifetime
{
    private const string Bucket = "finance-archive";
    private static readonly BucketEncryption None = new BucketEncryption.None();
    private static readonly BucketEncryption Aes = new BucketEncryption.Aes256();

    private readonly Workbench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task One_event_a_change_and_none_a_resync()
    {
        _bench.Vendor[Bucket] = None;
        await _bench.Start(Given.Policy()).SettleAsync();
        await ResyncAsync();
        Assert.Equal(["EncryptionApplied"], _bench.Events.Reasons);

        _bench.Vendor[Bucket] = None;
        await ResyncAsync();
        await ResyncAsync();

        Assert.Equal(["EncryptionApplied", "DriftDetected", "EncryptionApplied"], _bench.Events.Reasons);
    }

    [Fact]
    public async Task A_write_is_told_even_if_the_status_cannot_be_and_only_once()
    {
        _bench.Vendor[Bucket] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor[Bucket] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        var patches = 0; // the first is the record, without which nothing is written
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) && ++patches > 1
                ? KubernetesFake.Status(409, "Conflict")
                : null;

        await _bench.ReconcileAsync();
        Assert.Equal(["DriftDetected", "EncryptionApplied"], _bench.Events.Reasons);
        _bench.Kubernetes.Faults = (_, _) => null;
        await _bench.SettleAsync();

        Assert.Equal(["DriftDetected", "EncryptionApplied"], _bench.Events.Reasons);
    }

    [Fact]
    public async Task What_a_status_says_is_told_once_it_is_written_and_not_before()
    {
        _bench.Vendor[Bucket] = Aes;
        _bench.Vendor.Faults = (_, _) =>
            new VendorFault(
                new Failure(FailureKind.Denied, "GetBucketEncryption", "AccessDenied")
                {
                    HttpStatus = 403,
                    RequestId = "req-1",
                }
            );
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal)
                ? KubernetesFake.Status(503, "ServiceUnavailable")
                : null;
        _bench.Start(Given.Policy());

        await _bench.ReconcileAsync();
        await _bench.ReconcileAsync();
        Assert.Empty(_bench.Events.All);
        _bench.Kubernetes.Faults = (_, _) => null;
        await _bench.ReconcileAsync();
        await ResyncAsync();

        Assert.Equal(["VendorError"], _bench.Events.Reasons);
    }

    [Fact]
    public async Task A_failure_that_passes_is_not_told_before_the_status_speaks_of_it()
    {
        _bench.Vendor[Bucket] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor.Faults = (_, _) =>
            new VendorFault(
                new Failure(FailureKind.Transient, "GetBucketEncryption", "InternalError") { HttpStatus = 500 }
            );
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();
        await _bench.ReconcileAsync();
        Assert.Empty(_bench.Events.All);
        await _bench.ReconcileAsync();
        await _bench.ReconcileAsync();

        Assert.Equal(["VendorError"], _bench.Events.Reasons);
    }

    private async Task ResyncAsync()
    {
        _bench.Time.Advance(TimeSpan.FromMinutes(10));
        await _bench.SettleAsync();
    }
}
