using System.Text;
using k8s.Models;
using KubeRuntime.Client;

namespace KubeRuntime.Events;

/// <summary>The object that an event is about.</summary>
/// <param name="Key">Without a namespace for a cluster-scoped kind.</param>
public sealed record EventSubject(string ApiVersion, string Kind, NamespacedName Key, string Uid);

/// <summary>
/// Makes events of <c>events.k8s.io/v1</c> that the API server accepts: names, words and notes within its limits.
/// </summary>
internal static class KubeEvent
{
    public const int MaxName = DnsName.MaxSubdomain;
    public const int MaxWord = 128;
    public const int MaxNoteBytes = 1024;

    /// <summary>Namespace of events about cluster-scoped objects.</summary>
    private const string DefaultNamespace = "default";

    /// <summary>Makes the first event of a series.</summary>
    /// <param name="unique">Distinguishes the event from others about the subject.</param>
    public static Eventsv1Event Of(Occurrence occurrence, EventReporter reporter, long unique) =>
        new()
        {
            ApiVersion = "events.k8s.io/v1",
            Kind = Eventsv1Event.KubeKind,
            Metadata = new V1ObjectMeta
            {
                Name = NameOf(occurrence.Subject.Key.Name, unique),
                NamespaceProperty = occurrence.Subject.Key.Namespace is { Length: > 0 } ns ? ns : DefaultNamespace,
            },
            EventTime = occurrence.At.UtcDateTime,
            ReportingController = reporter.Controller,
            ReportingInstance = Cut(reporter.Instance, MaxWord),
            Action = Cut(occurrence.Action, MaxWord),
            Reason = Cut(occurrence.Reason, MaxWord),
            Regarding = new V1ObjectReference
            {
                ApiVersion = occurrence.Subject.ApiVersion,
                Kind = occurrence.Subject.Kind,
                Name = occurrence.Subject.Key.Name,
                NamespaceProperty = occurrence.Subject.Key.Namespace,
                Uid = occurrence.Subject.Uid,
            },
            Note = Cut(occurrence.Note, MaxNoteBytes),
            Type = occurrence.IsWarning ? "Warning" : "Normal",
        };

    /// <summary>Returns the event after another occurrence.</summary>
    public static Eventsv1Event Again(Eventsv1Event sent, DateTimeOffset at) =>
        sent with
        {
            Series = new Eventsv1EventSeries
            {
                Count = (sent.Series?.Count ?? 1) + 1,
                LastObservedTime = at.UtcDateTime,
            },
        };

    /// <summary>
    /// Returns the name of the event. Some kinds allow names that an event does not (<c>system:node</c>): such an event
    /// has a name without them.
    /// </summary>
    private static string NameOf(string subject, long unique)
    {
        var suffix = $".{unique:x16}";
        var name =
            subject.Length + suffix.Length <= MaxName
                ? subject
                : subject[..(MaxName - suffix.Length)].TrimEnd('-', '.');
        return (DnsName.IsSubdomain(name) ? name : "event") + suffix;
    }

    /// <summary>Cuts the text after a number of bytes, between two characters.</summary>
    private static string Cut(string text, int bytes)
    {
        if (Encoding.UTF8.GetByteCount(text) <= bytes)
            return text;
        var (used, end) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (used + rune.Utf8SequenceLength > bytes)
                break;
            used += rune.Utf8SequenceLength;
            end += rune.Utf16SequenceLength;
        }
        return text[..end];
    }
}
