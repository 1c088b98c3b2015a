using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace Integration.Tests.Harness;

/// <summary>
/// All that is said in this process while it listens: logs of every category and level with values, scopes and
/// exceptions; every exception that is thrown, caught or not; every metric's tags; every trace's name, tags and events.
/// By its source, each text once.
/// </summary>
internal sealed class Overheard : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentDictionary<(string Source, string Text), bool> _texts = new();
    private readonly MeterListener _metrics = new();
    private readonly ActivityListener _traces;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public Overheard()
    {
        AppDomain.CurrentDomain.FirstChanceException += Thrown;
        _metrics.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _metrics.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Measured(instrument, tags));
        _metrics.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Measured(instrument, tags));
        _metrics.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Measured(instrument, tags));
        _metrics.Start();
        _traces = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a =>
                Add(
                    "traces",
                    $"{a.OperationName} {a.DisplayName} {Pairs(a.TagObjects)} "
                        + $"{string.Concat(a.Events.Select(e => e.Name + Pairs(e.Tags)))} {a.StatusDescription}"
                ),
        };
        ActivitySource.AddActivityListener(_traces);
    }

    public ILookup<string, string> Texts
    {
        get
        {
            _metrics.RecordObservableInstruments();
            return _texts.Keys.ToLookup(t => t.Source, t => t.Text, StringComparer.Ordinal);
        }
    }

    public void Add(string source, string text) => _texts.TryAdd((source, text), true);

    public ILogger CreateLogger(string categoryName) => new Ear(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        AppDomain.CurrentDomain.FirstChanceException -= Thrown;
        _metrics.Dispose();
        _traces.Dispose();
    }

    private void Thrown(object? sender, FirstChanceExceptionEventArgs e) => Add("exceptions", $"{e.Exception}");

    private void Measured(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        Add("metrics", $"{instrument.Meter.Name} {instrument.Name} {Pairs(tags.ToArray())}");

    private static string Pairs(IEnumerable<KeyValuePair<string, object?>> pairs) =>
        string.Join(' ', pairs.Select(p => $"{p.Key}={p.Value}"));

    private sealed class Ear(Overheard owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var scopes = new List<object?>();
            owner._scopes.ForEachScope((scope, list) => list.Add(scope), scopes);
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? Pairs(pairs) : "";
            owner.Add(
                "log of every category",
                $"{logLevel} {category}: {formatter(state, exception)} {values} {exception} {string.Join(' ', scopes)}"
            );
        }
    }
}
