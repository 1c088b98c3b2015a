using KubeRuntime.Client;

namespace BucketEncryptionOperator.Hosting;

/// <summary>What the Hosting folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(115, LogLevel.Information, "The least level to log was {Before} and is {Now}")]
    public static partial void LevelChanged(ILogger logger, LogLevel before, LogLevel now);

    [LoggerMessage(106, LogLevel.Information, "Talking to Kubernetes at {Connection}; allowed endpoints: {Endpoints}")]
    public static partial void Started(ILogger logger, KubeConnection connection, string endpoints);

    [LoggerMessage(109, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(113, LogLevel.Warning, "Not started: {Problem}")]
    public static partial void SchemaProblem(ILogger logger, string problem);

    [LoggerMessage(
        114,
        LogLevel.Warning,
        "The CRDs of the cluster are not compared with what this version needs: {Problem}"
    )]
    public static partial void SchemaUnchecked(ILogger logger, string problem);
}
