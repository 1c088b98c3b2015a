using System.Text.Json;

namespace KubeRuntime.Client;

/// <summary>An object that the server sent and that its reader could not read. It is reported and skipped.</summary>
/// <param name="Key">The key, as far as it could be read.</param>
/// <param name="Problem">What is wrong, without the object's content.</param>
public sealed record UnreadableObject(NamespacedName Key, string Problem);

/// <summary>One page of a list.</summary>
/// <param name="ResourceVersion">Version of the collection, from which a watch continues.</param>
/// <param name="Continue">Token of the next page, null on the last.</param>
public sealed record ListPage<T>(
    IReadOnlyList<T> Items,
    IReadOnlyList<UnreadableObject> Unreadable,
    string ResourceVersion,
    string? Continue
);

/// <summary>What a watch line says, in the words of the protocol.</summary>
public enum WatchLineType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Carries only a newer resource version to resume from.</summary>
    Bookmark,

    /// <summary>The bookmark that ends the initial events of a streaming list: all that exists has been sent.</summary>
    InitialEventsEnd,

    /// <summary>Carries a failure; 410 means that the resume version is too old.</summary>
    Error,
}

/// <summary>
/// One line of a watch. <see cref="Item"/> is set on the first three types unless it was unreadable, then
/// <see cref="Unreadable"/> is; <see cref="Failure"/> on errors; <see cref="ResourceVersion"/> on all but errors.
/// </summary>
public sealed record WatchLine<T>(
    WatchLineType Type,
    string ResourceVersion,
    T? Item = null,
    UnreadableObject? Unreadable = null,
    KubeApiException? Failure = null
)
    where T : class;

/// <summary>
/// Reads watch lines and what lists are made of, object by object, so that one bad object costs only itself. What is
/// around an object is read by a <see cref="Utf8JsonReader"/>; its bytes then go to the kind's source-generated reader.
/// </summary>
internal static class ObjectReader
{
    private const int MaxMessage = 512;
    private const string InitialEventsEnd = "k8s.io/initial-events-end";

    /// <summary>
    /// Maximum depth of the envelope, far above the 64 of an object's own reader: an object that is too deep costs
    /// itself, not the whole answer.
    /// </summary>
    private const int MaxDepth = 1000;

    /// <summary>What the text around objects is read with.</summary>
    public static readonly JsonReaderOptions Envelope = new() { MaxDepth = MaxDepth };

    /// <exception cref="KubeApiException">Transient: the text is not a watch line (cut off, or not JSON).</exception>
    public static WatchLine<T> ReadWatchLine<T>(ReadOnlySpan<byte> json, KubeResource<T> resource)
        where T : class, IKubernetesObject
    {
        try
        {
            string? type = null;
            ReadOnlySpan<byte> body = default;
            var reader = new Utf8JsonReader(json, Envelope);
            Expect(ref reader, JsonTokenType.StartObject);
            while (NextProperty(ref reader, out var name))
            {
                if (name is "type")
                    type = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                else if (name is "object")
                    body = Slice(json, ref reader);
                else
                    reader.Skip();
            }
            ExpectEnd(ref reader);
            if (body.IsEmpty || body[0] != (byte)'{')
                throw new JsonException("no object");
            return type switch
            {
                "ADDED" => ReadChange(WatchLineType.Added, body, resource),
                "MODIFIED" => ReadChange(WatchLineType.Modified, body, resource),
                "DELETED" => ReadChange(WatchLineType.Deleted, body, resource),
                "BOOKMARK" => ReadBookmark<T>(body),
                "ERROR" => new WatchLine<T>(
                    WatchLineType.Error,
                    "",
                    Failure: ReadStatus(body, $"WATCH {resource.Plural}")
                ),
                _ => throw new JsonException("unknown type"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new KubeApiException(
                KubeFailureKind.Transient,
                $"WATCH {resource.Plural}: the line is not a watch event: {Bounded(e.Message)}",
                e
            );
        }
    }

    /// <summary>
    /// Reads a <c>Status</c> object. A text that is not one gives a Transient failure, because an incomplete error says
    /// nothing.
    /// </summary>
    /// <param name="httpStatus">Used if the text has no code of its own.</param>
    public static KubeApiException ReadStatus(ReadOnlySpan<byte> json, string operation, int httpStatus = 0)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            var root = document.RootElement;
            var code = root.TryGetProperty("code", out var c) && c.TryGetInt32(out var n) ? n : httpStatus;
            var reason = Text(root, "reason");
            var failure =
                reason is "Expired" or "Gone" ? KubeFailureKind.Expired
                : code == 0 ? KubeFailureKind.Transient
                : KubeApiException.Classify((System.Net.HttpStatusCode)code);
            var retryAfter =
                root.TryGetProperty("details", out var details)
                && details.ValueKind == JsonValueKind.Object
                && details.TryGetProperty("retryAfterSeconds", out var s)
                && s.TryGetInt32(out var seconds)
                && seconds > 0
                    ? TimeSpan.FromSeconds(seconds)
                    : (TimeSpan?)null;
            return new KubeApiException(
                failure,
                $"{operation}: {code} {Bounded(reason)}: {Bounded(Text(root, "message"))}"
            )
            {
                RetryAfter = retryAfter,
                MissingObject =
                    code == 404
                    && reason == "NotFound"
                    && Text(root, "kind") == "Status"
                    && details.ValueKind == JsonValueKind.Object
                    && Text(details, "name") is { Length: > 0 } name
                        ? name
                        : null,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new KubeApiException(
                KubeFailureKind.Transient,
                $"{operation}: {httpStatus}, an error that is not a Status object",
                e
            );
        }
    }

    /// <summary>Whether the text is a whole <c>Status</c> object.</summary>
    public static bool IsStatus(ReadOnlySpan<byte> json)
    {
        try
        {
            return Text(JsonElement.Parse(json), "kind") == "Status";
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static WatchLine<T> ReadChange<T>(WatchLineType type, ReadOnlySpan<byte> body, KubeResource<T> resource)
        where T : class, IKubernetesObject
    {
        var (item, bad) = ReadObject(body, resource);
        return new WatchLine<T>(type, item?.Metadata.ResourceVersion ?? ReadIdentity(body).ResourceVersion, item, bad);
    }

    private static WatchLine<T> ReadBookmark<T>(ReadOnlySpan<byte> body)
        where T : class, IKubernetesObject
    {
        var meta = ReadMeta(body);
        var isEnd =
            meta.ValueKind == JsonValueKind.Object
            && meta.TryGetProperty("annotations", out var annotations)
            && Text(annotations, InitialEventsEnd) == "true";
        return new WatchLine<T>(
            isEnd ? WatchLineType.InitialEventsEnd : WatchLineType.Bookmark,
            Text(meta, "resourceVersion")
        );
    }

    /// <summary>Reads one object, or says what is wrong with it.</summary>
    public static (T? Item, UnreadableObject? Bad) ReadObject<T>(ReadOnlySpan<byte> body, KubeResource<T> resource)
        where T : class, IKubernetesObject
    {
        try
        {
            return JsonSerializer.Deserialize(body, resource.ObjectType) is { Metadata.Name.Length: > 0 } item
                ? (item, null)
                : (null, new UnreadableObject(ReadIdentity(body).Key, "has no metadata.name"));
        }
        catch (JsonException e)
        {
            // The path tells where; the message may quote the value.
            return (null, new UnreadableObject(ReadIdentity(body).Key, $"cannot be read at {Bounded(e.Path ?? "$")}"));
        }
        catch (Exception e)
            when (e is InvalidOperationException or NotSupportedException or FormatException or ArgumentException)
        {
            // Converters and setters of the kind may throw these.
            return (null, new UnreadableObject(ReadIdentity(body).Key, $"cannot be read ({e.GetType().Name})"));
        }
    }

    /// <summary>Returns name and version of an object whose body may be anything; empty if it has none.</summary>
    private static (NamespacedName Key, string ResourceVersion) ReadIdentity(ReadOnlySpan<byte> body)
    {
        var meta = ReadMeta(body);
        return (new NamespacedName(Text(meta, "namespace"), Text(meta, "name")), Text(meta, "resourceVersion"));
    }

    /// <summary>
    /// Returns the metadata of an object whose body may be anything; a value that is not an object if it has none.
    /// </summary>
    private static JsonElement ReadMeta(ReadOnlySpan<byte> body)
    {
        try
        {
            var root = JsonElement.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("metadata", out var meta)
                ? meta
                : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>Reads the metadata of a list.</summary>
    public static (string? Version, string? Continue) ReadListMeta(ReadOnlySpan<byte> body)
    {
        using var document = JsonDocument.Parse(body.ToArray());
        var meta = document.RootElement;
        if (meta.ValueKind != JsonValueKind.Object)
            throw new JsonException("metadata is not an object");
        return (
            meta.TryGetProperty("resourceVersion", out _) ? Text(meta, "resourceVersion") : null,
            Text(meta, "continue")
        );
    }

    private static string Text(JsonElement node, string name)
    {
        try
        {
            return
                node.ValueKind == JsonValueKind.Object
                && node.TryGetProperty(name, out var value)
                && value.ValueKind == JsonValueKind.String
                ? value.GetString() ?? ""
                : "";
        }
        catch (InvalidOperationException)
        {
            return ""; // half a surrogate pair, or bytes that are no UTF-8
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new JsonException("not an object");
    }

    /// <summary>Checks that nothing follows on the line: a second event must not be lost silently.</summary>
    private static void ExpectEnd(ref Utf8JsonReader reader)
    {
        if (reader.Read())
            throw new JsonException("more after the end");
    }

    private static bool NextProperty(ref Utf8JsonReader reader, out string? name)
    {
        name = null;
        if (!reader.Read())
            throw new JsonException("cut off");
        if (reader.TokenType == JsonTokenType.EndObject)
            return false;
        name = reader.GetString();
        return reader.Read() ? true : throw new JsonException("cut off");
    }

    /// <summary>
    /// Returns the bytes of the value that the reader stands on; leaves the reader on its last token.
    /// </summary>
    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> json, scoped ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return json[start..(int)reader.BytesConsumed];
    }

    public static string Bounded(string text) => text.Length <= MaxMessage ? text : text[..MaxMessage];
}
