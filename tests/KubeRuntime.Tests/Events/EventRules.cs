using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using k8s.Models;
using KubeRuntime.Client;

namespace KubeRuntime.Tests.Events;

/// <summary>
/// What a kube-apiserver demands of an event that comes through events.k8s.io/v1, from its
/// pkg/apis/core/validation/events.go (ValidateEventCreate, legacyValidateEvent and validateV1EventSeries) and the
/// rules of names that those use. It judges the JSON, which is what a server sees.
/// </summary>
internal static partial class EventRules
{
    private const int MaxQualifiedName = 63;

    public static void Check(Eventsv1Event sent) => Assert.Empty(Violations(ModelJson.Serialize(sent)));

    public static IReadOnlyList<string> Violations(string json)
    {
        var root = JsonDocument.Parse(json).RootElement;
        var wrong = new List<string>();
        var (name, ns) = (Text(root, "metadata", "name"), Text(root, "metadata", "namespace"));
        if (!Subdomain().IsMatch(name) || name.Length > 253)
            wrong.Add("metadata.name");
        if (!Subdomain().IsMatch(ns) || ns.Length > 253)
            wrong.Add("metadata.namespace");
        if (!MicroTime().IsMatch(Text(root, "eventTime")))
            wrong.Add("eventTime");
        if (Text(root, "type") is not ("Normal" or "Warning"))
            wrong.Add("type");
        // The strict rules take default and kube-system for cluster-scoped subjects; of a namespaced one the sink's own
        // namespace must be its own.
        var about = Text(root, "regarding", "namespace");
        if (about.Length == 0 ? ns is not ("default" or "kube-system") : ns != about)
            wrong.Add("regarding.namespace");
        if (!IsQualifiedName(Text(root, "reportingController")))
            wrong.Add("reportingController");
        foreach (var field in (string[])["reportingInstance", "action", "reason"])
        {
            if (Encoding.UTF8.GetByteCount(Text(root, field)) is 0 or > 128)
                wrong.Add(field);
        }
        if (Encoding.UTF8.GetByteCount(Text(root, "note")) > 1024)
            wrong.Add("note");
        foreach (
            var field in (string[])
                ["deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource"]
        )
        {
            if (root.TryGetProperty(field, out _))
                wrong.Add(field);
        }
        if (root.TryGetProperty("series", out var series))
        {
            if (!series.TryGetProperty("count", out var count) || count.GetInt32() < 2)
                wrong.Add("series.count");
            if (!MicroTime().IsMatch(Text(series, "lastObservedTime")))
                wrong.Add("series.lastObservedTime");
        }
        return wrong;
    }

    private static bool IsQualifiedName(string text) =>
        text.Split('/') switch
        {
            [var name] => IsNamePart(name),
            [var prefix, var name] => prefix.Length is > 0 and <= 253
                && Subdomain().IsMatch(prefix)
                && IsNamePart(name),
            _ => false,
        };

    private static bool IsNamePart(string name) =>
        name.Length is > 0 and <= MaxQualifiedName && NamePart().IsMatch(name);

    private static string Text(JsonElement from, params string[] path)
    {
        foreach (var step in path)
        {
            if (!from.TryGetProperty(step, out from))
                return "";
        }
        return from.GetString() ?? "";
    }

    [GeneratedRegex(
        @"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex Subdomain();

    [GeneratedRegex(
        @"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex NamePart();

    [GeneratedRegex(
        @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex MicroTime();
}
