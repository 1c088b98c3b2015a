using Integration.Tests.Scenarios;
using ObjectStoreSimulator;

namespace Integration.Tests;

/// <summary>A scenario that says nothing by mistake would pass forever.</summary>
public sealed class ScenarioReaderTests
{
    [Theory]
    [InlineData("a word of the file", "titel: x", "titel")]
    [InlineData("a word of an expectation", "title: x\nsteps: [{expect: {write: [PUT a]}}]", "write")]
    [InlineData(
        "a word of a policy's expectation",
        "title: x\nsteps: [{expect: {policies: {p: {redy: True}}}}]",
        "redy"
    )]
    [InlineData("a word of a step", "title: x\nsteps: [{aply: {policy: p}}]", "aply")]
    [InlineData("a key that is there twice", "title: x\ntitle: y", "title")]
    [InlineData(
        "two things at a time",
        "title: x\nsteps: [{operator: kill, resyncs: {a: 1}, expect: {}}]",
        "one thing at a time"
    )]
    [InlineData(
        "two things that are waited for",
        "title: x\nsteps: [{lists: 1, resyncs: {a: 1}, expect: {}}]",
        "one thing"
    )]
    [InlineData(
        "two things that are waited for, one of them of the key service",
        "title: x\nsteps: [{lists: 1, describes: {key-1: 1}, expect: {}}]",
        "one thing"
    )]
    [InlineData(
        "a word of a key that is expected",
        "title: x\nsteps: [{expect: {policies: {p: {keyUseable: no}}}}]",
        "keyUseable"
    )]
    [InlineData("a number that is none", "title: x\nsteps: [{expect: {asked: {ListBuckets: few}}}]", "few")]
    [InlineData("a range of three", "title: x\nsteps: [{expect: {asked: {ListBuckets: 1-2-3}}}]", "1-2-3")]
    [InlineData("nothing that is expected", "title: x\nsteps: [{operator: kill}]", "expect nothing")]
    [InlineData("an object without a name", "title: x\nsteps: [{apply: {spec: {}}, expect: {}}]", "name one object")]
    public void What_no_scenario_can_say_is_an_error_with_file_and_word(string sentence, string text, string word)
    {
        var problem = Assert.Throws<FormatException>(() => ScenarioReader.Read("folder/file.yaml", text));

        Assert.True(
            problem.Message.StartsWith("folder/file.yaml: ", StringComparison.Ordinal)
                && problem.Message.Contains(word, StringComparison.Ordinal),
            sentence + ": " + problem.Message
        );
    }

    [Fact]
    public void Scenarios_have_names_of_their_own()
    {
        var names = ScenarioReader.Files.Select(Path.GetFileName).ToList();

        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("None")]
    [InlineData("AES256")]
    [InlineData("KMS")]
    [InlineData("KMS key-1 data=SM4 project=p-1 bucketKey=true +Future:kept")]
    [InlineData("SM9 +Future")]
    public void A_buckets_words_are_read_as_they_are_written(string words) =>
        Assert.All(
            Enum.GetValues<Vendor>(),
            vendor => Assert.Equal(words, BucketWords.FromXml(BucketWords.ToXml(words, vendor)))
        );

    [Theory]
    [InlineData("a part is enough", "{a: 1}", """{"a": 1, "b": 2}""", true)]
    [InlineData("another value", "{a: 1}", """{"a": 2}""", false)]
    [InlineData("what must not be there", "{a: null}", """{"a": 2}""", false)]
    [InlineData("what is not there", "{a: null}", "{}", true)]
    [InlineData("a part of a text", "{a: contains ell}", """{"a": "hello"}""", true)]
    [InlineData("a text that is lacking", "{a: lacks ell}", """{"a": "hello"}""", false)]
    [InlineData("an absent text lacks nothing", "{a: lacks ell}", "{}", false)]
    [InlineData("a list of another length", "{a: [1]}", """{"a": [1, 2]}""", false)]
    [InlineData("a list where there is none", "{a: []}", "{}", false)]
    public void Parts_match_or_not(string sentence, string wanted, string actual, bool matches)
    {
        var scenario = ScenarioReader.Read(
            "f.yaml",
            $"title: x\nsteps: [{{expect: {{policies: {{p: {{status: {wanted}}}}}}}}}]"
        );

        var problems = Matching.Problems(
            scenario.Steps[0].Expect!.Policies["p"].Status,
            System.Text.Json.Nodes.JsonNode.Parse(actual),
            "status"
        );

        Assert.True(matches == !problems.Any(), sentence);
    }
}
