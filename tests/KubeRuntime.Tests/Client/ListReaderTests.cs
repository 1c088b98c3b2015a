using System.Text;
using KubeRuntime.Client;

namespace KubeRuntime.Tests.Client;

public sealed class ListReaderTests
{
    private const int Bound = 100_000;

    [Theory]
    [InlineData(
        "items first",
        """{"items":[{"metadata":{"name":"a"}}],"metadata":{"continue":"c","resourceVersion":"5"}}""",
        "c"
    )]
    [InlineData(
        "an empty continue token: the last page",
        """{"metadata":{"continue":"","resourceVersion":"5"},"items":[{"metadata":{"name":"a"}}]}""",
        null
    )]
    public async Task A_list_is_read_whatever_its_order(string rule, string json, string? next)
    {
        var page = await ReadAsync(json);

        Assert.True(
            (page.ResourceVersion, page.Continue, Assert.Single(page.Items).Metadata.Name) == ("5", next, "a"),
            rule
        );
    }

    [Theory]
    [InlineData("items null", """{"metadata":{"resourceVersion":"5"},"items":null}""")]
    [InlineData("no items", """{"metadata":{"resourceVersion":"5"}}""")]
    public async Task A_list_of_nothing_is_a_list(string rule, string json)
    {
        var page = await ReadAsync(json);

        Assert.True(page.Items.Count == 0 && page.Unreadable.Count == 0, rule);
    }

    [Theory]
    [InlineData("empty", "")]
    [InlineData("no object", "[]")]
    [InlineData("no version", """{"metadata":{},"items":[]}""")]
    [InlineData("an empty version", """{"metadata":{"resourceVersion":""},"items":[]}""")]
    [InlineData("a version that is no text", """{"metadata":{"resourceVersion":5},"items":[]}""")]
    [InlineData("metadata of another shape", """{"metadata":[],"items":[]}""")]
    [InlineData("something after it", """{"metadata":{"resourceVersion":"5"},"items":[]}{}""")]
    [InlineData("half a surrogate pair in a name", """{"\ud800":1,"metadata":{"resourceVersion":"5"},"items":[]}""")]
    public async Task What_is_not_a_list_is_a_transient_failure(string rule, string json)
    {
        var failure = await Assert.ThrowsAsync<KubeApiException>(() => ReadAsync(json));

        Assert.True(failure.Failure == KubeFailureKind.Transient, rule);
    }

    /// <summary>Every size of the buffer ends it within another value.</summary>
    [Fact]
    public async Task A_list_is_the_same_wherever_the_buffer_ends()
    {
        var json =
            """{ "x" : [ {"items":[1]}, "ü" ], "items" : [ """
            + """{"metadata":{"name":"a\u00fc","resourceVersion":"1"},"spec":{"size":1}} , null, """
            + """{"metadata":{"name":"b","namespace":"ns","resourceVersion":"2"},"spec":{"size":"x"}},"""
            + """{"metadata":{"name":"c","resourceVersion":"3"},"spec":{"size":-12}} ] , """
            + """ "metadata" : {"resourceVersion":"5","continue":"next"} , "y" : 12 } """;

        for (var size = 1; size <= json.Length; size++)
        {
            var page = await ReadAsync(json, size);

            Assert.True(
                (page.ResourceVersion, page.Continue, string.Join('|', page.Items.Select(i => i.Metadata.Name)))
                    == ("5", "next", "aü|c"),
                $"buffer of {size} bytes"
            );
            Assert.Equal("|ns/b", string.Join('|', page.Unreadable.Select(u => u.Key.ToString())));
        }
    }

    [Fact]
    public async Task A_list_that_is_cut_off_anywhere_is_none()
    {
        var json = Widget.List(5, "next", Widget.Json("a", 1), Widget.Json("b", 2));

        for (var length = 0; length < json.Length; length++)
            Assert.Equal(
                KubeFailureKind.Transient,
                (await Assert.ThrowsAsync<KubeApiException>(() => ReadAsync(json[..length], 16))).Failure
            );
    }

    [Theory]
    [InlineData(Bound, true)]
    [InlineData(Bound + 1, false)]
    [InlineData(Bound * 3, false)]
    public async Task A_page_must_not_be_longer_than_the_bound(int length, bool fits)
    {
        var json = Widget.List(5, null, Widget.Json("a", 1));

        var read = await Record.ExceptionAsync(() => ReadAsync(json + new string(' ', length - json.Length)));

        Assert.Equal(fits ? null : KubeFailureKind.TooLarge, (read as KubeApiException)?.Failure);
    }

    internal static Task<ListPage<Widget>> ReadAsync(string json, int bufferSize = 1024) =>
        ReadAsync(Encoding.UTF8.GetBytes(json), bufferSize);

    internal static Task<ListPage<Widget>> ReadAsync(byte[] json, int bufferSize = 1024) =>
        new ListReader<Widget>(new MemoryStream(json), Widget.Resource, Bound, bufferSize).ReadAsync(
            CancellationToken.None
        );
}
