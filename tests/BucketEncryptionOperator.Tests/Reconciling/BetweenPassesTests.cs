using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Reconciling;
using BucketEncryptionOperator.Tests.Fakes;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What passes leave to each other: results, looks, what is on record, and what no status says yet.</summary>
public sealed class BetweenPassesTests : SharedBucketBench
{
    private static Failure Limited => new(FailureKind.Throttled, "Get", "RateLimited") { NotSent = true };

    [Fact]
    public async Task A_result_that_grows_old_while_the_next_pass_runs_still_counts_for_it()
    {
        string[] names = ["a-bucket", "b-bucket", "c-bucket"];
        foreach (var n in names)
            Vendor[n] = new BucketEncryption.Aes256();
        Bench.Start(Policy("p", WantAes, 1, names));
        var left = 1;
        Vendor.BeforeSend = () => left-- > 0 ? null : Limited;
        await Bench.ReconcileAsync(Key("p"));
        Bench.Time.Advance(TimeSpan.FromSeconds(598));
        left = 1;
        Vendor.BeforeSend = () =>
        {
            Bench.Time.Advance(TimeSpan.FromSeconds(3));
            return left-- > 0 ? null : Limited;
        };
        await Bench.ReconcileAsync(Key("p"));
        Assert.DoesNotContain("OperatorBug", Bench.Kubernetes.Read(Key("p")).Status!.Conditions.Select(c => c.Reason));
        Assert.DoesNotContain(Bench.Logs, l => l.Contains("a task without a result", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bucket_whose_write_was_postponed_is_not_held()
    {
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"new-{i:000}")];
        foreach (var n in names)
            Vendor[n] = None;
        var p = Restoring(Policy("p", WantKey1, 1, names));
        p = p with { Metadata = p.Metadata with { Finalizers = [PolicyFinalizer.Name] } };
        Bench.Start(p);
        var now = KubeTimeConverter.Truncate(Bench.Time.GetUtcNow());
        var stored = Bench.Kubernetes.Read(Key("p"));
        var rows = Enumerable
            .Range(0, 256)
            .Select(i => new BucketStatus
            {
                Name = $"old-{i:000}",
                State = BucketStatus.Releasing,
                HeldTime = now,
                Partition = null,
            });
        await StoreAsync(stored, new PolicyStatus { ObservedGeneration = 0, Buckets = [.. rows] });
        Bench.WatchAll();
        foreach (var n in Enumerable.Range(0, 256))
            Vendor[$"old-{n:000}"] = None;
        Vendor.Denials = (call, _) =>
            call.Bucket.StartsWith("old", StringComparison.Ordinal)
                ? InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403)
                : null;
        var asked = 0;
        Bench.ShouldYield = _ => ++asked > names.Length - 1;
        await Bench.ReconcileAsync(Key("p"));
        var status = Bench.Kubernetes.Read(Key("p")).Status!;
        Assert.InRange(status.Buckets.Count(b => b.HeldTime is not null), 0, 256);
    }

    [Fact]
    public async Task An_original_recorded_for_a_write_that_was_not_made_gives_way_to_what_the_bucket_has_at_the_write()
    {
        string[] names = ["a-bucket", "b-bucket"];
        foreach (var n in names)
            Vendor[n] = None;
        Bench.Start(Restoring(Policy("p", WantKey1, 1, names)));
        var asked = 0;
        Bench.ShouldYield = _ => ++asked > 2;
        await Bench.ReconcileAsync(Key("p"));
        Assert.Equal(None, Vendor["b-bucket"]);
        var other = new BucketEncryption.Kms("other-key", DataCipher.Aes256);
        Vendor["b-bucket"] = other;
        Bench.Time.Advance(TimeSpan.FromMinutes(5));
        Bench.ShouldYield = _ => false;
        await Bench.SettleAsync(Key("p"));
        Assert.Equal(Key1, Vendor["b-bucket"]);
        Assert.Equal("other-key", Bench.Kubernetes.Read(Key("p")).Status!.Buckets[1].Original?.Encryption?.KmsKeyId);
    }

    [Fact]
    public async Task What_another_tool_sets_while_the_original_is_recorded_is_the_original()
    {
        Vendor[Bucket] = None;
        Bench.Start(Restoring(Policy("p", WantKey1, 1)));
        var once = true;
        Bench.Kubernetes.Served = (line, _) =>
        {
            if (once && line.StartsWith("PATCH", StringComparison.Ordinal))
            {
                once = false;
                Bench.Time.Advance(TimeSpan.FromSeconds(2));
                Vendor[Bucket] = Key1; // another tool
            }
        };
        await Bench.SettleAsync(Key("p"));
        Assert.Equal(0, Vendor.Count("Put"));
        Bench.Delete(Key("p"));
        await Bench.SettleAsync(Key("p"));
        Assert.Equal(Key1, Vendor[Bucket]);
    }

    [Fact]
    public async Task What_another_tool_sets_while_a_write_is_postponed_is_the_original()
    {
        string[] names = ["a-bucket", "b-bucket"];
        foreach (var n in names)
            Vendor[n] = None;
        Bench.Start(Restoring(Policy("p", WantKey1, 1, names)));
        var asked = 0;
        Bench.ShouldYield = _ => ++asked > 1;
        await Bench.ReconcileAsync(Key("p"));
        Vendor["b-bucket"] = Key1; // another tool
        Bench.Time.Advance(TimeSpan.FromMinutes(8));
        Bench.ShouldYield = _ => false;
        await Bench.SettleAsync(Key("p"));
        Assert.Equal(1, Vendor.Count("Put"));
        Bench.Delete(Key("p"));
        await Bench.SettleAsync(Key("p"));
        Assert.Equal(Key1, Vendor["b-bucket"]);
    }

    [Fact]
    public async Task An_original_of_one_partition_is_not_inherited_in_another()
    {
        Vendor[Bucket] = new BucketEncryption.Kms("first-key", DataCipher.Aes256);
        Vendor["z-bucket"] = None;
        Elsewhere[Bucket] = None;
        Bench.Start(Restoring(Policy("p", WantKey1, 1, Bucket, "z-bucket")));
        await Bench.SettleAsync(Key("p"));
        var now = Bench.Kubernetes.Read(Key("p"));
        Bench.Put(Edited(now, s => s with { Suspend = true, Buckets = [new BucketReference { Name = "z-bucket" }] }));
        await Bench.ReconcileAsync(Key("p"));
        var there = Given.Store();
        Bench.Put(
            there with
            {
                Metadata = there.Metadata with { ResourceVersion = "2" },
                Spec = there.Spec with { Region = "cn-shanghai" },
            }
        );
        Bench.Put(Restoring(Policy("q", WantKey1, 2)));
        await Bench.SettleAsync(Key("q"));
        Assert.Equal(Key1, Elsewhere[Bucket]);
        Assert.Equal("None", Row("q").Original?.Encryption?.Algorithm);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_policy_whose_status_was_lost_and_that_was_looked_at_since_goes_and_says_so(bool storeComesBack)
    {
        Vendor[Bucket] = None;
        Bench.Start(Restoring(Policy("p", WantAes, 1)));
        await Bench.SettleAsync(Key("p"));
        Bench.Kubernetes.LoseStatus(Key("p"));
        Bench.Restart();
        Bench.RemoveStore(Given.StoreKey);
        await Bench.ReconcileAsync(Key("p"));
        Bench.Delete(Key("p"));
        if (storeComesBack)
            Bench.Put(Given.Store());
        await Bench.SettleAsync(Key("p"));
        Assert.Null(Bench.Kubernetes.Find(Key("p")));
        Assert.Contains("StatusLost", Bench.Events.Reasons);
    }

    [Theory]
    [InlineData("transient")]
    [InlineData("dropped writes")]
    public async Task A_bucket_that_fails_each_time_does_not_take_every_turn(string why)
    {
        string[] names = [.. Enumerable.Range(0, 6).Select(i => $"n-{i:000}")];
        foreach (var n in names)
            Vendor[n] = None;
        Bench.Start(Policy("p", WantKey1, 1, names));
        if (why == "transient")
            Vendor.Faults = (_, call) =>
                call.Bucket == "n-000"
                    ? new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "InternalError", 500))
                    : null;
        else
            Vendor.DropsWrites = true;
        Bench.ShouldYield = _ => true;
        for (var i = 0; i < 40; i++)
        {
            await Bench.ReconcileAsync(Key("p"));
            Bench.Time.Advance(TimeSpan.FromSeconds(15));
        }
        Assert.Equal(names.Length, Vendor.Calls.Select(c => c.Bucket).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task What_two_passes_wrote_stands_in_the_status_of_a_policy_that_was_suspended_then()
    {
        string[] names = ["a-bucket", "b-bucket"];
        foreach (var n in names)
            Vendor[n] = None;
        Bench.Start(Policy("p", WantAes, 1, names));
        var asked = 0;
        Bench.ShouldYield = _ => ++asked > 1;
        var puts = 0;
        Bench.Kubernetes.Faults = (_, line) =>
            line.StartsWith("PATCH", StringComparison.Ordinal) && Vendor.Count("Put") > puts
                ? KubernetesFake.Status(500, "slow")
                : null;
        await Bench.ReconcileAsync(Key("p"));
        puts = 1;
        Bench.Time.Advance(TimeSpan.FromSeconds(2));
        Bench.ShouldYield = _ => false;
        await Bench.ReconcileAsync(Key("p"));
        Assert.Equal(2, Vendor.Count("Put"));
        Bench.Kubernetes.Faults = (_, _) => null;
        var now = Bench.Kubernetes.Read(Key("p"));
        Bench.Put(Edited(now, s => s with { Suspend = true }));
        await Bench.ReconcileAsync(Key("p"));
        var rows = Bench.Kubernetes.Read(Key("p")).Status!.Buckets;
        Assert.Equal([true, true], rows.Select(b => b.LastAppliedTime is not null));
    }

    [Fact]
    public async Task A_bucket_that_another_policy_owns_by_now_is_not_reported_by_an_old_look()
    {
        string[] names = ["a-bucket", Bucket];
        foreach (var n in names)
            Vendor[n] = None;
        Bench.Start(Policy("young", WantKey1, 2, names));
        var asked = 0;
        Bench.ShouldYield = k => k == Key("young") && ++asked > 1;
        await Bench.ReconcileAsync(Key("young"));
        Bench.Put(Policy("old", WantAes, 1));
        await Bench.SettleAsync(Key("old"));
        Bench.Time.Advance(TimeSpan.FromMinutes(3));
        Bench.ShouldYield = _ => false;
        await Bench.ReconcileAsync(Key("young"));
        Assert.Equal("AES256", Row("young").Observed?.Algorithm);
    }

    [Theory]
    [InlineData("AccessDenied", 403)]
    [InlineData("NoSuchBucket", 404)]
    public async Task What_the_vendor_answers_to_the_read_before_a_write_moves_the_claim(string code, int status)
    {
        Vendor[Bucket] = Key1;
        Bench.Start(Policy("p", WantKey1, 1));
        await Bench.SettleAsync(Key("p"));
        Vendor[Bucket] = None;
        var isRecorded = false;
        Bench.Kubernetes.Served = (line, _) =>
        {
            if (isRecorded || !line.StartsWith("PATCH", StringComparison.Ordinal))
                return;
            isRecorded = true;
            Bench.Time.Advance(TimeSpan.FromSeconds(2)); // so that the write reads again
            var kind = status == 403 ? FailureKind.Denied : FailureKind.Missing;
            Vendor.Denials = (call, _) => InMemoryVendor.Fail(kind, code, status, call.Operation);
        };

        await Bench.ReconcileAsync(Key("p"));

        var row = Row("p");
        Assert.Equal(0, Vendor.Count("Put"));
        Assert.Equal((null, status == 403), (row.ClaimedTime, row.ClaimDeniedTime is not null));
    }

    [Fact]
    public async Task The_original_of_a_bucket_that_needs_no_write_stays_as_it_was_recorded()
    {
        Vendor[Bucket] = Key1;
        Bench.Start(Restoring(Policy("p", new EncryptionSpec { Algorithm = "KMS" }, 1)));
        await Bench.SettleAsync(Key("p"));
        Vendor[Bucket] = new BucketEncryption.Kms("k-2", DataCipher.Aes256); // also as declared
        var patches = Bench.Patches;

        await Bench.SettleAsync(Key("p"));

        Assert.Equal(("k-2", "k-1"), (Row("p").Observed?.KmsKeyId, Row("p").Original?.Encryption?.KmsKeyId));
        Assert.Equal(1, Bench.Patches - patches);
    }

    [Fact]
    public async Task A_write_that_was_refused_before_is_on_record_again_when_it_is_sent()
    {
        Vendor[Bucket] = None;
        Bench.Start(Restoring(Policy("p", WantKey1, 1)));
        var refuses = true;
        WriteRecord? onRecord = null;
        Vendor.Faults = (_, call) =>
        {
            if (call.Operation != "Put")
                return null;
            onRecord = Row("p").Writes;
            return refuses
                ? new VendorFault(InMemoryVendor.Fail(FailureKind.Denied, "AccessDenied", 403, "Put"))
                : null;
        };
        await Bench.ReconcileAsync(Key("p"));
        var refused = Row("p").Writes;
        (refuses, onRecord) = (false, null);

        Bench.Time.Advance(TimeSpan.FromMinutes(1));
        await Bench.SettleAsync(Key("p"));

        Assert.True(refused?.Refused);
        Assert.NotNull(onRecord);
        Assert.NotEqual(true, onRecord.Refused);
        Assert.Equal(Key1, Vendor[Bucket]);
    }
}
