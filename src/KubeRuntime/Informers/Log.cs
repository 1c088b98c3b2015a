using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Informers;

/// <summary>What the Informers folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(2, LogLevel.Warning, "Watch of {Resource} failed ({Failure}), will go on trying: {Problem}")]
    public static partial void WatchFailed(ILogger logger, string resource, KubeFailureKind failure, string problem);

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

    [LoggerMessage(
        10,
        LogLevel.Information,
        "The server has no streaming lists ({Problem}); {Resource} are listed by pages"
    )]
    public static partial void NoStreamingLists(ILogger logger, string resource, string problem);

    [LoggerMessage(
        12,
        LogLevel.Information,
        "A page of {Resource} is too large; they are listed by pages of {PageSize} from now on"
    )]
    public static partial void PageTooLarge(ILogger logger, string resource, int pageSize);
}
