using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What the Reconciling folder logs. Event ids are unique in the process.</summary>
internal static partial class Log
{
    private static readonly Func<ILogger, NamespacedName, string, string, IDisposable?> ReconcileScope =
        LoggerMessage.DefineScope<NamespacedName, string, string>("policy {Policy} store {Store} vendor {Vendor}");

    /// <param name="vendor">Empty where the store is not known.</param>
    public static IDisposable? Scope(ILogger logger, NamespacedName policy, string store, string vendor) =>
        ReconcileScope(logger, policy, store, vendor);

    [LoggerMessage(100, LogLevel.Information, "Bucket {Bucket}: encryption applied, from {From} to {To}")]
    public static partial void EncryptionApplied(
        ILogger logger,
        string bucket,
        BucketEncryption from,
        BucketEncryption to
    );

    [LoggerMessage(101, LogLevel.Information, "Bucket {Bucket}: encryption removed, it was {From}")]
    public static partial void EncryptionRemoved(ILogger logger, string bucket, BucketEncryption from);

    [LoggerMessage(102, LogLevel.Information, "Ready is {Ready} ({Reason}), {Buckets} buckets in sync")]
    public static partial void ReadyChanged(ILogger logger, string ready, string reason, string buckets);

    [LoggerMessage(
        103,
        LogLevel.Warning,
        "Bucket {Bucket}: {Operation} failed with {Code} (HTTP {HttpStatus}, request {RequestId}). {Hint}"
    )]
    public static partial void BucketFailed(
        ILogger logger,
        string bucket,
        string operation,
        string code,
        int httpStatus,
        string requestId,
        string hint
    );

    [LoggerMessage(110, LogLevel.Warning, "Bucket {Bucket}: {Operation} failed with {Code}. {Message} {Hint}")]
    public static partial void BucketFailedUnanswered(
        ILogger logger,
        string bucket,
        string operation,
        string code,
        string message,
        string hint
    );

    [LoggerMessage(EventId = 104, Message = "Status not written ({Failure}), will try again: {Problem}")]
    public static partial void StatusNotWritten(
        ILogger logger,
        LogLevel level,
        KubeFailureKind failure,
        string problem
    );

    [LoggerMessage(EventId = 116, Message = "KeyUsable is {KeyUsable} ({Reason}). {Message}")]
    public static partial void KeyUsableChanged(
        ILogger logger,
        LogLevel level,
        string keyUsable,
        string reason,
        string message
    );

    [LoggerMessage(105, LogLevel.Error, "Bug in a reconcile; the policy's status says OperatorBug")]
    public static partial void Bug(ILogger logger, Exception exception);

    [LoggerMessage(107, LogLevel.Warning, "Not ready: {Reason}. {Message}")]
    public static partial void PolicyFailed(ILogger logger, string reason, string message);

    [LoggerMessage(EventId = 130, Message = "{Kind} {Store}: Ready is {Ready} ({Reason}). {Message}")]
    public static partial void StoreReadyChanged(
        ILogger logger,
        LogLevel level,
        string kind,
        NamespacedName store,
        string ready,
        string reason,
        string message
    );
}
