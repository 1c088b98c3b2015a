using KubeRuntime.Client;
using KubeRuntime.Controllers;
using KubeRuntime.Events;
using KubeRuntime.LeaderElection;

namespace BucketEncryptionOperator.Hosting;

/// <summary>
/// Waits for the CRDs, and then runs the controllers for as long as the process lives, or leads. The sending of events
/// ends last, so that the last ones are sent.
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
            await schema.RunAsync(stoppingToken);
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
