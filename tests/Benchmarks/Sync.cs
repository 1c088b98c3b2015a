using System.Globalization;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benchmarks;

/// <summary>The time until a mirror holds all policies, and the memory that it then takes.</summary>
internal static class Sync
{
    /// <summary>As the watcher's.</summary>
    private const int PageSize = 500;

    public static async Task<int> RunAsync(
        string kubeconfig,
        int policies,
        bool pages,
        CancellationToken cancellationToken
    )
    {
        using var client = Cluster.Connect(kubeconfig);
        var mirror = new ObjectCache<BucketEncryptionPolicy>();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = pages ? ListAsync(client, mirror, watching.Token) : StreamAsync(client, mirror, watching.Token);
        await mirror.WhenSynced.WaitAsync(cancellationToken);
        var seconds = ProcessFigures.SecondsSinceStart();
        if (mirror.Count != policies)
            throw new InvalidOperationException($"{mirror.Count} objects, expected {policies}");
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken); // let it come to rest
        var line = ProcessFigures.Line(seconds, "self");
        // After the line: it would make the process smaller
        var heap = GC.GetTotalMemory(forceFullCollection: true) / (double)(1 << 20);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{line} heapMiB={heap:0.0}"));
        GC.KeepAlive(mirror);
        await watching.CancelAsync();
        await watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    private static Task StreamAsync(
        KubeClient client,
        ObjectCache<BucketEncryptionPolicy> mirror,
        CancellationToken cancellationToken
    )
    {
        var watcher = new Reflector<BucketEncryptionPolicy>(
            client,
            ApiResources.Policies,
            new WatchScope(null),
            new Random(1),
            TimeProvider.System,
            NullLogger.Instance
        );
        return watcher.RunAsync(e => mirror.Apply(e), cancellationToken);
    }

    /// <summary>As the watcher does where the server has no streaming lists.</summary>
    private static async Task ListAsync(
        KubeClient client,
        ObjectCache<BucketEncryptionPolicy> mirror,
        CancellationToken cancellationToken
    )
    {
        mirror.Apply(new WatchEvent<BucketEncryptionPolicy>.Restarted());
        string? next = null;
        do
        {
            var page = await client.ListAsync(
                ApiResources.Policies,
                new WatchScope(null),
                PageSize,
                next,
                cancellationToken
            );
            mirror.Apply(new WatchEvent<BucketEncryptionPolicy>.Listed(page.Items, page.Unreadable));
            next = page.Continue;
        } while (next is not null);
        mirror.Apply(new WatchEvent<BucketEncryptionPolicy>.Synced());
    }
}
