using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class BucketPatternTests
{
    [Theory]
    [InlineData("the whole name", "ledger", "ledger", true)]
    [InlineData("not a part of it", "ledger", "ledger-1", false)]
    [InlineData("not a part of the pattern", "ledger-1", "ledger", false)]
    [InlineData("a star for everything", "*", "ledger", true)]
    [InlineData("a star for nothing", "ledger*", "ledger", true)]
    [InlineData("a star in the middle", "a*z", "abcz", true)]
    [InlineData("a star that must go back", "*-logs", "a-logs-b-logs", true)]
    [InlineData("a star that goes back in vain", "*-logs", "a-logs-b", false)]
    [InlineData("two stars", "*team*", "my-team-a", true)]
    [InlineData("stars side by side", "a**b", "ab", true)]
    [InlineData("a question mark for one character", "log?", "logs", true)]
    [InlineData("a question mark for none", "log?", "log", false)]
    [InlineData("a question mark for two", "log?", "logss", false)]
    [InlineData("a dot for itself", "a.b", "axb", false)]
    [InlineData("an empty name", "*", "", true)]
    [InlineData("an empty pattern", "", "a", false)]
    public void A_pattern_is_compared_with_the_whole_name(string sentence, string pattern, string name, bool matches) =>
        Assert.True(BucketPattern.Matches(pattern, name) == matches, sentence);

    [Fact]
    public void A_pattern_of_many_stars_takes_no_longer_than_its_length_times_that_of_the_name()
    {
        var pattern = string.Concat(Enumerable.Repeat("*a", BucketPattern.MaxLength / 2)) + "b";

        Assert.False(BucketPattern.Matches(pattern, new string('a', 63))); // with back-tracking: for years
    }

    [Fact]
    public void It_agrees_with_a_simple_matcher_on_random_patterns()
    {
        var random = new Random(20261129);
        for (var i = 0; i < 20_000; i++)
        {
            var pattern = Text(random, "ab*?", 6);
            var name = Text(random, "ab", 6);

            Assert.True(BucketPattern.Matches(pattern, name) == Simple(pattern, name), $"{pattern} {name}");
        }
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("team-?.logs-*", true)]
    [InlineData("", false)]
    [InlineData("Team", false)]
    [InlineData("[a-z]", false)]
    [InlineData("a b", false)]
    [InlineData("{namespace}", false)]
    public void A_pattern_has_the_characters_of_names_and_two_more(string pattern, bool isValid) =>
        Assert.Equal(isValid, BucketPattern.IsValid(pattern));

    private static string Text(Random random, string alphabet, int most) =>
        new([.. Enumerable.Range(0, random.Next(most + 1)).Select(_ => alphabet[random.Next(alphabet.Length)])]);

    private static bool Simple(string pattern, string name) =>
        pattern.Length == 0 ? name.Length == 0
        : pattern[0] == '*' ? Simple(pattern[1..], name) || (name.Length > 0 && Simple(pattern, name[1..]))
        : name.Length > 0 && (pattern[0] == '?' || pattern[0] == name[0]) && Simple(pattern[1..], name[1..]);
}
