using System.Text;
using KubeRuntime.Client;

namespace KubeRuntime.Tests.Client;

public sealed class LineReaderTests
{
    private const int Bound = 200_000;

    [Fact]
    public async Task Lines_are_the_same_wherever_the_stream_splits_them()
    {
        var text = "first\n\nsecond with ü\r\nthird\nhalf"u8.ToArray();

        for (var split = 0; split <= text.Length; split++)
        {
            var lines = await ReadAllAsync(new PartsStream(text[..split], text[split..]));

            Assert.Equal("first||second with ü\r|third", string.Join('|', lines));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16 * 1024)]
    [InlineData(100_000)]
    public async Task Long_and_short_lines_come_whole_in_any_portions(int portion)
    {
        var lines = ((int[])[3, 16_383, 16_384, 16_385, 0, 50_000, 1, 150_000, 2])
            .Select((n, i) => new string((char)('a' + i), n))
            .ToArray();
        var bytes = Encoding.ASCII.GetBytes(string.Concat(lines.Select(l => l + "\n")));

        var read = await ReadAllAsync(new PartsStream([.. bytes.Chunk(portion)]));

        Assert.Equal(string.Join('|', lines), string.Join('|', read));
    }

    [Theory]
    [InlineData(Bound - 1, true)]
    [InlineData(Bound, false)]
    [InlineData(Bound * 3, false)]
    public async Task A_line_has_to_be_shorter_than_the_bound(int length, bool fits)
    {
        var reader = new LineReader(
            new PartsStream([.. Encoding.ASCII.GetBytes(new string('x', length) + "\n").Chunk(10_000)]),
            Bound
        );

        var read = await Record.ExceptionAsync(async () =>
            Assert.Equal(length, (await reader.ReadAsync(CancellationToken.None))?.Length)
        );

        Assert.Equal(fits ? null : typeof(IOException), read?.GetType());
    }

    [Fact]
    public async Task After_a_burst_the_memory_is_given_back()
    {
        var reader = new LineReader(
            new PartsStream(Encoding.ASCII.GetBytes(new string('x', 150_000) + "\n"), "y\n"u8.ToArray()),
            Bound
        );

        await reader.ReadAsync(CancellationToken.None);
        Assert.True(reader.BufferSize > 150_000);
        await reader.ReadAsync(CancellationToken.None);

        Assert.Equal(16 * 1024, reader.BufferSize);
    }

    [Fact]
    public async Task The_end_stays_the_end()
    {
        var reader = new LineReader(new PartsStream("a\nhalf"u8.ToArray()), Bound);

        await reader.ReadAsync(CancellationToken.None);

        Assert.Null(await reader.ReadAsync(CancellationToken.None));
        Assert.Null(await reader.ReadAsync(CancellationToken.None));
    }

    private static async Task<List<string>> ReadAllAsync(Stream stream)
    {
        var reader = new LineReader(stream, Bound);
        var lines = new List<string>();
        while (await reader.ReadAsync(CancellationToken.None) is { } line)
            lines.Add(Encoding.UTF8.GetString(line.Span));
        return lines;
    }

    /// <summary>Gives one part a read, or less where the buffer is smaller.</summary>
    private sealed class PartsStream(params byte[][] parts) : MemoryStream
    {
        private readonly Queue<byte[]> _parts = new(parts.Where(p => p.Length > 0));
        private ReadOnlyMemory<byte> _rest;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Assert.NotEqual(0, buffer.Length);
            if (_rest.IsEmpty && _parts.TryDequeue(out var next))
                _rest = next;
            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return ValueTask.FromResult(count);
        }
    }
}
