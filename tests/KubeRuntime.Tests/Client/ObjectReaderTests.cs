using System.Text;
using KubeRuntime.Client;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Client;

public sealed class ObjectReaderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(
        "type first",
        """{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"5"},"spec":{"size":7}}}"""
    )]
    [InlineData(
        "object before type",
        """{"object":{"metadata":{"name":"a","resourceVersion":"5"},"spec":{"size":7}},"type":"MODIFIED"}"""
    )]
    [InlineData(
        "spec before metadata, white space",
        """ { "object" : { "spec" : {"size":7 } , "metadata":{"resourceVersion":"5","name":"a" } }"""
            + """ , "type":"MODIFIED" } """
    )]
    [InlineData(
        "fields that nobody knows",
        """{"x":{"type":"ADDED","object":[{}]},"object":"""
            + """{"metadata":{"name":"a","resourceVersion":"5","managedFields":[{"f:spec":{"f:a":{}}}]}"""
            + ""","spec":{"size":7,"y":[[1]]},"z":null},"type":"MODIFIED","w":[{"object":1}]}"""
    )]
    [InlineData(
        "a windows line end",
        """{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"5"},"spec":{"size":7}}}""" + "\r"
    )]
    public void A_watch_line_is_read_whatever_its_order_and_extras(string rule, string json)
    {
        var line = ObjectReader.ReadWatchLine(Encoding.UTF8.GetBytes(json), Widget.Resource);

        Assert.True((line.Type, line.ResourceVersion, line.Item?.Spec.Size) == (WatchLineType.Modified, "5", 7), rule);
    }

    [Fact]
    public async Task An_object_nested_too_deep_costs_only_itself()
    {
        var deep =
            """{"metadata":{"name":"deep","namespace":"ns","resourceVersion":"3"},"x":"""
            + new string('[', 300)
            + new string(']', 300)
            + "}";

        var page = await ListReaderTests.ReadAsync(
            Widget.List(5, null, Widget.Json("a", 1), deep, Widget.Json("b", 2))
        );
        var line = ObjectReader.ReadWatchLine(Encoding.UTF8.GetBytes(Widget.Event("ADDED", deep)), Widget.Resource);

        Assert.Equal(2, page.Items.Count);
        Assert.Equal("ns/deep", Assert.Single(page.Unreadable).Key.ToString());
        Assert.Equal(("ns/deep", "3"), (line.Unreadable?.Key.ToString(), line.ResourceVersion));
    }

    [Theory]
    [InlineData("gone by code", """{"code":410}""", KubeFailureKind.Expired)]
    [InlineData("gone by reason", """{"reason":"Expired"}""", KubeFailureKind.Expired)]
    [InlineData("gone by the older reason", """{"reason":"Gone","code":500}""", KubeFailureKind.Expired)]
    [InlineData("conflict", """{"code":409,"reason":"Conflict"}""", KubeFailureKind.Conflict)]
    [InlineData("no code", """{"message":"?"}""", KubeFailureKind.Transient)]
    [InlineData("a code that is none", """{"code":"410"}""", KubeFailureKind.Transient)]
    [InlineData("a code out of any range", """{"code":-2147483648}""", KubeFailureKind.Transient)]
    [InlineData("no Status at all", "[1]", KubeFailureKind.Transient)]
    [InlineData("cut off", """{"code":410""", KubeFailureKind.Transient)]
    public void A_status_says_what_the_failure_means(string rule, string json, KubeFailureKind failure)
    {
        var read = ObjectReader.ReadStatus(Encoding.UTF8.GetBytes(json), "GET /x");

        Assert.True(read.Failure == failure, rule);
    }

    [Fact]
    public async Task Messages_are_bounded()
    {
        var huge = new string('m', 100_000);

        var status = ObjectReader.ReadStatus(Encoding.UTF8.GetBytes(Widget.Status(500, huge, huge)), "GET /x");
        var type = Assert.Throws<KubeApiException>(() =>
            ObjectReader.ReadWatchLine(Encoding.UTF8.GetBytes(Widget.Event(huge, "{}")), Widget.Resource)
        );
        var list = await Assert.ThrowsAsync<KubeApiException>(() => ListReaderTests.ReadAsync("{" + huge));

        Assert.All((Exception[])[status, type, list], e => Assert.InRange(e.Message.Length, 10, 1200));
    }

    /// <summary>
    /// Bytes of any kind are a list, a line, or a <see cref="KubeApiException"/>; nothing else comes out.
    /// </summary>
    [Fact]
    public async Task No_bytes_bring_another_exception_than_ours()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        string[] valid =
        [
            Widget.List(
                10,
                "next",
                Widget.Json("a", 1),
                """
                {"metadata":{"name":"b","deletionTimestamp":"2026-01-01T00:00:00Z","generation":4},"spec":{"size":1}}
                """
            ),
            Widget.Event("ADDED", Widget.Json("ü\\u00fc", 12, 3)),
            Widget.Bookmark(17),
            Widget.Error(410, "Expired", "too old"),
            """{"type":"ERROR","object":{"kind":"Status","code":429,"details":{"retryAfterSeconds":3}}}""",
        ];
        var ours = 0;

        for (var i = 0; i < 24_000; i++)
        {
            var bytes =
                i % 8 == 0
                    ? RandomBytes(random)
                    : Damaged(Encoding.UTF8.GetBytes(valid[random.Next(valid.Length)]), random);
            try
            {
                if (i % 2 == 0)
                    _ = ObjectReader.ReadWatchLine(bytes, Widget.Resource);
                else
                    _ = (await ListReaderTests.ReadAsync(bytes)).Unreadable.Select(u => u.Key.ToString()).ToList();
            }
            catch (KubeApiException e)
            {
                Assert.InRange(e.Message.Length, 1, 1200);
                ours++;
            }
            catch (Exception e) when (e is not KubeApiException)
            {
                Assert.Fail($"case {i}: {e.GetType()} on {Convert.ToBase64String(bytes)}\n{e}");
            }
        }

        Assert.InRange(ours, 5000, 24_000);
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(60)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Damaged(byte[] valid, Random random)
    {
        string[] junk =
        [
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            ",",
            "null",
            "7",
            "1e999",
            "\\ud800",
            "\"\\udfff\"",
            "{}",
            "[[[[",
            "\0",
            "true",
            "\"x\":",
        ];
        var bytes = valid.ToList();
        for (var n = random.Next(1, 4); n > 0 && bytes.Count > 1; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(junk[random.Next(junk.Length)]));
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 10), bytes.Count - at));
                    break;
                default:
                    // A value for another: keeps the JSON valid more often than not.
                    var colon = bytes.IndexOf((byte)':', at);
                    var comma = colon < 0 ? -1 : bytes.IndexOf((byte)',', colon);
                    if (comma > 0)
                    {
                        bytes.RemoveRange(colon + 1, comma - colon - 1);
                        bytes.InsertRange(colon + 1, Encoding.UTF8.GetBytes(junk[random.Next(7, 13)]));
                    }
                    break;
            }
        }
        return [.. bytes];
    }
}
