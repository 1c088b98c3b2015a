using BucketEncryptionOperator.Encryption;

namespace BucketEncryptionOperator.Planning;

/// <summary>
/// Waits where a vendor, or the store's own limit, asks to go slower. The operator's queue does that for its policies;
/// a command has no queue.
/// </summary>
internal sealed class PatientReads(TimeProvider time)
{
    /// <summary>Maximum number of attempts.</summary>
    private const int Attempts = 6;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    /// <param name="failureOf">Returns why an answer is none; null for an answer.</param>
    public async Task<T> UntilAnsweredAsync<T>(
        Func<CancellationToken, Task<T>> read,
        Func<T, Failure?> failureOf,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await read(cancellationToken);
            if (attempt == Attempts || failureOf(answer) is not { Kind: FailureKind.Throttled } throttled)
                return answer;
            var pause = throttled.RetryAfter ?? FirstPause * Math.Pow(2, attempt - 1);
            await Task.Delay(pause < LongestPause ? pause : LongestPause, time, cancellationToken);
        }
    }
}
