using System.Collections.Immutable;
using System.Threading.Channels;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;
using KubeRuntime.Informers;
using Microsoft.Extensions.Logging.Abstractions;

namespace BucketEncryptionOperator.Commands;

/// <summary>Follows the statuses of policies until it is stopped, with a watch as the operator has one.</summary>
internal sealed class StatusWatch(ClusterConnection cluster, TimeProvider time)
{
    /// <summary>Changes that come within it are shown at once.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <param name="meant">Returns the policies that are followed, of all in the scope.</param>
    /// <param name="show">Is called at the begin and after changes, with all rows.</param>
    /// <returns>The exit code of the rows that were shown last.</returns>
    public async Task<int> RunAsync(
        WatchScope scope,
        Func<ImmutableArray<BucketEncryptionPolicy>, ImmutableArray<BucketEncryptionPolicy>> meant,
        Func<ImmutableArray<StatusRow>, Task> show,
        CancellationToken cancellationToken
    )
    {
        var cache = new ObjectCache<BucketEncryptionPolicy>();
        var changes = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
        );
        var reflector = new Reflector<BucketEncryptionPolicy>(
            cluster.Client,
            ApiResources.Policies,
            scope,
            new Random(Environment.ProcessId),
            time,
            NullLogger.Instance
        );
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = reflector.RunAsync(Take, stop.Token);
        var vendors = new StoreVendors(cluster.Client);
        var exitCode = 1;
        try
        {
            await Task.WhenAny(cache.WhenSynced, watching);
            do
            {
                var rows = await ClusterTarget.RowsAsync(meant(cache.Snapshot()), vendors, stop.Token);
                await show(rows);
                exitCode = StatusCommand.ExitCodeOf(rows);
                await Task.Delay(Pause, time, stop.Token);
            } while (await changes.Reader.ReadAsync(stop.Token));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A watch has no other end
        }
        finally
        {
            await stop.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return exitCode;

        void Take(WatchEvent<BucketEncryptionPolicy> e)
        {
            if (cache.Apply(e).Count > 0)
                changes.Writer.TryWrite(item: true);
        }
    }
}
