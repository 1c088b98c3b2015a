namespace KubeRuntime.Tests.Events;

/// <summary>A checker that finds nothing proves nothing.</summary>
public sealed class EventRulesTests
{
    private const string Good = """
        {"metadata":{"name":"a.1","namespace":"ns"},"eventTime":"2026-01-01T00:00:00.000000Z",
        "type":"Normal","reason":"R","action":"A","note":"n",
        "regarding":{"namespace":"ns"},"reportingController":"example.com/test","reportingInstance":"i",
        "series":{"count":2,"lastObservedTime":"2026-01-01T00:00:00.000000Z"}}
        """;

    [Theory]
    [InlineData("nothing", "@", "@", "")]
    [InlineData("a name in capitals", "a.1", "A.1", "metadata.name")]
    [InlineData("a name that ends in a dot", "a.1", "a.", "metadata.name")]
    [InlineData("no name", "a.1", "", "metadata.name")]
    [InlineData(
        "a time without fractions",
        "\"eventTime\":\"2026-01-01T00:00:00.000000Z\"",
        "\"eventTime\":\"2026-01-01T00:00:00Z\"",
        "eventTime"
    )]
    [InlineData("no time", "\"eventTime\"", "\"x\"", "eventTime")]
    [InlineData("another type", "Normal", "Info", "type")]
    [InlineData(
        "another namespace than its subject's",
        "\"regarding\":{\"namespace\":\"ns\"}",
        "\"regarding\":{\"namespace\":\"other\"}",
        "regarding.namespace"
    )]
    [InlineData(
        "a cluster-scoped subject outside of default",
        "\"regarding\":{\"namespace\":\"ns\"}",
        "\"regarding\":{}",
        "regarding.namespace"
    )]
    [InlineData("a controller with two slashes", "example.com/test", "example.com/test/2", "reportingController")]
    [InlineData("no controller", "example.com/test", "", "reportingController")]
    [InlineData("no instance", "\"reportingInstance\":\"i\"", "\"reportingInstance\":\"\"", "reportingInstance")]
    [InlineData("no action", "\"action\":\"A\"", "\"action\":\"\"", "action")]
    [InlineData("no reason", "\"reason\":\"R\"", "\"reason\":\"\"", "reason")]
    [InlineData("a deprecated field", "\"note\"", "\"deprecatedCount\":1,\"note\"", "deprecatedCount")]
    [InlineData("a series of one", "\"count\":2", "\"count\":1", "series.count")]
    [InlineData("a series without a time", "\"lastObservedTime\"", "\"x\"", "series.lastObservedTime")]
    public void The_checker_finds(string what, string from, string to, string field)
    {
        var wrong = EventRules.Violations(Good.Replace(from, to, StringComparison.Ordinal));

        Assert.Equal($"{what}: {field}", $"{what}: {string.Join(", ", wrong)}");
    }

    [Theory]
    [InlineData("note", 1024)]
    [InlineData("reason", 128)]
    [InlineData("action", 128)]
    [InlineData("reportingInstance", 128)]
    public void The_checker_counts_bytes(string field, int most)
    {
        var text = Good.Replace(
            $"\"{field}\":\"",
            $"\"{field}\":\"é{new string('x', most - 3)}",
            StringComparison.Ordinal
        );

        Assert.Empty(EventRules.Violations(text));
        Assert.Equal([field], EventRules.Violations(text.Replace("é", "éx", StringComparison.Ordinal)));
    }
}
