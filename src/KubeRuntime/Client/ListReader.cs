using System.Text.Json;

namespace KubeRuntime.Client;

/// <summary>
/// Reads one page of a list as it arrives, object by object: what is held of the text is one object, and not the page.
/// </summary>
/// <param name="maxLength">Of the page, in bytes.</param>
/// <param name="bufferSize">
/// Bytes at first; it grows to what the largest value needs. Below the size from which arrays live longer.
/// </param>
internal sealed class ListReader<T>(Stream stream, KubeResource<T> resource, int maxLength, int bufferSize = 64 * 1024)
    where T : class, IKubernetesObject
{
    private readonly List<T> _items = [];
    private readonly List<UnreadableObject> _unreadable = [];
    private byte[] _buffer = new byte[bufferSize];

    /// <summary>What is in the buffer and not yet read.</summary>
    private int _start;
    private int _end;
    private JsonReaderState _state = new(ObjectReader.Envelope);
    private Position _position = Position.BeforeList;
    private string? _version;
    private string? _next;

    private enum Position
    {
        BeforeList,
        InList,
        InItems,
        AfterList,
    }

    /// <exception cref="KubeApiException">
    /// Transient: the text is not a list (cut off, or not JSON). TooLarge: it is longer than the bound.
    /// </exception>
    /// <exception cref="IOException">The stream broke.</exception>
    public async Task<ListPage<T>> ReadAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            MakeRoom();
            // To the end of the buffer: what was read of a value is read again when more of it is there
            var room = _buffer.AsMemory(_end);
            var read = await stream.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellationToken);
            (_end, length) = (_end + read, length + read);
            if (length > maxLength)
                throw new KubeApiException(
                    KubeFailureKind.TooLarge,
                    $"LIST {resource.Plural}: the answer is larger than {maxLength / 1024 / 1024} MiB"
                );
            if (Read(isLast: read < room.Length))
                return Page();
        }
    }

    private ListPage<T> Page() =>
        string.IsNullOrEmpty(_version)
            ? throw NoList("no metadata.resourceVersion")
            : new ListPage<T>(_items, _unreadable, _version, _next is "" ? null : _next);

    private void MakeRoom()
    {
        if (_start == 0 && _end == _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, maxLength + 1));
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
    }

    /// <summary>Reads every value that is whole.</summary>
    /// <returns>True when the list has ended.</returns>
    private bool Read(bool isLast)
    {
        var json = _buffer.AsSpan(_start, _end - _start);
        try
        {
            var reader = new Utf8JsonReader(json, isLast, _state);
            var whole = reader;
            while (Step(json, ref reader))
                whole = reader;
            (_state, _start) = (whole.CurrentState, _start + (int)whole.BytesConsumed);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Invalid UTF-8 inside a string is an InvalidOperationException.
            throw NoList(ObjectReader.Bounded(e.Message), e);
        }
        if (isLast && _position != Position.AfterList)
            throw NoList("cut off");
        return isLast;
    }

    /// <summary>Reads one value, or a name with its value.</summary>
    /// <returns>False when it is not whole; the reader has moved all the same.</returns>
    private bool Step(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        if (!reader.Read())
            return false;
        switch (_position)
        {
            case Position.BeforeList:
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw new JsonException("not an object");
                _position = Position.InList;
                return true;
            case Position.InItems when reader.TokenType == JsonTokenType.EndArray:
                _position = Position.InList;
                return true;
            case Position.InItems:
                return ReadItem(json, ref reader);
            case Position.InList when reader.TokenType == JsonTokenType.EndObject:
                _position = Position.AfterList;
                return true;
            case Position.InList:
                return ReadField(json, ref reader);
            default:
                throw new JsonException("more after the end");
        }
    }

    private bool ReadField(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        var name = reader.GetString();
        if (!reader.Read())
            return false;
        if (name is "items" && reader.TokenType == JsonTokenType.StartArray)
        {
            _position = Position.InItems;
            return true;
        }
        var start = (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
            return false;
        if (name is "metadata")
            (_version, _next) = ObjectReader.ReadListMeta(json[start..(int)reader.BytesConsumed]);
        return true;
    }

    private bool ReadItem(ReadOnlySpan<byte> json, ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
            return false;
        var (item, bad) = ObjectReader.ReadObject(json[start..(int)reader.BytesConsumed], resource);
        if (item is not null)
            _items.Add(item);
        else if (bad is not null)
            _unreadable.Add(bad);
        return true;
    }

    private KubeApiException NoList(string problem, Exception? inner = null) =>
        new(KubeFailureKind.Transient, $"LIST {resource.Plural}: the answer is not a list: {problem}", inner);
}
