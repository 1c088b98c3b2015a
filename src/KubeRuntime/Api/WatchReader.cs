namespace KubeRuntime.Api;

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

    internal WatchReader(HttpResponseMessage response, LineReader lines, KubeResource<T> resource, TimeProvider time, TimeSpan lifetime)
    {
        _response = response;
        _lines = lines;
        _resource = resource;
        _time = time;
        _lifetime = lifetime;
        _openedAt = time.GetTimestamp();
    }

    /// <summary>Time since the watch was opened.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_openedAt);

    public Task<WatchLine<T>?> ReadAsync(CancellationToken cancellationToken) => ReadAsync(_lifetime, cancellationToken);

    /// <param name="silence">Longest wait for this line.</param>
    /// <returns>The next event, or null at a clean end.</returns>
    /// <exception cref="KubeApiException">Transient: the stream broke, lasted too long, was silent for too long, or a line is no event.</exception>
    public async Task<WatchLine<T>?> ReadAsync(TimeSpan silence, CancellationToken cancellationToken)
    {
        var left = _lifetime - Age;
        if (left > silence)
            left = silence;
        using var deadline = new Deadline(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, cancellationToken);
        try
        {
            return await _lines.ReadAsync(deadline.Token) is { } line ? ObjectReader.ReadWatchLine(line.Span, _resource) : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e)
        {
            throw new KubeApiException(KubeFailure.Transient, $"WATCH {_resource.Plural}: silent for too long", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new KubeApiException(KubeFailure.Transient, $"WATCH {_resource.Plural}: {KubeClient.Describe(e)}", e);
        }
    }

    public void Dispose() => _response.Dispose();
}
