using System.Diagnostics;
using System.Globalization;
using BucketEncryptionOperator.Api;
using KubeRuntime.Client;

namespace Benchmarks;

/// <summary>
/// The time from the start of a program until all policies are Ready, and what it then has used. Seen from outside,
/// through a watch of this process's own, so that every program is measured by the same clock.
/// </summary>
internal static class Job
{
    private static readonly TimeSpan LongestWatch = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(
        string kubeconfig,
        int policies,
        string[] program,
        CancellationToken cancellationToken
    )
    {
        using var client = Cluster.Connect(kubeconfig);
        using var watch = await client.StreamListAsync(
            ApiResources.Policies,
            new WatchScope(null),
            LongestWatch,
            cancellationToken
        );
        while ((await watch.ReadAsync(cancellationToken))?.Type is not (null or WatchLineType.InitialEventsEnd)) { }

        using var child =
            Process.Start(
                new ProcessStartInfo(program[0], program[1..])
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            ) ?? throw new InvalidOperationException(program[0]);
        var since = TimeProvider.System.GetTimestamp();
        var log = Task.WhenAll(LogAsync(child.StandardOutput), LogAsync(child.StandardError));
        var pid = child.Id.ToString(CultureInfo.InvariantCulture);
        try
        {
            await AllReadyAsync(watch, policies, child, cancellationToken);
            var seconds = TimeProvider.System.GetElapsedTime(since).TotalSeconds;
            await Task.Delay(Rest, TimeProvider.System, cancellationToken);
            Console.WriteLine(ProcessFigures.Line(seconds, pid));
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", pid]);
            await child.WaitForExitAsync(CancellationToken.None);
        }
        await log;
        return 0;
    }

    private static async Task AllReadyAsync(
        WatchReader<BucketEncryptionPolicy> watch,
        int policies,
        Process child,
        CancellationToken cancellationToken
    )
    {
        var ready = new HashSet<NamespacedName>();
        while (ready.Count < policies)
        {
            if (child.HasExited)
                throw new InvalidOperationException("the program has ended");
            var line =
                await watch.ReadAsync(cancellationToken) ?? throw new InvalidOperationException("the watch has ended");
            if (
                line.Item is { Status: { } status } policy
                && status.ObservedGeneration == policy.Metadata.Generation
                && status.Conditions.Any(c => c is { Type: "Ready", Status: "True" })
            )
                ready.Add(policy.Metadata.Key);
        }
    }

    /// <summary>To stderr, for bench.sh to keep; a pipe that nobody reads would stop the program.</summary>
    private static async Task LogAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
            await Console.Error.WriteLineAsync(line);
    }
}
