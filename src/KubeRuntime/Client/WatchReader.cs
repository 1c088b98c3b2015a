namespace KubeRuntime.Client;

/// <summary>An open watch. Read it until it returns null (the server ended it) or throws; then dispose it.</summary>
public sealed class WatchReader<T> : IDisposable
    where T : class, IKubernetesObject
{
    private readonly HttpResponseMessage _response;
    private readonly LineReader _lines;
    private readonly KubeResource<T> _resource;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lifetime;
    private readonly long _openedAt;

    /// <summary>Ends a wait: after its time, or when the caller gives up.</summary>
    private readonly CancellationTokenSource _stop;

    internal WatchReader(
        HttpResponseMessage response,
        LineReader lines,
        KubeResource<T> resource,
        TimeProvider time,
        TimeSpan lifetime
    )
    {
        _response = response;
        _lines = lines;
        _resource = resource;
        _time = time;
        _lifetime = lifetime;
        _openedAt = time.GetTimestamp();
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>Time since the watch was opened.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_openedAt);

    public Task<WatchLine<T>?> ReadAsync(CancellationToken cancellationToken) =>
        ReadAsync(_lifetime, cancellationToken);

    /// <param name="silence">Maximum wait for this line.</param>
    /// <param name="cancellationToken">Once it was cancelled during a call, the reader cannot be used any more.</param>
    /// <returns>The next event, or null at a clean end.</returns>
    /// <exception cref="KubeApiException">
    /// Transient: the stream broke, lasted too long, was silent for too long, or a line is no event.
    /// </exception>
    public async Task<WatchLine<T>?> ReadAsync(TimeSpan silence, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var line = _lines.ReadAsync(_stop.Token);
            return (line.IsCompleted ? await line : await WaitAsync(line, silence, cancellationToken)) is { } read
                ? ObjectReader.ReadWatchLine(read.Span, _resource)
                : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            throw new KubeApiException(KubeFailureKind.Transient, $"WATCH {_resource.Plural}: silent for too long", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KubeApiException(
                KubeFailureKind.Transient,
                $"WATCH {_resource.Plural}: {ApiHandler.Describe(e)}",
                e
            );
        }
    }

    public void Dispose()
    {
        _response.Dispose();
        _stop.Dispose();
    }

    /// <summary>
    /// Sets one timer for all lines, only for those that are not there yet: many changes at once cost none.
    /// </summary>
    private async Task<ReadOnlyMemory<byte>?> WaitAsync(
        ValueTask<ReadOnlyMemory<byte>?> line,
        TimeSpan silence,
        CancellationToken cancellationToken
    )
    {
        var left = _lifetime - Age;
        if (left > silence)
            left = silence;
        await using var giveUp = cancellationToken.UnsafeRegister(
            static stop => ((CancellationTokenSource?)stop)?.Cancel(),
            _stop
        );
        _stop.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        try
        {
            return await line;
        }
        finally
        {
            _stop.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }
}
