using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace BucketEncryptionOperator.Tests.Fakes;

/// <summary>Keeps what was logged, with exceptions, as text.</summary>
internal sealed class RecordingLogger<T>(ConcurrentQueue<string> lines, Func<string>? prefix = null) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    ) => lines.Enqueue($"{prefix?.Invoke()}{logLevel}: {formatter(state, exception)} {exception}");
}
