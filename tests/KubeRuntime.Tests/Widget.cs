using System.Text.Json.Serialization;
using KubeRuntime.Client;

namespace KubeRuntime.Tests;

/// <summary>A kind for tests.</summary>
public sealed record Widget : IKubernetesObject
{
    public required ObjectMeta Metadata { get; init; }

    public WidgetSpec Spec { get; init; } = new();

    public static KubeResource<Widget> Resource { get; } =
        new("test.example.com", "v1", "widgets", WidgetJson.Default.Widget);

    /// <summary>A widget as the server writes it.</summary>
    public static string Json(string name, int version, int size = 0, string ns = "ns") =>
        """{"kind":"Widget","metadata":"""
        + $$$"""{"name":"{{{name}}}","namespace":"{{{ns}}}","resourceVersion":"{{{version}}}"}"""
        + $$$""","spec":{"size":{{{size}}}}}""";

    public static string Annotated(string name, int version, string note) =>
        $$$"""{"metadata":{"name":"{{{name}}}","namespace":"ns","resourceVersion":"{{{version}}}","annotations":"""
        + $$$"""{"note":"{{{note}}}"} } }""";

    /// <summary>A list, or a page of one.</summary>
    public static string List(int version, string? next, params string[] items)
    {
        var more = next is null ? "" : $",\"continue\":\"{next}\"";
        return $$$"""{"kind":"WidgetList","metadata":{"resourceVersion":"{{{version}}}"{{{more}}}}"""
            + $$$""","items":[{{{string.Join(',', items)}}}]}""";
    }

    public static string Event(string type, string widget) => $$"""{"type":"{{type}}","object":{{widget}}}""";

    public static string Bookmark(int version) =>
        Event(
            "BOOKMARK",
            $$$"""{"kind":"Widget","metadata":{"resourceVersion":"{{{version}}}","creationTimestamp":null}}"""
        );

    /// <summary>The bookmark that ends the initial events of a streaming list.</summary>
    public static string EndBookmark(int version) =>
        Event(
            "BOOKMARK",
            $$$"""{"kind":"Widget","metadata":{"resourceVersion":"{{{version}}}","annotations":"""
                + """{"k8s.io/initial-events-end":"true"}}}"""
        );

    /// <summary>A Status object, as an error body or inside a watch.</summary>
    public static string Status(int code, string reason, string message) =>
        $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","code":{{code}}"""
        + $$""","message":"{{message}}","reason":"{{reason}}"}""";

    public static string Error(int code, string reason, string message) =>
        Event("ERROR", Status(code, reason, message));

    public static Widget Of(string name, string version, int size = 0, string ns = "ns") =>
        new()
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = ns,
                ResourceVersion = version,
            },
            Spec = new WidgetSpec { Size = size },
        };
}

public sealed record WidgetSpec
{
    public int Size { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Widget))]
internal sealed partial class WidgetJson : JsonSerializerContext;
