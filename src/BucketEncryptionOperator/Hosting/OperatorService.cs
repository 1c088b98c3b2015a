using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Events;
using KubeRuntime.LeaderElection;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Once the CRDs are as they must be, runs the controllers for as long as the process lives, or leads; and the sending
/// of events a little longer, so that the last ones are told.
/// </summary>
internal sealed class OperatorService(
    SchemaCheck schema,
    ControllerGroup controllers,
    IElection election,
    EventRecorder events,
    KubeConnection connection,
    OperatorOptions options,
    IHostApplicationLifetime host,
    ILogger<OperatorService> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Log.Started(logger, connection, string.Join(", ", options.AllowedEndpoints));
        try
        {
            await schema.PassAsync(stoppingToken);
            await WithEventsAsync(() => election.RunAsync(controllers.RunAsync, stoppingToken));
            Log.Stopped(logger);
        }
        catch (LeadershipLostException)
        {
            SetExitCode(); // the elector has told why; whoever started the process starts it anew, as a standby
            host.StopApplication();
        }
        catch (Exception) when (SetExitCode())
        {
            throw; // the host logs it and stops
        }
    }

    private async Task WithEventsAsync(Func<Task> work)
    {
        using var over = new CancellationTokenSource();
        var sending = events.RunAsync(over.Token);
        try
        {
            await work();
        }
        finally
        {
            await over.CancelAsync();
            await sending;
        }
    }

    private static bool SetExitCode()
    {
        Environment.ExitCode = 1;
        return false;
    }
}
