using Microsoft.Extensions.Logging;

namespace KubeRuntime.Client;

/// <summary>What the Client folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(11, LogLevel.Warning, "The API server warns: {Text}")]
    public static partial void ServerWarns(ILogger logger, string text);
}
