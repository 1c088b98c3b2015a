using KubeRuntime.Client;
using KubeRuntime.WorkQueues;
using Microsoft.Extensions.Logging;

namespace KubeRuntime.Informers;

/// <summary>
/// When a reflector tries again after a failure or a clean end, and whether it goes on where it was. It backs off on
/// every exit, clean ends included: behind a proxy that closes at once a reflector that reopens at once is a request
/// storm. The back-off starts anew only after a watch that has lived for a while; one that brings an event and is cut,
/// again and again, is a storm too, but a useful one: its back-off stays at about a second, so that what happens
/// meanwhile is known soon.
/// </summary>
internal sealed class WatchRecovery(string plural, Random random, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    /// <summary>A watch that lived this long was a working one.</summary>
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After so many failures with nothing new between them the version itself is suspect (a line that cannot be read
    /// comes again on every resume, a restored etcd has never heard of the version): a list mends that, and costs
    /// little when it was only the network.
    /// </summary>
    private const int RelistAfter = 10;

    /// <summary>
    /// Where the count of failures goes back to when a watch has brought something new: 0.8 to 1.6 s.
    /// </summary>
    private const int FailuresAfterNews = 4;

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), LongestBackoff, random);
    private int _failures;

    /// <summary>Failures since anything new was learnt.</summary>
    private int _stuck;

    /// <summary>
    /// Said last. An outage has several faces (a reset, then nobody there, then a certificate that is not trusted), and
    /// each is told once.
    /// </summary>
    private string? _reported;

    /// <summary>A part of a list has come.</summary>
    public void Progress() => _stuck = 0;

    /// <summary>A watch has brought a new version.</summary>
    public void News()
    {
        _stuck = 0;
        _failures = Math.Min(_failures, FailuresAfterNews);
    }

    /// <summary>A stream of this age is over.</summary>
    public void Lived(TimeSpan age)
    {
        if (age >= SettledAfter)
            (_failures, _reported) = (0, null);
    }

    /// <summary>Waits after a failure, as long as the server asked at least.</summary>
    /// <returns>Whether what is known is too old, or suspect, and must be listed again.</returns>
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
