namespace KubeRuntime.Client;

/// <summary>
/// A token that cancels when its time is up or when the caller gives up, whichever comes first. The clock is the given
/// provider's.
/// </summary>
public sealed class Deadline : IDisposable
{
    // The runtime's own timed source: one built on a timer would be cancelled after disposal now and then, and throw on
    // a timer's thread.
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _source;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeout = new CancellationTokenSource(after, time);
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _timeout.Token);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _source.Dispose();
        _timeout.Dispose();
    }
}
