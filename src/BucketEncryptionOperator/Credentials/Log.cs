namespace BucketEncryptionOperator.Credentials;

/// <summary>What the Credentials folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(
        112,
        LogLevel.Warning,
        "No new keys for {Identity}: {Step} failed with {Code}. {Message} (request {RequestId}). The old ones are "
            + "good for {UsableFor}"
    )]
    public static partial void KeyNotRenewed(
        ILogger logger,
        TemporaryIdentity identity,
        string step,
        string code,
        string message,
        string requestId,
        TimeSpan usableFor
    );

    [LoggerMessage(111, LogLevel.Debug, "New keys for {Identity}, good for {UsableFor}")]
    public static partial void KeyRenewed(ILogger logger, TemporaryIdentity identity, TimeSpan usableFor);
}
