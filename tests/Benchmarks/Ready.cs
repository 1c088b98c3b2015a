using System.Globalization;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace Benchmarks;

/// <summary>
/// Waits until policies are Ready, through a watch of this process's own, so that every program is measured by the same
/// clock. Prints <c>watching</c> once it sees everything, and then the time, in seconds of the Unix epoch, at which the
/// last policy was Ready.
/// </summary>
internal static class Ready
{
    private static readonly TimeSpan LongestWatch = TimeSpan.FromMinutes(60);

    /// <param name="generation">Least generation of a policy that counts.</param>
    public static async Task<int> RunAsync(
        string kubeconfig,
        int policies,
        int generation,
        CancellationToken cancellationToken
    )
    {
        using var client = Cluster.Connect(kubeconfig);
        var isSeen = false;
        // The server ends watches when the kind's definition has just changed
        while (!await WatchAsync())
            Console.Error.WriteLine("the watch has ended; watching again");
        var now = TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch;
        Console.WriteLine(now.TotalSeconds.ToString("0.000000", CultureInfo.InvariantCulture));
        return 0;

        async Task<bool> WatchAsync()
        {
            using var watch = await client.StreamListAsync(
                ApiResources.Policies,
                new WatchScope(null),
                LongestWatch,
                cancellationToken
            );
            var ready = new HashSet<NamespacedName>();
            var isComplete = false;
            while (!isComplete || ready.Count < policies)
            {
                if (await watch.ReadAsync(cancellationToken) is not { } line)
                    return false;
                if (line.Type == WatchLineType.InitialEventsEnd)
                {
                    isComplete = true;
                    if (!isSeen)
                        Console.WriteLine("watching");
                    isSeen = true;
                }
                if (line.Item is { } policy && IsReady(policy, generation))
                    ready.Add(policy.Metadata.Key);
            }
            return true;
        }
    }

    private static bool IsReady(BucketEncryptionPolicy policy, int generation) =>
        policy.Status is { } status
        && policy.Metadata.Generation >= generation
        && status.ObservedGeneration == policy.Metadata.Generation
        && status.Conditions.Any(c => c is { Type: "Ready", Status: "True" });
}
