using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.LeaderElection;

/// <summary>What the LeaderElection folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(20, LogLevel.Information, "Standing by: {Holder} leads")]
    public static partial void StandingBy(ILogger logger, string holder);

    [LoggerMessage(21, LogLevel.Information, "Leading, as {Identity}")]
    public static partial void Leading(ILogger logger, string identity);

    [LoggerMessage(
        22,
        LogLevel.Warning,
        "The lease could not be read or written ({Failure}), will try again: {Problem}"
    )]
    public static partial void LeaseFailed(ILogger logger, KubeFailureKind failure, string problem);

    [LoggerMessage(23, LogLevel.Warning, "Leadership lost: {Reason}. Work is cancelled and the process ends")]
    public static partial void LeadershipLost(ILogger logger, string reason);

    [LoggerMessage(25, LogLevel.Warning, "Lease not released, the others wait for its end: {Problem}")]
    public static partial void LeaseNotReleased(ILogger logger, string problem);

    [LoggerMessage(24, LogLevel.Information, "Lease released")]
    public static partial void LeaseReleased(ILogger logger);
}
