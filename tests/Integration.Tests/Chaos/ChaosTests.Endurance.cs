using BucketEncryptionOperator.Api;
using Integration.Tests.Harness;
using RandomSeed = TestKit.RandomSeed;

namespace Integration.Tests.Chaos;

public sealed partial class ChaosTests
{
    /// <summary>From a world at rest, through a fault under load, to a world at rest; then the row.</summary>
    /// <param name="strike">Returns how often the fault struck, once it is over.</param>
    private async Task EndureAsync(string fault, Func<Task<int>> strike, bool load = true)
    {
        _random = RandomSeed.NewRandom(output.WriteLine);
        await CreateAsync(Policies - (await world.PoliciesAsync()).Count);
        await WhenNothingIsMissedAsync();
        var row = world.BeginRow();

        using var over = new CancellationTokenSource();
        var changing = load ? KeepChangingAsync(over.Token) : Task.CompletedTask;
        int times;
        long recovering;
        try
        {
            await Eventually.TrueAsync(
                "policies are being changed",
                () => !load || world.Declarations.Count >= row.Changes + Batch,
                world.Logs
            );
            times = await strike();
            recovering = TimeProvider.System.GetTimestamp();
        }
        finally
        {
            await over.CancelAsync();
            await changing;
        }
        var missed = await WhenNothingIsMissedAsync(orSaySo: true);
        var recovery = TimeProvider.System.GetElapsedTime(recovering);
        IReadOnlyList<string> ghosts = missed.Count > 0 ? [] : await WithoutGhostsAsync();

        var (wrong, late) = (world.Wrongs(row), world.LateWrites(row));
        var policies = (await world.PoliciesAsync()).Count;
        output.WriteLine(
            $"| {fault} | {times} | {policies} | {world.Declarations.Count - row.Changes} | "
                + $"{missed.Count + ghosts.Count} | {wrong.Count} | {late.Count} | {recovery.TotalSeconds:0.0} s |"
        );
        Assert.True(
            missed.Count + ghosts.Count + wrong.Count + late.Count == 0,
            string.Join('\n', [.. missed, .. ghosts, .. wrong, .. late.Select(l => "late: " + l), world.Logs()])
        );
    }

    private async Task<IReadOnlyList<string>> WhenNothingIsMissedAsync(bool orSaySo = false)
    {
        IReadOnlyList<string> missed = [];
        try
        {
            await Eventually.TrueAsync(
                "nothing is missed",
                async () => (missed = await world.MissedAsync()).Count == 0,
                () => string.Join('\n', [.. missed, world.Logs()])
            );
        }
        catch (TimeoutException) when (orSaySo)
        {
            // The row says it.
        }
        return missed;
    }

    private async Task<IReadOnlyList<string>> WithoutGhostsAsync()
    {
        IReadOnlyList<string> ghosts = [];
        try
        {
            await Eventually.TrueAsync(
                "deleted policies are no longer worked on",
                async () => (ghosts = await world.GhostsAsync()).Count == 0
            );
        }
        catch (TimeoutException)
        {
            // The row says it.
        }
        return ghosts;
    }

    private async Task KeepChangingAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            if (!await ChangeAsync())
                await PassAsync(Pause);
        }
    }

    /// <summary>One policy comes, one goes, two change; whatever the API server says to it.</summary>
    private async Task<bool> ChangeAsync()
    {
        IReadOnlyList<BucketEncryptionPolicy> policies;
        try
        {
            policies = await world.PoliciesAsync();
        }
        catch (KubeRuntime.Client.KubeApiException)
        {
            return false;
        }
        var names = policies
            .Select(p => p.Metadata.Name)
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .ToArray();
        _random.Shuffle(names);
        var (applied, _) = await world.Scene.Cluster.TryApplyAsync(Yaml([NewName(), .. names.Take(Batch - 1)]));
        if (names.Length < Policies)
            return applied == 0;
        var (deleted, _) = await world.Scene.Cluster.TryKubectlAsync(
            "-n",
            ChaosWorld.Namespace,
            "delete",
            "bep",
            names[^1],
            "--wait=false"
        );
        return applied == 0 && deleted == 0;
    }

    private Task CreateAsync(int count) =>
        ApplyAsync([.. Enumerable.Range(0, Math.Max(0, count)).Select(i => $"{NewName()}-{i}")]);

    private string NewName() => $"{Prefix}{world.Declarations.Count}";

    /// <summary>A policy has one bucket, which has its name.</summary>
    private string Yaml(IEnumerable<string> names) =>
        string.Join(
            "\n---\n",
            names.Select(name =>
            {
                if (world.Scene.Vendor.Buckets.Find(name) is null)
                    world.Scene.CreateBuckets(name);
                return world.Scene.PolicyYaml(name, [name], Declarations.Encryption(world.Declarations.Next(name)));
            })
        );
}
