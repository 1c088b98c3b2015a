using k8s.Models;

namespace KubeRuntime.Events;

/// <summary>
/// Remembers the events that were sent lately. The same event again within <see cref="Window"/> (client-go's) is
/// another occurrence of a series. The text counts too: it cannot be changed later, so an event with another text would
/// not be seen. Not thread-safe.
/// </summary>
/// <param name="maxRemembered">Series.</param>
internal sealed class EventSeriesCache(TimeProvider time, int maxRemembered)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(6);

    private readonly Dictionary<Identity, Series> _series = [];

    public int Remembered => _series.Count;

    /// <summary>
    /// Counts an occurrence of a running series and returns its event; null if there is no such series.
    /// </summary>
    public Eventsv1Event? Continue(Occurrence occurrence)
    {
        var identity = Identity.Of(occurrence);
        if (!_series.TryGetValue(identity, out var series) || time.GetElapsedTime(series.LastAt) > Window)
            return null;
        var sent = KubeEvent.Again(series.Event, occurrence.At);
        _series[identity] = new Series(sent, time.GetTimestamp());
        return sent;
    }

    public void Begin(Occurrence occurrence, Eventsv1Event sent)
    {
        if (_series.Count >= maxRemembered)
        {
            foreach (var (identity, _) in _series.OrderBy(e => e.Value.LastAt).Take(maxRemembered / 2).ToList())
                _series.Remove(identity);
        }
        _series[Identity.Of(occurrence)] = new Series(sent, time.GetTimestamp());
    }

    private readonly record struct Series(Eventsv1Event Event, long LastAt);

    private readonly record struct Identity(
        EventSubject Subject,
        bool IsWarning,
        string Reason,
        string Action,
        string Note
    )
    {
        public static Identity Of(Occurrence o) => new(o.Subject, o.IsWarning, o.Reason, o.Action, o.Note);
    }
}
