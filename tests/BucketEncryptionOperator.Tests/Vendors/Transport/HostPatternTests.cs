using System.Text.RegularExpressions;
using BucketEncryptionOperator.Vendors.Transport;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Vendors.Transport;

public sealed class HostPatternTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("a wildcard in a label", "oss-*.example", "oss-a.example", true)]
    [InlineData("is never empty", "oss-*.example", "oss-.example", false)]
    [InlineData("never crosses a dot", "oss-*.example", "oss-a.b.example", false)]
    [InlineData("takes letters, digits and hyphens only", "oss-*.example", "oss-a_b.example", false)]
    [InlineData("as a whole label", "*.example", "a.example", true)]
    [InlineData("as a whole label, empty", "*.example", ".example", false)]
    [InlineData("before what occurs twice", "*-internal.example", "a-internal-internal.example", true)]
    [InlineData("between what occurs twice", "a*ab*b.example", "aababab.example", true)]
    [InlineData("twice in a row", "**.example", "ab.example", true)]
    [InlineData("twice in a row, for one character", "**.example", "a.example", false)]
    [InlineData("upper case in the pattern", "OSS-*.Example", "oss-a.example", true)]
    [InlineData("upper case in the host", "oss-*.example", "OSS-A.EXAMPLE", true)]
    [InlineData("a label too many", "*.example", "a.example.", false)]
    [InlineData("a label too few", "*.example.", "a.example", false)]
    [InlineData("a letter that is a k in some alphabets only", "*.k", "a.\u212a", false)]
    [InlineData("a full name", "oss.example", "OSS.example", true)]
    [InlineData("a full name, and more", "oss.example", "oss.example.evil", false)]
    [InlineData("an address", "::1", "::1", true)]
    public void A_wildcard_stands_for_a_part_of_one_label(
        string sentence,
        string pattern,
        string host,
        bool expected
    ) => Assert.True(expected == new HostPattern(pattern).Matches(host), sentence);

    [Fact]
    public void Random_patterns_match_what_the_same_regular_expression_matches()
    {
        var random = RandomSeed.NewRandom(output.WriteLine);
        var (cases, matched) = (RandomSeed.Cases(20_000), 0);

        for (var i = 0; i < cases; i++)
        {
            var (pattern, host) = (Random("ab-.**", random), Random("ab-.A_", random));
            var expected = Regex.IsMatch(
                host,
                "^" + Regex.Escape(pattern).Replace("\\*", "[a-z0-9-]+", StringComparison.Ordinal) + "\\z",
                RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
                TimeSpan.FromSeconds(5)
            );

            Assert.True(expected == new HostPattern(pattern).Matches(host), $"\"{pattern}\" and \"{host}\"");
            matched += expected ? 1 : 0;
        }
        Assert.True(matched > cases / 100, $"only {matched} of {cases} matched");
    }

    [Fact]
    public void A_pattern_of_many_wildcards_takes_no_longer_for_a_name_that_nearly_fits()
    {
        var pattern = new HostPattern(string.Concat(Enumerable.Repeat("*a", 100)) + "b.example");

        Assert.False(pattern.Matches(new string('a', 20_000) + ".example"));
    }

    private static string Random(string letters, Random random) =>
        string.Create(
            random.Next(0, 9),
            (letters, random),
            static (text, of) =>
            {
                foreach (ref var c in text)
                    c = of.letters[of.random.Next(of.letters.Length)];
            }
        );
}
