namespace KubeRuntime.Client;

/// <summary>
/// Splits a stream into lines of bounded length without copying them: a line is valid until the next call.
/// </summary>
internal sealed class LineReader(Stream stream, int maxLength)
{
    private const int FirstSize = 16 * 1024;
    private byte[] _buffer = new byte[FirstSize];
    private int _start;
    private int _end;

    internal int BufferSize => _buffer.Length;

    /// <returns>
    /// The next line without its end, or null when the stream has ended. A last line without an end was cut off, and is
    /// not returned.
    /// </returns>
    /// <exception cref="IOException">The stream broke, or a line is longer than the bound.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        var scanned = 0;
        while (true)
        {
            var newline = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = _buffer.AsMemory(_start, scanned + newline);
                _start += scanned + newline + 1;
                return line;
            }
            scanned = _end - _start;
            MakeRoom();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
                return null;
            _end += read;
        }
    }

    private void MakeRoom()
    {
        var length = _end - _start;
        if (length >= maxLength)
            throw new IOException($"a line is longer than {maxLength} bytes");
        if (_start > 0)
        {
            // A burst of large objects must not be remembered forever by an idle watch.
            var target = length == 0 && _buffer.Length > FirstSize ? new byte[FirstSize] : _buffer;
            _buffer.AsSpan(_start, length).CopyTo(target);
            _buffer = target;
            (_start, _end) = (0, length);
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, maxLength + 1));
    }
}
