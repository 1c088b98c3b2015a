namespace BucketEncryptionOperator.KmsKeys;

/// <summary>What the KmsKeys folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    [LoggerMessage(150, LogLevel.Debug, "KMS key {Key}: {Operation} failed with {Code}, will try again")]
    public static partial void KeyNotRead(ILogger logger, string key, string operation, string code);
}
