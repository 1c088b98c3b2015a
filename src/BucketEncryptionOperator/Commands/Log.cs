namespace BucketEncryptionOperator.Commands;

/// <summary>What the Commands folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(108, LogLevel.Information, "Probes at {Urls}")]
    public static partial void Probes(ILogger logger, string urls);
}
