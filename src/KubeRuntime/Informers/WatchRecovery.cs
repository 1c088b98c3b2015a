using KubeRuntime.Client;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Informers;

/// <summary>
/// Decides when a reflector tries again after a failure or a clean end, and whether it resumes. It backs off on every
/// end, clean ones included: behind a proxy that closes at once, a reflector that reopens at once would flood it. The
/// back-off is reset only after a watch that has lived for a while. A watch that brings an event and is cut, again and
/// again, keeps a back-off of about a second, so that changes are still known soon.
/// </summary>
internal sealed class WatchRecovery(string plural, Random random, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    /// <summary>Age from which a watch counts as a working one.</summary>
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Number of failures with nothing new between them after which the version itself is suspect: a line that cannot
    /// be read comes again on every resume, and a restored etcd does not know the version. A list resolves that, and
    /// costs little if it was only the network.
    /// </summary>
    private const int RelistAfter = 10;

    /// <summary>The count of failures after a watch has brought something new: a pause of 0.8 to 1.6 s.</summary>
    private const int FailuresAfterProgress = 4;

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), LongestBackoff, random);
    private int _failures;

    /// <summary>Number of failures since anything new came.</summary>
    private int _stuck;

    /// <summary>
    /// The failure that was reported last. An outage has several symptoms (a reset, then no listener, then an untrusted
    /// certificate), and each is reported once.
    /// </summary>
    private string? _reported;

    /// <summary>Called when a part of a list has come.</summary>
    public void Progress() => _stuck = 0;

    /// <summary>Called when a watch has brought a new version.</summary>
    public void Progressed()
    {
        _stuck = 0;
        _failures = Math.Min(_failures, FailuresAfterProgress);
    }

    /// <summary>Called when a stream of this age has ended.</summary>
    public void Lived(TimeSpan age)
    {
        if (age >= SettledAfter)
            (_failures, _reported) = (0, null);
    }

    /// <summary>Waits after a failure, at least as long as the server asked.</summary>
    /// <returns>Whether the known version is too old, or suspect, so that a list must follow.</returns>
    public async Task<bool> MustListAsync(KubeApiException failure, CancellationToken cancellationToken)
    {
        var expired = failure.Failure == KubeFailureKind.Expired;
        if (expired)
            Log.WatchExpired(logger, plural);
        else if (_reported != failure.Message)
            Log.WatchFailed(logger, plural, failure.Failure, failure.Message);
        _reported = failure.Message;
        await PauseAsync(failure.RetryAfter ?? TimeSpan.Zero, cancellationToken);
        // A version or a continue token that the server calls wrong (400) will be wrong again.
        return failure.Failure == KubeFailureKind.Invalid || ++_stuck % RelistAfter == 0 || expired;
    }

    /// <summary>Waits after a clean end.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => PauseAsync(TimeSpan.Zero, cancellationToken);

    private Task PauseAsync(TimeSpan atLeast, CancellationToken cancellationToken)
    {
        var delay = _backoff.Delay(++_failures);
        return Task.Delay(delay > atLeast ? delay : atLeast, time, cancellationToken);
    }
}
