using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

public sealed partial class PolicyReconcilerTests
{
    [Fact]
    public async Task A_missing_bucket_is_waited_for_and_then_stalls_and_its_coming_mends_it()
    {
        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();
        var first = _bench.Status;
        AssertWithin(TimeSpan.FromMinutes(5), requeue);
        _bench.Time.Advance(TimeSpan.FromMinutes(5));
        requeue = await _bench.ReconcileAsync();
        var second = _bench.Status;
        AssertWithin(TimeSpan.FromMinutes(10), requeue);
        _bench.Vendor["finance-archive"] = None;
        _bench.Time.Advance(TimeSpan.FromMinutes(10));

        await _bench.ReconcileAsync();

        Assert.Equal(
            ("False", "NoSuchBucket"),
            (first.Conditions.Find("Ready")!.Status, first.Conditions.Find("Ready")!.Reason)
        );
        Assert.NotNull(first.Conditions.Find("Reconciling"));
        Assert.NotNull(second.Conditions.Find("Stalled"));
        Assert.Equal(
            first.Conditions.Find("Ready")!.LastTransitionTime,
            second.Conditions.Find("Ready")!.LastTransitionTime
        );
        AssertReady("True", "InSync");
    }

    [Fact]
    public async Task A_missing_store_and_a_missing_Secret_say_so()
    {
        _bench.Put(Given.Policy());
        await _bench.ReconcileAsync();
        var noStore = _bench.Status.Conditions.Find("Ready")!;
        _bench.Put(Given.Store());
        var requeue = await _bench.ReconcileAsync();
        var noSecret = _bench.Status.Conditions.Find("Ready")!;

        Assert.Equal(("False", "StoreNotFound"), (noStore.Status, noStore.Reason));
        Assert.Equal(("False", "SecretNotFound"), (noSecret.Status, noSecret.Reason));
        AssertWithin(TimeSpan.FromSeconds(5), requeue);
        Assert.Empty(_bench.Vendor.Calls);
    }

    [Fact]
    public async Task A_bad_spec_is_left_until_it_changes()
    {
        var requeue = await _bench
            .Start(Given.Policy().With(new EncryptionSpec { Algorithm = "AES512" }))
            .ReconcileAsync();

        Assert.Same(ReconcileResult.OnChange, requeue);
        AssertReady("False", "InvalidSpec");
        Assert.NotNull(_bench.Status.Conditions.Find("Stalled"));
    }

    [Fact]
    public async Task One_denied_bucket_does_not_keep_the_others_from_being_mended()
    {
        _bench.Vendor["bucket-a"] = None;
        _bench.Vendor["bucket-c"] = None;
        _bench.Vendor.Faults = (_, call) =>
            call.Bucket == "bucket-b"
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403))
                : null;

        await _bench.Start(Given.Policy("bucket-a", "bucket-b", "bucket-c")).ReconcileAsync();

        Assert.Equal((Aes, Aes), (_bench.Vendor["bucket-a"], _bench.Vendor["bucket-c"]));
        AssertReady("False", "AccessDenied");
        Assert.Equal("2/3", _bench.Status.Summary?.Text);
    }

    [Fact]
    public async Task A_write_that_is_refused_each_time_costs_two_patches_a_try_whatever_its_request_ids_and_texts()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.Faults = (n, call) =>
            call.Operation == "Put"
                ? new VendorFault(
                    InMemoryVendor.Fail(FailureKind.Refused, "KeyDisabled", 409) with
                    {
                        Message = $"request {n}",
                    }
                )
                : null;
        await _bench.Start(Given.Policy()).ReconcileAsync();
        var first = _bench.Status;

        for (var i = 0; i < 5; i++)
        {
            _bench.Time.Advance(TimeSpan.FromHours(1));
            await _bench.ReconcileAsync();
        }

        Assert.Equal(2 * 6, _bench.Patches); // the record of a write, and that it was refused
        Assert.Equal("request 2", Assert.Single(first.Buckets).Error?.Message);
    }

    [Fact]
    public async Task Two_transient_failures_of_a_ready_policy_do_not_show_and_the_third_does()
    {
        _bench.Vendor["finance-archive"] = Aes;
        await _bench.Start(Given.Policy()).SettleAsync();
        _bench.Vendor.Faults = (_, _) =>
            new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500));
        _bench.Time.Advance(TimeSpan.FromMinutes(1));
        var patches = _bench.Patches;

        var first = await _bench.ReconcileAsync();
        var second = await _bench.ReconcileAsync();
        var before = _bench.Patches;
        AssertReady("True", "InSync");
        var third = await _bench.ReconcileAsync();

        Assert.Equal((patches, patches + 1), (before, _bench.Patches));
        AssertReady("Unknown", "InternalError");
        Assert.NotNull(_bench.Status.Conditions.Find("Reconciling"));
        Assert.All([first, second, third], r => Assert.Equal(new ReconcileResult.Retry(TimeSpan.FromSeconds(1)), r));
    }

    /// <summary>What the status said of the Secret stays true until the API server says otherwise.</summary>
    [Fact]
    public async Task A_transient_failure_to_read_the_Secret_does_not_change_what_the_status_says()
    {
        _bench.Put(Given.Policy());
        _bench.Put(Given.Store());
        await _bench.ReconcileAsync();
        var patches = _bench.Patches;
        _bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("GET", StringComparison.Ordinal) ? KubernetesFake.Status(500, "InternalError") : null;
        _bench.Time.Advance(TimeSpan.FromSeconds(5));

        await _bench.ReconcileAsync();

        AssertReady("False", "SecretNotFound");
        Assert.Equal(patches, _bench.Patches);
    }

    [Fact]
    public async Task A_bug_is_told_as_one_and_the_next_try_mends_it()
    {
        _bench.Vendor["finance-archive"] = None;
        _bench.Vendor.Faults = (n, _) => n == 1 ? throw new InvalidOperationException("of our own") : null;

        var requeue = await _bench.Start(Given.Policy()).ReconcileAsync();
        var status = _bench.Status;
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        await _bench.SettleAsync();

        Assert.Equal(new ReconcileResult.Retry(TimeSpan.FromSeconds(1)), requeue);
        Assert.Equal(
            ("Unknown", "OperatorBug"),
            (status.Conditions.Find("Ready")!.Status, status.Conditions.Find("Ready")!.Reason)
        );
        Assert.DoesNotContain("of our own", status.Conditions.Find("Ready")!.Message, StringComparison.Ordinal);
        Assert.Contains(
            _bench.Logs,
            l =>
                l.StartsWith("Error", StringComparison.Ordinal)
                && l.Contains("InvalidOperationException", StringComparison.Ordinal)
        );
        AssertReady("True", "InSync");
    }
}
