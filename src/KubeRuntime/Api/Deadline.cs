namespace KubeRuntime.Api;

/// <summary>A token that cancels when its time is up or when the caller gives up, whichever comes first. The clock is the given provider's.</summary>
public sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _timer = time.CreateTimer(static s => ((CancellationTokenSource?)s)?.Cancel(), _source, after, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }
}
