using KubeRuntime.Api;
using Microsoft.Extensions.Logging;

namespace KubeRuntime;

/// <summary>Everything that the runtime says.</summary>
internal static partial class Log
{
    private static readonly Func<ILogger, string, IDisposable?> Reconcile = LoggerMessage.DefineScope<string>(
        "reconcile {ReconcileId}"
    );

    public static IDisposable? ReconcileScope(ILogger logger, string id) => Reconcile(logger, id);

    [LoggerMessage(1, LogLevel.Information, "All watched kinds are in memory; {Waiting} objects to look at")]
    public static partial void Synced(ILogger logger, int waiting);

    [LoggerMessage(2, LogLevel.Warning, "Watch of {Resource} failed ({Failure}), will go on trying: {Problem}")]
    public static partial void WatchFailed(ILogger logger, string resource, KubeFailure failure, string problem);

    [LoggerMessage(
        3,
        LogLevel.Information,
        "Watch of {Resource}: the version to resume from is too old (410), listing again"
    )]
    public static partial void WatchExpired(ILogger logger, string resource);

    [LoggerMessage(4, LogLevel.Debug, "Watch of {Resource} ended, opening the next")]
    public static partial void WatchEnded(ILogger logger, string resource);

    [LoggerMessage(5, LogLevel.Warning, "{Resource} {Key} is passed over: {Problem}")]
    public static partial void ObjectUnreadable(ILogger logger, string resource, NamespacedName key, string problem);

    [LoggerMessage(6, LogLevel.Warning, "Reconcile of {Key} took more than {Limit}, will try again")]
    public static partial void ReconcileTimedOut(ILogger logger, NamespacedName key, TimeSpan limit);

    [LoggerMessage(7, LogLevel.Error, "Bug: reconcile of {Key} threw, will try again")]
    public static partial void ReconcileFailed(ILogger logger, NamespacedName key, Exception exception);

    [LoggerMessage(8, LogLevel.Warning, "Running reconciles did not end within {Limit} and are cancelled")]
    public static partial void DrainCutShort(ILogger logger, TimeSpan limit);

    [LoggerMessage(9, LogLevel.Error, "Bug: cancelled reconciles did not end within {Limit} and are left behind")]
    public static partial void DrainGivenUp(ILogger logger, TimeSpan limit);

    [LoggerMessage(
        10,
        LogLevel.Information,
        "The server has no streaming lists ({Problem}); {Resource} are listed by pages"
    )]
    public static partial void NoStreamingLists(ILogger logger, string resource, string problem);

    [LoggerMessage(11, LogLevel.Warning, "The API server warns: {Text}")]
    public static partial void ServerWarns(ILogger logger, string text);

    [LoggerMessage(
        12,
        LogLevel.Information,
        "A page of {Resource} is too large; they are listed by pages of {PageSize} from now on"
    )]
    public static partial void PageTooLarge(ILogger logger, string resource, int pageSize);

    [LoggerMessage(20, LogLevel.Information, "Standing by: {Holder} leads")]
    public static partial void StandingBy(ILogger logger, string holder);

    [LoggerMessage(21, LogLevel.Information, "Leading, as {Identity}")]
    public static partial void Leading(ILogger logger, string identity);

    [LoggerMessage(
        22,
        LogLevel.Warning,
        "The lease could not be read or written ({Failure}), will try again: {Problem}"
    )]
    public static partial void LeaseFailed(ILogger logger, KubeFailure failure, string problem);

    [LoggerMessage(23, LogLevel.Warning, "Leadership lost: {Reason}. Work is cancelled and the process ends")]
    public static partial void LeadershipLost(ILogger logger, string reason);

    [LoggerMessage(24, LogLevel.Information, "Lease released")]
    public static partial void LeaseReleased(ILogger logger);

    [LoggerMessage(25, LogLevel.Warning, "Lease not released, the others wait for its end: {Problem}")]
    public static partial void LeaseNotReleased(ILogger logger, string problem);

    [LoggerMessage(
        30,
        LogLevel.Warning,
        "Event {Reason} about {Subject} was not sent ({Failure}); events go on, and further failures of this kind are only counted: {Problem}"
    )]
    public static partial void EventNotSent(
        ILogger logger,
        string reason,
        string subject,
        KubeFailure failure,
        string problem
    );
}
