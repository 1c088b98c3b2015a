using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("seconds", "90s", 90)]
    [InlineData("minutes", "10m", 600)]
    [InlineData("hours", "24h", 86_400)]
    [InlineData("units add up", "1h30m15s", 5_415)]
    [InlineData("in any order, as Go does", "15s1h", 3_615)]
    [InlineData("leading zeros", "007s", 7)]
    [InlineData("zero is a duration", "0s", 0)]
    [InlineData("empty is none", "", null)]
    [InlineData("a number needs a unit", "10", null)]
    [InlineData("also at the end", "1h30", null)]
    [InlineData("a unit needs a number", "m", null)]
    [InlineData("no fractions", "1.5h", null)]
    [InlineData("no sign", "-10m", null)]
    [InlineData("no plus either", "+10m", null)]
    [InlineData("no blanks", "10 m", null)]
    [InlineData("no other units", "10d", null)]
    [InlineData("not even milliseconds", "10ms", null)]
    [InlineData("units are lower case", "10M", null)]
    [InlineData("only ASCII digits", "\u0661s", null)]
    [InlineData("too large for a number", "99999999999h", null)]
    [InlineData("too large for a duration", "2147483647h", null)]
    [InlineData("too large together", "2000000000h2000000000h2000000000h", null)]
    public void Parse_reads_what_Kubernetes_users_write(string sentence, string text, int? seconds)
    {
        var duration = GoDuration.Parse(text);

        Assert.True(
            duration == (seconds is { } s ? TimeSpan.FromSeconds(s) : null),
            $"{sentence}: {text} became {duration}"
        );
    }
}
