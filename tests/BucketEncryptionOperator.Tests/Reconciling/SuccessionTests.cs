using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using BucketEncryptionOperator.Vendors.Protocol;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>What becomes of a bucket, and of what is on record of it, when a policy gives it up.</summary>
public sealed class SuccessionTests : SharedBucketBench
{
    [Theory]
    [InlineData("Delete")]
    [InlineData("Restore")]
    public async Task A_bucket_that_moves_to_another_policy_is_not_released_in_between(string deletionPolicy)
    {
        foreach (var bucket in (string[])["x-bucket", "y-bucket", "z-bucket"])
            Vendor[bucket] = None;
        var (p, q) = (Policy("p", WantKey1, 1, "x-bucket", "y-bucket"), Policy("q", WantKey1, 2, "z-bucket"));
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = true } });
        Bench.Put(q with { Spec = q.Spec with { DeletionPolicy = deletionPolicy, AllowDowngrade = true } });
        await Bench.SettleAsync(Key("p"));
        await Bench.SettleAsync(Key("q"));
        var calls = Vendor.Calls.Count;

        var now = Bench.Kubernetes.Read(Key("p"));
        Bench.Put(Edited(now, s => s with { Buckets = [new BucketReference { Name = "y-bucket" }] }));
        await Bench.ReconcileAsync(Key("p")); // before the other half of the apply has come
        var waiting = Bench.Kubernetes.Read(Key("p")).Status!;
        var then = Bench.Kubernetes.Read(Key("q"));
        Bench.Put(Edited(then, s => s with { Buckets = [.. s.Buckets, new BucketReference { Name = "x-bucket" }] }));
        Bench.Time.Advance(TimeSpan.FromSeconds(5));
        await Bench.ReconcileAsync(Key("p"));
        Bench.Woken.Clear();
        await Bench.SettleAsync(Key("q"));
        var woken = Bench.Woken.ToList();
        await Bench.SettleAsync(Key("p"));

        Assert.DoesNotContain(Vendor.Calls.Skip(calls), c => c.Operation != "Get");
        var (row, ready) = (waiting.Buckets.Single(b => b.Name == "x-bucket"), waiting.Conditions.Find("Ready")!);
        Assert.Equal((BucketStatus.Releasing, "AwaitingSuccessor"), (row.State, row.Error?.Code));
        Assert.Equal(("Unknown", "AwaitingSuccessor"), (ready.Status, ready.Reason));
        Assert.Contains(Key("p"), woken);
        Assert.DoesNotContain(Bench.Kubernetes.Read(Key("p")).Status!.Buckets, b => b.Name == "x-bucket");
    }

    [Theory]
    [InlineData("its vendor does not answer: two minutes", "unreachable", 120)]
    [InlineData("the API server does not give its Secret just now: two minutes", "unreadable Secret", 120)]
    [InlineData("its Secret is not there: not at all", "no Secret", 2)]
    [InlineData("it is suspended: not at all", "suspended", 2)]
    [InlineData("it is in mode Audit: not at all", "audit", 2)]
    public async Task A_successor_is_waited_for_only_while_it_may_come(string sentence, string trouble, int seconds)
    {
        Team(OtherTeam);
        Vendor[Bucket] = None;
        var p = Policy("p", WantKey1, 1);
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } });
        await Bench.SettleAsync(Key("p"));
        var q = In(OtherTeam, Policy("q", WantKey1, 2));
        var spec = q.Spec with
        {
            Suspend = trouble == "suspended",
            Mode = trouble == "audit" ? "Audit" : null,
            StoreRef = q.Spec.StoreRef with { Name = trouble == "no Secret" ? "keyless" : Given.StoreKey.Name },
        };
        Bench.Put(q with { Spec = spec });
        Hooked.Before = (operation, _, key) =>
            key.Id != "LTAI"
                ? throw new VendorException(new Failure(FailureKind.Transient, operation, "Timeout"))
                : Task.CompletedTask;
        if (trouble == "unreadable Secret")
            Bench.Kubernetes.Faults = FaultOn("GET", OtherTeam, KubernetesFake.Status(500, "slow"));
        Bench.Delete(Key("p"));
        var from = Bench.Time.GetUtcNow();

        while (Bench.Kubernetes.Find(Key("p")) is not null && Bench.Time.GetUtcNow() - from < TimeSpan.FromMinutes(5))
        {
            await Bench.ReconcileAsync(Key("p"));
            await Bench.ReconcileAsync(new NamespacedName(OtherTeam, "q"));
            Bench.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var took = (Bench.Time.GetUtcNow() - from).TotalSeconds;
        Assert.True(took >= seconds && took <= seconds + 3, $"{sentence}: {took} s");
        Assert.Equal(None, Vendor[Bucket]);
    }

    [Fact]
    public async Task An_original_does_not_cross_the_border_of_a_namespace()
    {
        Team(OtherTeam);
        Vendor[Bucket] = new BucketEncryption.Kms("first-key", DataCipher.Aes256);
        var p = Policy("p", WantKey1, 1);
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await Bench.SettleAsync(Key("p"));
        var q = In(OtherTeam, Policy("q", WantKey1, 2));
        Bench.Put(q with { Spec = q.Spec with { DeletionPolicy = "Restore" } });
        await Bench.SettleAsync(q.Metadata.Key);

        Bench.Delete(Key("p"));
        await Bench.SettleAsync(Key("p"));
        await Bench.SettleAsync(q.Metadata.Key);

        Assert.Null(Bench.Kubernetes.Find(Key("p")));
        Assert.NotEqual("first-key", Row("q", OtherTeam).Original?.Encryption?.KmsKeyId);
        Assert.Contains("RestoreUnavailable", Bench.Events.Reasons);
    }

    [Fact]
    public async Task An_original_on_record_is_never_replaced_by_anothers()
    {
        Vendor[Bucket] = None;
        var p = Policy("older", WantKey1, 1);
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await Bench.SettleAsync(Key("older"));
        var q = Policy("younger", WantKey1, 2);
        var own = new OriginalEncryption
        {
            State = OriginalEncryption.Recorded,
            Encryption = new ObservedEncryption { Algorithm = "AES256" },
            Document = "<own/>",
            RecordedTime = KubeTimeConverter.Truncate(Bench.Time.GetUtcNow().AddDays(1)),
        };
        Bench.Put(q with { Spec = q.Spec with { DeletionPolicy = "Restore" } });
        await Bench.SettleAsync(Key("younger"));
        var stored = Bench.Kubernetes.Read(Key("younger"));
        var held = KubeTimeConverter.Truncate(Bench.Time.GetUtcNow());
        var row = stored.Status!.Buckets[0] with { Original = own, HeldTime = held };
        await StoreAsync(stored, stored.Status with { Buckets = [row] });

        Bench.Delete(Key("older"));
        await Bench.SettleAsync(Key("older"));

        Assert.Equal(own, Row("younger").Original);
    }

    [Fact]
    public async Task A_successor_that_has_looked_and_not_reported_yet_gets_the_original_all_the_same()
    {
        Vendor[Bucket] = new BucketEncryption.Kms("the-first", DataCipher.Aes256);
        Vendor["z-bucket"] = None;
        var p = Policy("p", WantKey1, 1);
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        await Bench.SettleAsync(Key("p"));
        var successor = Policy("successor", WantKey1, 2, Bucket, "z-bucket");
        Bench.Put(successor with { Spec = successor.Spec with { DeletionPolicy = "Restore" } });
        var patches = 0;
        Bench.Kubernetes.Faults = (_, line) =>
            line.Contains("/successor/status", StringComparison.Ordinal) && ++patches == 1
                ? KubernetesFake.Status(500, "slow")
                : null;
        await Bench.ReconcileAsync([Key("successor")], 1);

        Bench.Delete(Key("p"));
        await Bench.SettleAsync(Key("p"));
        await Bench.SettleAsync(Key("successor"));

        Assert.Equal("the-first", Row("successor").Original?.Encryption?.KmsKeyId);
    }

    [Fact]
    public async Task A_successor_that_looks_before_its_predecessor_does_records_what_the_bucket_had_before_both()
    {
        Vendor[Bucket] = None;
        var (old, successor) = (Restoring(Policy("old", WantAes, 1)), Restoring(Policy("successor", WantAes, 2)));
        Bench.Start(old);
        await Bench.SettleAsync(Key("old"));
        Bench.Put(successor);
        await Bench.SettleAsync(Key("successor"));

        Bench.Delete(Key("old"));
        await Bench.SettleAsync(Key("successor"));
        await Bench.SettleAsync(Key("old"));

        Assert.Equal("None", Row("successor").Original?.Encryption?.Algorithm);
        Assert.Null(Bench.Kubernetes.Find(Key("old")));
    }

    [Theory]
    [InlineData("a 404 of a load balancer", true)]
    [InlineData("a successor that is deleted in that moment", false)]
    public async Task A_404_that_is_not_about_the_policy_does_not_end_its_resync(string sentence, bool isPage)
    {
        (Vendor["x-bucket"], Vendor["y-bucket"]) = (None, None);
        var p = Policy("p", WantKey1, 1, "x-bucket", "y-bucket");
        Bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Restore" } });
        Bench.Put(Policy("successor", WantKey1, 2, "x-bucket"));
        await Bench.SettleAsync(Key("p"));
        await Bench.SettleAsync(Key("successor"));
        if (isPage)
        {
            Vendor["y-bucket"] = new BucketEncryption.Kms("somebody", DataCipher.Aes256);
            var page = ScriptedServer.Answer(404, "404 page not found\n", "Content-Type: text/plain");
            Bench.Kubernetes.Faults = FaultOn("PATCH", "", page);
        }
        else
        {
            var now = Bench.Kubernetes.Read(Key("p"));
            Bench.Put(Edited(now, s => s with { Buckets = [new BucketReference { Name = "y-bucket" }] }));
            Bench.Kubernetes.Delete(Key("successor")); // the watch has not reported it yet
        }

        var requeue = (await Bench.ReconcileAsync([Key("p")], 1))[0];

        Assert.True(requeue is ReconcileResult.Retry or ReconcileResult.After, sentence);
    }

    [Fact]
    public async Task A_status_has_no_more_rows_than_the_CRD_takes()
    {
        await using var bench = new Workbench(bucketConcurrency: 8);
        string[] Names(string prefix) => [.. Enumerable.Range(0, 256).Select(i => $"{prefix}-{i}")];
        foreach (var b in Names("one").Concat(Names("two")).Concat(Names("three")))
            bench.Vendor[b] = None;
        var p = Policy("p", WantKey1, 1, Names("one"));
        bench.Start(p with { Spec = p.Spec with { DeletionPolicy = "Delete", AllowDowngrade = true } });
        await bench.SettleAsync(Key("p"));
        bench.Vendor.Faults = DenialOf("Delete");
        foreach (var next in (string[])["two", "three"])
        {
            var now = bench.Kubernetes.Read(Key("p"));
            var buckets = Names(next).Select(n => new BucketReference { Name = n });
            bench.Put(Edited(now, s => s with { Buckets = [.. buckets] }));
            for (var i = 0; i < 3; i++)
            {
                await bench.ReconcileAsync(Key("p"));
                bench.Time.Advance(TimeSpan.FromSeconds(3));
            }
        }
        var full = bench.Kubernetes.Read(Key("p")).Status!.Buckets;
        bench.Vendor.Faults = (_, _) => null;
        for (var i = 0; i < 5; i++)
        {
            await bench.ReconcileAsync(Key("p"));
            bench.Time.Advance(TimeSpan.FromMinutes(10));
        }

        Assert.InRange(full.Length, 1, 512);
        Assert.Contains(full, r => r.Error?.Code == "AwaitingRelease");
        Assert.All(Names("three"), b => Assert.Equal(Key1, bench.Vendor[b]));
    }
}
