using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Integration.Tests.Harness;

/// <summary>A span as it came over the wire. Times are nanoseconds.</summary>
internal sealed record ReceivedSpan(
    string Trace,
    string Id,
    string Parent,
    string Name,
    ulong Start,
    ulong End,
    IReadOnlyDictionary<string, string> Attributes,
    string Resource
)
{
    public ulong Took => End - Start;

    public string this[string attribute] => Attributes.GetValueOrDefault(attribute, "");
}

/// <summary>
/// What OTLP over HTTP sends here, in protobuf (opentelemetry-proto, trace/v1 and metrics/v1): as much of it as a test
/// looks at, read without the generated code that the sender has.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    public ConcurrentDictionary<string, int> Metrics { get; } = new(StringComparer.Ordinal);

    public string Url => _app.Urls.Single();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var batch in Message.Read(body.ToArray()).All(1))
        {
            if (context.Request.Path == "/v1/traces")
                TakeSpans(batch);
            else
                TakeMetrics(batch);
        }
        context.Response.ContentType = "application/x-protobuf";
    }

    private void TakeSpans(Message batch)
    {
        var resource = string.Join(' ', Attributes(batch.All(1).Single(), 1).Select(a => $"{a.Key}={a.Value}"));
        foreach (var span in batch.All(2).SelectMany(scope => scope.All(2)))
        {
            Spans.Enqueue(
                new ReceivedSpan(
                    Convert.ToHexStringLower(span.Bytes(1)),
                    Convert.ToHexStringLower(span.Bytes(2)),
                    Convert.ToHexStringLower(span.Bytes(4)),
                    span.Text(5),
                    BinaryPrimitives.ReadUInt64LittleEndian(span.Bytes(7)),
                    BinaryPrimitives.ReadUInt64LittleEndian(span.Bytes(8)),
                    Attributes(span, 9),
                    resource
                )
            );
        }
    }

    private void TakeMetrics(Message batch)
    {
        foreach (var metric in batch.All(2).SelectMany(scope => scope.All(2)))
            Metrics.AddOrUpdate(metric.Text(1), 1, (_, n) => n + 1);
    }

    /// <summary>KeyValue: key is 1; value is 2, of which 1 is text, 2 a truth value and 3 a number.</summary>
    private static Dictionary<string, string> Attributes(Message of, int field) =>
        of.All(field)
            .ToDictionary(
                a => a.Text(1),
                a => a.All(2).Single() is var value && value.Has(1) ? value.Text(1) : $"{value.Number(3)}",
                StringComparer.Ordinal
            );

    /// <summary>The fields of one protobuf message, in their raw form.</summary>
    private sealed class Message
    {
        private readonly List<(int Field, byte[] Raw, ulong Number)> _fields = [];

        public static Message Read(byte[] raw)
        {
            var message = new Message();
            for (var at = 0; at < raw.Length; )
            {
                var tag = Varint(raw, ref at);
                var number = (tag & 7) == 0 ? Varint(raw, ref at) : 0;
                var length = (tag & 7) switch
                {
                    0 => 0,
                    1 => 8,
                    2 => (int)Varint(raw, ref at),
                    5 => 4,
                    var other => throw new InvalidDataException($"wire type {other}"),
                };
                message._fields.Add(((int)(tag >> 3), raw[at..(at + length)], number));
                at += length;
            }
            return message;
        }

        public bool Has(int field) => _fields.Exists(f => f.Field == field);

        public IEnumerable<Message> All(int field) => _fields.Where(f => f.Field == field).Select(f => Read(f.Raw));

        public byte[] Bytes(int field) => _fields.Find(f => f.Field == field).Raw ?? [];

        public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

        public ulong Number(int field) => _fields.Find(f => f.Field == field).Number;

        private static ulong Varint(byte[] raw, ref int at)
        {
            var (value, shift) = (0UL, 0);
            do
            {
                value |= (ulong)(raw[at] & 0x7f) << shift;
                shift += 7;
            } while ((raw[at++] & 0x80) != 0);
            return value;
        }
    }
}
