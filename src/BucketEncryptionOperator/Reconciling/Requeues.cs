using BucketEncryptionOperator.Encryption;
using KubeRuntime.Client;
using KubeRuntime.Controllers;

namespace BucketEncryptionOperator.Reconciling;

/// <summary>What the queue does next, for policies and stores alike.</summary>
internal static class Requeues
{
    /// <summary>
    /// The status was not written: at once if somebody else wrote the object, otherwise with back-off.
    /// </summary>
    public static ReconcileResult AfterFailedWrite(KubeApiException failure) =>
        new ReconcileResult.Retry(
            failure.Failure == KubeFailureKind.Conflict
                ? TimeSpan.Zero
                : failure.RetryAfter ?? FailurePolicy.ShortestRetry
        );

    /// <summary>A conflict is part of normal operation; other failures are worth a warning.</summary>
    public static LogLevel LevelOfFailedWrite(KubeApiException failure) =>
        failure.Failure == KubeFailureKind.Conflict ? LogLevel.Debug : LogLevel.Warning;

    /// <param name="settled">Turns the time until a settled object's next reconcile into the time that is used.</param>
    public static ReconcileResult Of(RequeueDecision decision, Func<TimeSpan, TimeSpan>? settled = null) =>
        decision switch
        {
            { Delay: null } => ReconcileResult.OnChange,
            { Delay: { } delay, BackOff: true } => new ReconcileResult.Retry(delay),
            { Delay: { } delay } => new ReconcileResult.After(settled?.Invoke(delay) ?? delay),
        };
}
