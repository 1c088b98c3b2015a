using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Client;
using KubeRuntime.Controllers;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A process that starts among many settled policies reads no more than one that has run all the time, and misses
/// nothing.
/// </summary>
public sealed class RestartTests(ITestOutputHelper output)
{
    private const int Policies = 2000;
    private const int OfTheOtherSecret = 50;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_restart_with_two_thousand_settled_policies_is_neutral()
    {
        await using var bench = new Workbench();
        var keys = await SettleManyAsync(bench);
        var reads = new List<(TimeSpan At, string Bucket)>();
        bench.Vendor["bucket-7"] = new BucketEncryption.None(); // drift while nobody looks

        bench.Restart();
        await RunAsync(bench, keys, Interval * 1.01, reads);

        var steady = (double)Policies / Interval.TotalMinutes;
        var first = reads.Count(r => r.At < TimeSpan.FromMinutes(1));
        var busiest = Enumerable.Range(0, 10).Max(m => reads.Count(r => (int)r.At.TotalMinutes == m));
        output.WriteLine(
            $"{Policies} settled policies, interval 10 min: steady rate {steady:0} reads a minute; first minute after "
                + $"the restart {first}, busiest minute {busiest}; status writes 1 (the drift)"
        );
        Assert.InRange(first, 0, steady * 1.5);
        Assert.Equal(Policies, reads.Select(r => r.Bucket).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(new BucketEncryption.Aes256(), bench.Vendor["bucket-7"]);
    }

    [Fact]
    public async Task A_Secret_that_changed_meanwhile_is_noticed_at_once()
    {
        await using var bench = new Workbench();
        var keys = await SettleManyAsync(bench);
        bench.Kubernetes.PutSecret(
            new NamespacedName(Given.Namespace, "other-keys"),
            ("accessKeyId", "LTAI2"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        var reads = new List<(TimeSpan At, string Bucket)>();

        bench.Restart();
        await RunAsync(bench, keys, TimeSpan.FromSeconds(1), reads);

        var early = reads.Select(r => r.Bucket).ToHashSet(StringComparer.Ordinal);
        output.WriteLine(
            $"{OfTheOtherSecret} policies of a Secret that changed while down: {early.Count} buckets read in the "
                + "first second"
        );
        Assert.All(Enumerable.Range(0, OfTheOtherSecret), i => Assert.Contains($"bucket-{i}", early));
        Assert.InRange(early.Count, OfTheOtherSecret, OfTheOtherSecret + 20);
    }

    private static async Task<List<NamespacedName>> SettleManyAsync(Workbench bench)
    {
        bench.Start(Policy(0));
        bench.Put(
            Given.Store() with
            {
                Metadata = Given.Store().Metadata with { Name = "other" },
                Spec = Given.Store().Spec with
                {
                    Credentials = new CredentialsSpec { SecretRef = new SecretReference { Name = "other-keys" } },
                },
            }
        );
        bench.Kubernetes.PutSecret(
            new NamespacedName(Given.Namespace, "other-keys"),
            ("accessKeyId", "LTAI"),
            ("accessKeySecret", Workbench.GoodSecret)
        );
        var keys = new List<NamespacedName>();
        for (var i = 0; i < Policies; i++)
        {
            bench.Vendor[$"bucket-{i}"] = new BucketEncryption.Aes256();
            var policy = Policy(i);
            bench.Put(policy);
            keys.Add(policy.Metadata.Key);
        }
        await bench.ReconcileAsync(keys, workers: 4);
        bench.Time.Advance(TimeSpan.FromMinutes(3));
        return keys;
    }

    /// <summary>Turns the clock from one key's time to the next, as the queue would.</summary>
    private static async Task RunAsync(
        Workbench bench,
        List<NamespacedName> keys,
        TimeSpan span,
        List<(TimeSpan At, string Bucket)> reads
    )
    {
        var start = bench.Time.GetUtcNow();
        var queue = new PriorityQueue<NamespacedName, DateTimeOffset>(keys.Select(k => (k, start)));
        var known = bench.Vendor.Calls.Count;
        while (queue.TryDequeue(out var key, out var due) && due <= start + span)
        {
            if (due > bench.Time.GetUtcNow())
                bench.Time.Advance(due - bench.Time.GetUtcNow());
            var requeue = Assert.Single(await bench.ReconcileAsync([key], workers: 1));
            var calls = bench.Vendor.Calls;
            reads.AddRange(
                calls
                    .Skip(known)
                    .Where(c => c.Operation == "Get")
                    .Select(c => (bench.Time.GetUtcNow() - start, c.Bucket))
            );
            known = calls.Count;
            queue.Enqueue(
                key,
                bench.Time.GetUtcNow()
                    + (requeue is ReconcileResult.After after ? after.Delay : TimeSpan.FromSeconds(1))
            );
        }
    }

    private static BucketEncryptionPolicy Policy(int i)
    {
        var policy = Given.Policy($"bucket-{i}");
        return policy with
        {
            Metadata = policy.Metadata with { Name = $"policy-{i}", Uid = $"uid-{i}" },
            Spec = policy.Spec with
            {
                StoreRef = new StoreReference { Name = i < OfTheOtherSecret ? "other" : Given.StoreKey.Name },
            },
        };
    }
}
