using KubeRuntime.Api;
using KubeRuntime.Control;
using KubeRuntime.Leading;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Runs the controller for as long as the process lives, or leads.</summary>
internal sealed class OperatorService(
    Controller controller, IElection election, KubeConnection connection, OperatorOptions options, IHostApplicationLifetime host, ILogger<OperatorService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Log.Started(logger, connection, string.Join(", ", options.AllowedEndpoints));
        try
        {
            await election.RunAsync(controller.RunAsync, stoppingToken);
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

    private static bool SetExitCode()
    {
        Environment.ExitCode = 1;
        return false;
    }
}
