using k8s.Models;

namespace KubeRuntime.Events;

/// <summary>
/// Remembers the events that were sent lately. The same event again within <see cref="Window"/> (client-go's) is
/// another occurrence of a series. The text counts too: it cannot be changed later, so an event with another text would
/// not be seen. Not thread-safe.
/// </summary>
internal sealed class EventSeriesCache(TimeProvider time)
{
    public const int MaxRemembered = 1024;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(6);

    private readonly Dictionary<Identity, Entry> _entries = [];

    public int Remembered => _entries.Count;

    /// <summary>
    /// Counts an occurrence of a running series and returns its event; null if there is no such series.
    /// </summary>
    public Eventsv1Event? Continue(Occurrence occurrence)
    {
        var identity = Identity.Of(occurrence);
        if (!_entries.TryGetValue(identity, out var entry) || time.GetElapsedTime(entry.LastAt) > Window)
            return null;
        var told = KubeEvent.Again(entry.Event, occurrence.At);
        _entries[identity] = new Entry(told, time.GetTimestamp());
        return told;
    }

    public void Begin(Occurrence occurrence, Eventsv1Event told)
    {
        if (_entries.Count >= MaxRemembered)
        {
            foreach (var (identity, _) in _entries.OrderBy(e => e.Value.LastAt).Take(MaxRemembered / 2).ToList())
                _entries.Remove(identity);
        }
        _entries[Identity.Of(occurrence)] = new Entry(told, time.GetTimestamp());
    }

    private readonly record struct Entry(Eventsv1Event Event, long LastAt);

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
