using System.Text.Json;
using System.Text.Json.Nodes;

namespace Integration.Tests.Harness;

/// <summary>One request as the API server recorded it.</summary>
internal sealed record AuditEntry(
    string Verb,
    string Resource,
    string Subresource,
    string Namespace,
    string Name,
    int Code,
    string Uri
)
{
    public bool IsStreamingList => Verb == "watch" && Uri.Contains("sendInitialEvents=true", StringComparison.Ordinal);
}

/// <summary>The API server's own record of who asked what: a witness that the operator cannot influence.</summary>
internal static class AuditLog
{
    private const string Agent = "bucket-encryption-operator/";

    /// <summary>Length now, to read from later.</summary>
    public static long Mark(string path) => new FileInfo(path).Length;

    /// <summary>
    /// The operator's requests since the mark; a watch is recorded when it starts and again when it ends.
    /// </summary>
    public static IReadOnlyList<AuditEntry> OperatorSince(string path, long mark)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = mark;
        using var reader = new StreamReader(file);
        var entries = new List<AuditEntry>();
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is { } entry)
                entries.Add(entry);
        }
        return entries;
    }

    private static AuditEntry? Parse(string line)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(line);
        }
        catch (JsonException)
        {
            return null; // the last line is still being written
        }
        if (node?["userAgent"]?.GetValue<string>().StartsWith(Agent, StringComparison.Ordinal) != true)
            return null;
        var reference = node["objectRef"];
        string Text(string name) => reference?[name]?.GetValue<string>() ?? "";
        return new AuditEntry(
            node["verb"]?.GetValue<string>() ?? "",
            Text("resource"),
            Text("subresource"),
            Text("namespace"),
            Text("name"),
            node["responseStatus"]?["code"]?.GetValue<int>() ?? 0,
            node["requestURI"]?.GetValue<string>() ?? ""
        );
    }
}
