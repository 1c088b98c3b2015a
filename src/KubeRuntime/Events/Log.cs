using KubeRuntime.Client;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Events;

/// <summary>What the Events folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(
        30,
        LogLevel.Warning,
        "Event {Reason} about {Subject} was not sent ({Failure}); events go on, and further failures of this kind are "
            + "only counted: {Problem}"
    )]
    public static partial void EventNotSent(
        ILogger logger,
        string reason,
        string subject,
        KubeFailureKind failure,
        string problem
    );
}
