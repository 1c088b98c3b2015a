using BucketEncryptionOperator.Credentials;
using BucketEncryptionOperator.Encryption;
using BucketEncryptionOperator.Policies;
using BucketEncryptionOperator.Reconciling;
using KubeRuntime.Api;
using KubeRuntime.Conditions;

namespace BucketEncryptionOperator;

/// <summary>
/// Everything that the operator says. Information: something changed in the world. Debug: we looked. Warning: a person should act.
/// Error: our bug.
/// </summary>
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

    [LoggerMessage(111, LogLevel.Debug, "New keys for {Identity}, good for {UsableFor}")]
    public static partial void KeyRenewed(ILogger logger, AmbientIdentity identity, TimeSpan usableFor);

    [LoggerMessage(
        112,
        LogLevel.Warning,
        "No new keys for {Identity}: {Step} failed with {Code}. {Message} (request {RequestId}). The old ones are good for {UsableFor}"
    )]
    public static partial void KeyNotRenewed(
        ILogger logger,
        AmbientIdentity identity,
        string step,
        string code,
        string message,
        string requestId,
        TimeSpan usableFor
    );

    [LoggerMessage(EventId = 104, Message = "Status not written ({Failure}), will try again: {Problem}")]
    public static partial void StatusNotWritten(ILogger logger, LogLevel level, KubeFailure failure, string problem);

    [LoggerMessage(105, LogLevel.Error, "Bug in a reconcile; the policy's status says OperatorBug")]
    public static partial void Bug(ILogger logger, Exception exception);

    [LoggerMessage(106, LogLevel.Information, "Talking to Kubernetes at {Connection}; allowed endpoints: {Endpoints}")]
    public static partial void Started(ILogger logger, KubeConnection connection, string endpoints);

    [LoggerMessage(107, LogLevel.Warning, "Not ready: {Reason}. {Message}")]
    public static partial void PolicyFailed(ILogger logger, string reason, string message);

    [LoggerMessage(108, LogLevel.Information, "Probes at {Urls}")]
    public static partial void Probes(ILogger logger, string urls);

    [LoggerMessage(113, LogLevel.Warning, "Not started: {Problem}")]
    public static partial void SchemaProblem(ILogger logger, string problem);

    [LoggerMessage(
        114,
        LogLevel.Warning,
        "The CRDs of the cluster are not compared with what this version needs: {Problem}"
    )]
    public static partial void SchemaUnchecked(ILogger logger, string problem);

    [LoggerMessage(115, LogLevel.Information, "The least level to log was {Before} and is {Now}")]
    public static partial void LevelChanged(ILogger logger, LogLevel before, LogLevel now);

    [LoggerMessage(109, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

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

    /// <summary>One line for each thing that changed with a status, none for what stayed.</summary>
    public static void StatusChange(ILogger logger, PolicyStatus? before, PolicyStatus after)
    {
        foreach (var row in after.Buckets)
        {
            if (StatusChanges.NewError(before, row) is { } error && error.Code != PassProgress.NotReached)
                Failed(logger, row.Name, error);
        }
        var was = before?.Conditions.Find(StatusComposer.Ready);
        if (
            after.Conditions.Find(StatusComposer.Ready) is { } ready
            && (was?.Status != ready.Status || was.Reason != ready.Reason)
        )
        {
            if (ready.Status != Condition.True && after.Buckets.All(b => b.Error is null))
                PolicyFailed(logger, ready.Reason, ready.Message);
            else
                ReadyChanged(logger, ready.Status, ready.Reason, after.Summary?.Text ?? "");
        }
    }

    private static void Failed(ILogger logger, string bucket, ErrorRow error)
    {
        if (error.HttpStatus is { } status)
            BucketFailed(
                logger,
                bucket,
                error.Operation,
                error.Code,
                status,
                error.RequestId ?? "unknown",
                error.Hint ?? ""
            );
        else
            BucketFailedUnanswered(logger, bucket, error.Operation, error.Code, error.Message ?? "", error.Hint ?? "");
    }
}
