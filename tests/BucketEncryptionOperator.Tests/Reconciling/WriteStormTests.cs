using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Tests.Fakes;
using KubeRuntime.Controllers;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Reconciling;

/// <summary>
/// A bucket that never keeps what it is told, and a process that is killed in between: the writes stay few.
/// </summary>
public sealed class WriteStormTests(ITestOutputHelper output)
{
    private const string Bucket = "finance-archive";
    private const int Kills = 5;

    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    [Fact]
    public async Task Five_kills_at_any_point_cost_at_most_five_writes_more()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var (calm, calmFirst) = await RunAsync(new HashSet<int>());
        var worst = (All: 0, First: 0);
        for (var i = 0; i < RandomSeed.Cases(200); i++)
        {
            var steps = new HashSet<int>();
            while (steps.Count < Kills)
                steps.Add(random.Next(1, 80));
            var (all, first) = await RunAsync(steps);
            Assert.True(
                all <= calm + Kills && first <= calmFirst + Kills,
                $"killed at {string.Join(", ", steps)}: {all} PUTs in a day, {first} in the first ten minutes"
            );
            worst = (Math.Max(worst.All, all), Math.Max(worst.First, first));
        }
        output.WriteLine(
            $"a bucket that never keeps what is PUT, a day: {calmFirst} PUTs in the first ten minutes, {calm} in all; "
                + $"with {Kills} kills at random points at most {worst.First} and {worst.All}"
        );
        Assert.Equal(3, calmFirst);
    }

    /// <summary>
    /// The vendor has done the second and the third write, and the process died before it could say so anywhere.
    /// </summary>
    [Fact]
    public async Task A_repeated_write_is_counted_before_it_is_sent()
    {
        await using var bench = new Workbench();
        var alive = new CancellationTokenSource();
        bench.Vendor[Bucket] = new BucketEncryption.None();
        bench.Vendor.DropsWrites = true;
        bench.Vendor.Faults = (_, call) =>
        {
            if (call.Operation != "Put" || bench.Vendor.Count("Put") == 1)
                return null;
            alive.Cancel();
            return new VendorFault(InMemoryVendor.Fail(FailureKind.Transient, "Killed", 500), AfterEffect: true);
        };
        bench.Start(Given.Policy(Bucket));
        for (var i = 0; i < 60; i++)
        {
            await Record.ExceptionAsync(() => bench.ReconcileAsync(alive.Token));
            if (alive.IsCancellationRequested)
                alive = new CancellationTokenSource();
            bench.Restart();
            bench.Time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(3, bench.Vendor.Count("Put")); // in ten minutes
        Assert.Equal(3, bench.Status.Buckets.Single().Writes?.Count);
        alive.Dispose();
    }

    /// <summary>
    /// A step is a request to the vendor or to Kubernetes. Whoever is killed at one has sent it or not, and never hears
    /// the answer.
    /// </summary>
    private static async Task<(int All, int First)> RunAsync(HashSet<int> killedAt)
    {
        await using var bench = new Workbench();
        using var first = new CancellationTokenSource();
        var (step, alive) = (0, first);
        bool DiesNow() => killedAt.Contains(Interlocked.Increment(ref step));
        bench.Vendor[Bucket] = new BucketEncryption.None();
        bench.Vendor.DropsWrites = true;
        bench.Vendor.Faults = (_, _) =>
        {
            if (!DiesNow())
                return null;
            alive.Cancel();
            return new VendorFault(
                InMemoryVendor.Fail(FailureKind.Transient, "Killed", 500),
                AfterEffect: step % 2 == 0
            );
        };
        bench.Kubernetes.Faults = (_, _) =>
        {
            if (!DiesNow())
                return null;
            alive.Cancel();
            return KubernetesFake.Status(500, "Killed");
        };
        bench.Start(Given.Policy(Bucket));
        var (begin, early) = (bench.Time.GetUtcNow(), 0);
        while (bench.Time.GetUtcNow() < begin + Day)
        {
            try
            {
                var requeue = await bench.ReconcileAsync(alive.Token);
                alive.Token.ThrowIfCancellationRequested();
                bench.Time.Advance(requeue is ReconcileResult.After after ? after.Delay : TimeSpan.FromSeconds(1));
            }
            catch (OperationCanceledException)
            {
                alive = new CancellationTokenSource();
                bench.Restart();
                bench.Time.Advance(TimeSpan.FromSeconds(2));
            }
            if (bench.Time.GetUtcNow() < begin + TimeSpan.FromMinutes(10))
                early = bench.Vendor.Count("Put");
        }
        return (bench.Vendor.Count("Put"), early);
    }
}
