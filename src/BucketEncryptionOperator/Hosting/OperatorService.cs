using KubeRuntime.Api;
using KubeRuntime.Control;

namespace BucketEncryptionOperator.Hosting;

/// <summary>Runs the controller for as long as the process lives.</summary>
internal sealed class OperatorService(Controller controller, KubeConnection connection, OperatorOptions options, ILogger<OperatorService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Log.Started(logger, connection, string.Join(", ", options.AllowedEndpoints));
        try
        {
            await controller.RunAsync(stoppingToken);
            Log.Stopped(logger);
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
