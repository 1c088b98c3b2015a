using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Events;
using KubeRuntime.LeaderElection;

namespace BucketEncryptionOperator.Hosting;

/// <summary>What runs while the process lives.</summary>
internal sealed record OperatorParts(
    KubeConnection Connection,
    SchemaCheck Schema,
    ControllerGroup Controllers,
    IElection Election,
    EventRecorder Events
);

/// <summary>
/// Waits for the CRDs, and then runs the controllers for as long as the process lives, or leads. The sending of events
/// ends last, so that the last ones are sent.
/// </summary>
internal sealed class OperatorService(
    OperatorParts parts,
    OperatorOptions options,
    IHostApplicationLifetime host,
    ILogger<OperatorService> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Log.Started(logger, parts.Connection, string.Join(", ", options.AllowedEndpoints));
        try
        {
            await parts.Schema.RunAsync(stoppingToken);
            await WithEventsAsync(() => parts.Election.RunAsync(parts.Controllers.RunAsync, stoppingToken));
            Log.Stopped(logger);
        }
        catch (LeadershipLostException)
        {
            SetExitCode(); // the elector has logged why; a restart makes this replica a standby
            host.StopApplication();
        }
        catch (Exception) when (SetExitCode())
        {
            throw; // the host logs it and stops
        }
    }

    private async Task WithEventsAsync(Func<Task> work)
    {
        using var stop = new CancellationTokenSource();
        var sending = parts.Events.RunAsync(stop.Token);
        try
        {
            await work();
        }
        finally
        {
            await stop.CancelAsync();
            await sending;
        }
    }

    private static bool SetExitCode()
    {
        Environment.ExitCode = 1;
        return false;
    }
}
