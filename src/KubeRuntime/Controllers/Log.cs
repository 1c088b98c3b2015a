using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Controllers;

/// <summary>What the Controllers folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    private static readonly Func<ILogger, string, IDisposable?> Reconcile = LoggerMessage.DefineScope<string>(
        "reconcile {ReconcileId}"
    );

    public static IDisposable? ReconcileScope(ILogger logger, string id) => Reconcile(logger, id);

    [LoggerMessage(1, LogLevel.Information, "All watched kinds are in memory; {Waiting} objects to look at")]
    public static partial void Synced(ILogger logger, int waiting);

    [LoggerMessage(6, LogLevel.Warning, "Reconcile of {Key} took more than {Limit}, will try again")]
    public static partial void ReconcileTimedOut(ILogger logger, NamespacedName key, TimeSpan limit);

    [LoggerMessage(7, LogLevel.Error, "Bug: reconcile of {Key} threw, will try again")]
    public static partial void ReconcileFailed(ILogger logger, NamespacedName key, Exception exception);

    [LoggerMessage(8, LogLevel.Warning, "Running reconciles did not end within {Limit} and are cancelled")]
    public static partial void DrainCutShort(ILogger logger, TimeSpan limit);

    [LoggerMessage(9, LogLevel.Error, "Bug: cancelled reconciles did not end within {Limit} and are left behind")]
    public static partial void DrainGivenUp(ILogger logger, TimeSpan limit);
}
