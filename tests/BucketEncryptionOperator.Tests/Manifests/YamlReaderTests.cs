using System.Text;
using System.Text.Json;
using BucketEncryptionOperator.Manifests;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Manifests;

public sealed class YamlReaderTests(ITestOutputHelper output)
{
    /// <summary>As sigs.k8s.io/yaml makes JSON of it, which is what kubectl sends.</summary>
    [Theory]
    [InlineData("a: yes", """{"a":true}""")]
    [InlineData("a: 'yes'", """{"a":"yes"}""")]
    [InlineData("a: Off", """{"a":false}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: ''", """{"a":""}""")]
    [InlineData("a: 012", """{"a":10}""")]
    [InlineData("a: 08", """{"a":8}""")]
    [InlineData("a: 0x1F", """{"a":31}""")]
    [InlineData("a: 0b11", """{"a":3}""")]
    [InlineData("a: 1_000", """{"a":1000}""")]
    [InlineData("a: -7", """{"a":-7}""")]
    [InlineData("a: 5.0", """{"a":5}""")]
    [InlineData("a: 1e3", """{"a":1000}""")]
    [InlineData("a: 2.5", """{"a":2.5}""")]
    [InlineData("a: 2026-01-02", """{"a":"2026-01-02"}""")]
    [InlineData("a: 1.2.3", """{"a":"1.2.3"}""")]
    [InlineData("a: 10m", """{"a":"10m"}""")]
    [InlineData("a: !!str 5", """{"a":"5"}""")]
    [InlineData("1: x\ntrue: z", """{"1":"x","true":"z"}""")]
    [InlineData("a: &b {c: 1}\nd: *b", """{"a":{"c":1},"d":{"c":1}}""")]
    [InlineData("a: &b {c: 1, d: 2}\ne:\n  <<: *b\n  c: 3", """{"a":{"c":1,"d":2},"e":{"c":3,"d":2}}""")]
    [InlineData("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [InlineData("{\"a\":\t[1, null, \"\\u0041\"]}", """{"a":[1,null,"A"]}""")]
    public void It_is_read_as_kubectl_reads_it(string yaml, string json) =>
        Assert.Equal(json, Json(Assert.Single(Read(yaml))));

    [Theory]
    [InlineData("a: 1\na: 2", "f.yaml:2:1: the key \"a\" is there twice")]
    [InlineData("a: [1, 2", "f.yaml:2:1: not YAML")]
    [InlineData("a: *b", "f.yaml:1:4: *b stands for nothing")]
    [InlineData("a: .inf", "f.yaml:1:4: .inf is not a number that JSON has")]
    [InlineData("[a]: 1", "f.yaml:1:1: a key cannot be of type array")]
    [InlineData("a: !<> b", "f.yaml:1:2: not YAML, after this")]
    [InlineData("a: !!binary aGk=", "f.yaml:1:4: a value with the tag !!binary")]
    [InlineData("a:\n  <<: 5", "f.yaml:2:7: << takes a mapping")]
    public void What_cannot_be_read_is_said_with_its_place(string yaml, string expected)
    {
        var e = Assert.Throws<ManifestException>(() => Read(yaml));

        Assert.StartsWith(expected, e.Problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_documents_are_passed_over()
    {
        var documents = Read("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n");

        Assert.Equal(["""{"a":1}""", """{"b":2}"""], documents.Select(Json));
    }

    [Fact]
    public void A_small_text_that_stands_for_a_huge_value_is_refused()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 12; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");

        var e = Assert.Throws<ManifestException>(() => Read(bomb.ToString()));

        Assert.Contains("more than 1000000 values", e.Message, StringComparison.Ordinal);
    }

    /// <summary>It is refused while it is read, not once all of it is in memory.</summary>
    [Theory]
    [InlineData("- \n")]
    [InlineData("- [a, b, c]\n")]
    public void A_long_text_is_refused_where_it_becomes_too_long(string line)
    {
        using var text = new LongText(line, lines: 1_500_000);

        Assert.Throws<ManifestException>(() => YamlReader.Read("f.yaml", text).ToList());

        Assert.True(text.Left > 0);
    }

    [Fact]
    public void A_text_without_an_end_is_refused()
    {
        using var text = new BoundedReader(new LongText("x", lines: int.MaxValue), new SourcePosition("f", 0, 0), 1000);

        var e = Assert.Throws<ManifestException>(() => text.ReadToEnd());

        Assert.Equal("f: larger than 1000 characters", e.Problem.ToString());
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var e = Assert.Throws<ManifestException>(() => Read(new string('[', 5000)));

        Assert.Contains("nested more than", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_text_is_read_or_refused_with_its_place()
    {
        const string Letters = "ab:- \n\t[]{},'\"&*!|>#%@`<0x1~\u00e4\u0000";
        var random = RandomSeed.NewRandom(output.WriteLine);
        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(30)).Select(_ => Letters[random.Next(Letters.Length)])
            );
            try
            {
                Read(text);
            }
            catch (ManifestException e)
            {
                Assert.True(e.Problem.Position.Line >= 0);
            }
        }
    }

    private static List<ManifestNode> Read(string yaml) => [.. YamlReader.Read("f.yaml", new StringReader(yaml))];

    private static string Json(ManifestNode node)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            node.Write(json);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>One line, again and again.</summary>
    private sealed class LongText(string line, int lines) : TextReader
    {
        private int _at;

        public int Left { get; private set; } = lines;

        public override int Peek() => Left == 0 ? -1 : line[_at];

        public override int Read()
        {
            var c = Peek();
            if (c >= 0 && ++_at == line.Length)
                (_at, Left) = (0, Left - 1);
            return c;
        }
    }
}
