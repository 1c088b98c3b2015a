using System.Text;
using System.Text.Json.Serialization;
using KubeRuntime.Api;

namespace KubeRuntime.Events;

/// <summary>The object that an event is about.</summary>
/// <param name="Key">Without a namespace for a cluster-scoped kind.</param>
public sealed record EventSubject(string ApiVersion, string Kind, NamespacedName Key, string Uid);

/// <summary>An <c>Event</c> of <c>events.k8s.io/v1</c>, as far as it is written; the deprecated fields may not be.</summary>
internal sealed record KubeEvent : IKubernetesObject
{
    public const int MaxName = 253;
    public const int MaxWord = 128;
    public const int MaxNoteBytes = 1024;

    /// <summary>Where events about cluster-scoped objects live.</summary>
    private const string DefaultNamespace = "default";

    public string ApiVersion { get; init; } = "events.k8s.io/v1";

    public string Kind { get; init; } = "Event";

    [JsonIgnore]
    ObjectMeta IKubernetesObject.Metadata => new() { Name = Metadata.Name, Namespace = Metadata.Namespace };

    public required EventMeta Metadata { get; init; }

    [JsonConverter(typeof(MicroTimeConverter))]
    public DateTimeOffset? EventTime { get; init; }

    public string ReportingController { get; init; } = "";

    public string ReportingInstance { get; init; } = "";

    public string Action { get; init; } = "";

    public string Reason { get; init; } = "";

    public EventRegarding? Regarding { get; init; }

    public string Note { get; init; } = "";

    public string Type { get; init; } = "";

    /// <summary>From the second occurrence on.</summary>
    public EventSeries? Series { get; init; }

    public static KubeResource<KubeEvent> Resource { get; } = new("events.k8s.io", "v1", "events", EventJson.Default.KubeEvent);

    [JsonIgnore]
    public NamespacedName Key => new(Metadata.Namespace, Metadata.Name);

    /// <summary>The first of its kind.</summary>
    /// <param name="unique">Tells it from other events about the subject.</param>
    public static KubeEvent Of(Occurrence occurrence, EventReporter reporter, long unique) => new()
    {
        Metadata = new EventMeta(NameOf(occurrence.Subject.Key.Name, unique), occurrence.Subject.Key.Namespace is { Length: > 0 } ns ? ns : DefaultNamespace),
        EventTime = occurrence.At,
        ReportingController = reporter.Controller,
        ReportingInstance = Cut(reporter.Instance, MaxWord),
        Action = Cut(occurrence.Action, MaxWord),
        Reason = Cut(occurrence.Reason, MaxWord),
        Regarding = new EventRegarding(occurrence.Subject.ApiVersion, occurrence.Subject.Kind, occurrence.Subject.Key.Name, occurrence.Subject.Key.Namespace, occurrence.Subject.Uid),
        Note = Cut(occurrence.Note, MaxNoteBytes),
        Type = occurrence.IsWarning ? "Warning" : "Normal",
    };

    /// <summary>Some kinds take names that an event does not (<c>system:node</c>): such an event goes without.</summary>
    private static string NameOf(string subject, long unique)
    {
        var suffix = $".{unique:x16}";
        var name = subject.Length + suffix.Length <= MaxName ? subject : subject[..(MaxName - suffix.Length)].TrimEnd('-', '.');
        return (IsSubdomain(name) ? name : "event") + suffix;
    }

    private static bool IsSubdomain(string name) => name.Split('.').All(label =>
        label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));

    /// <summary>At most so many bytes, and no half of a character.</summary>
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

internal sealed record EventMeta(string Name, string Namespace);

/// <param name="Namespace">Empty for a cluster-scoped subject.</param>
internal sealed record EventRegarding(string ApiVersion, string Kind, string Name, string Namespace, string Uid);

internal sealed record EventSeries(int Count, [property: JsonConverter(typeof(MicroTimeConverter))] DateTimeOffset? LastObservedTime);

/// <summary>A merge patch without a version: nobody else writes an event's series.</summary>
internal sealed record SeriesPatch(EventSeries Series);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KubeEvent))]
[JsonSerializable(typeof(SeriesPatch))]
internal sealed partial class EventJson : JsonSerializerContext;
