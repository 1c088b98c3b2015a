using System.Globalization;
using System.Text;
using System.Text.Json;
using KubeRuntime.Client;
using TestKit;
using Xunit.Abstractions;

namespace KubeRuntime.Tests.Client;

public sealed class RepeatedTextConverterTests(ITestOutputHelper output)
{
    private readonly RepeatedTextConverter _converter = new();

    [Fact]
    public void A_text_that_comes_again_is_the_same_string()
    {
        var first = Read("\"All buckets are as declared.\"");

        var second = Read("\"All buckets are as declared.\"");

        Assert.Same(first, second);
    }

    [Theory]
    [InlineData("empty", "\"\"", "")]
    [InlineData("null", "null", null)]
    [InlineData("escaped", "\"a\\u00e9\\\"b\"", "aé\"b")]
    [InlineData("not ASCII", "\"日本\"", "日本")]
    public void Every_text_is_read_as_it_is(string what, string json, string? expected)
    {
        var texts = new[] { Read(json), Read(json) };

        Assert.True(texts.All(t => t == expected), what);
    }

    [Fact]
    public void A_long_text_is_not_remembered()
    {
        var json = $"\"{new string('a', 129)}\"";

        Assert.NotSame(Read(json), Read(json));
    }

    [Fact]
    public void Texts_of_one_object_do_not_evict_each_other()
    {
        var texts = Enumerable.Range(0, 200).Select(i => $"\"the text with the number {i}\"").ToList();
        var first = texts.Select(Read).ToList();

        var second = texts.Select(Read).ToList();

        Assert.All(texts.Index(), t => Assert.Same(first[t.Index], second[t.Index]));
    }

    [Fact]
    public void Texts_that_collide_are_not_mistaken_for_each_other()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);

        for (var i = 0; i < 20_000; i++) // ten texts a set
        {
            var text = random.Next(1_000_000).ToString("x", CultureInfo.InvariantCulture);
            Assert.Equal(text, Read($"\"{text}\""));
        }
    }

    [Fact]
    public void A_number_is_no_text() => Assert.Throws<InvalidOperationException>(() => Read("1"));

    private string? Read(string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        return _converter.Read(ref reader, typeof(string), JsonSerializerOptions.Default);
    }
}
