using System.Collections.Immutable;
using BucketEncryptionOperator.Cel;
using TestKit;
using Xunit.Abstractions;

namespace BucketEncryptionOperator.Tests.Cel;

/// <summary>Single forms. A test in Integration.Tests holds the rules of crds/ against the API server.</summary>
public sealed class CelExpressionTests(ITestOutputHelper output)
{
    private static readonly CelValue Self = Map(
        ("name", new CelValue.Text("ab")),
        ("empty", Map()),
        ("blank", new CelValue.Text("")),
        ("none", new CelValue.List([])),
        ("count", new CelValue.Int(3)),
        ("on", CelValue.True),
        ("list", new CelValue.List([new CelValue.Text("a"), new CelValue.Text("b")]))
    );

    [Theory]
    [InlineData("self.name == 'ab'", true)]
    [InlineData("self.name != \"ab\"", false)]
    [InlineData("!(self.name == 'ab')", false)]
    [InlineData("has(self.empty)", true)]
    [InlineData("has(self.blank) && has(self.none)", true)]
    [InlineData("has(self.absent)", false)]
    [InlineData("has(self.empty.inner)", false)]
    [InlineData("self.on || self.absent", true)]
    [InlineData("self.absent || self.on", true)]
    [InlineData("self.absent && !self.on", false)]
    [InlineData("has(self.absent) ? self.absent == 1 : self.count == 3", true)]
    [InlineData("self.name in ['x', 'ab']", true)]
    [InlineData("'b' in self.list", true)]
    [InlineData("'name' in self", true)]
    [InlineData("self.name.size() == 2 && size(self.list) == 2", true)]
    [InlineData("self.name.matches('^[a-z]$')", false)]
    [InlineData("self.name.matches('^[a-z]+$')", true)]
    [InlineData("self.name.matches('b')", true)]
    [InlineData("self.name.startsWith('a') && self.name.contains('b')", true)]
    [InlineData("self.name.replace('a', 'x') == 'xb'", true)]
    [InlineData("duration('1h30m') > duration('89m')", true)]
    [InlineData("duration('x') > duration('89m') || self.on", true)]
    [InlineData("[self.on, false, self.on].filter(x, x).size() == 2", true)]
    [InlineData("self.list.filter(x, x == self.name).size() == 0", true)]
    [InlineData("self.list.all(x, x.size() == 1)", true)]
    [InlineData("self.list.all(x, x == 'b')", false)]
    [InlineData("[1, self.list].all(x, x == 2)", false)]
    [InlineData("self.all(key, key.size() > 1)", true)]
    [InlineData("self['name'] == 'ab'", true)]
    [InlineData("self.list[self.list.size() - 1] == 'b'", true)]
    [InlineData("5 - 2 - 1 == 2", true)]
    [InlineData(@"r'a\b' == 'a\\b'", true)]
    public void It_means(string expression, bool expected) => Assert.Equal(CelValue.Of(expected), Evaluate(expression));

    [Theory]
    [InlineData("self.absent == 1")]
    [InlineData("self.absent && self.on")]
    [InlineData("unknown == 1")]
    [InlineData("duration('') > duration('1s')")]
    [InlineData("duration('99999999999999999999h') > duration('1s')")]
    [InlineData("duration('1x') > duration('1s')")]
    [InlineData("self.name < self.count")]
    [InlineData("self.name && true")]
    [InlineData("self.count.matches('1')")]
    [InlineData("self.count.all(x, x == 1)")]
    [InlineData("self.list.all(x, x)")]
    [InlineData("self['other'] == 1")]
    [InlineData("self.list[2] == 'a'")]
    [InlineData("self.list[0 - 1] == 'a'")]
    [InlineData("self.name - 1 == 1")]
    public void It_is_an_error(string expression) => Assert.IsType<CelValue.Error>(Evaluate(expression));

    [Theory]
    [InlineData("")]
    [InlineData("self.")]
    [InlineData("self.name ==")]
    [InlineData("self.name.matches(self.name)")]
    [InlineData(@"self.name.matches('\\d')")]
    [InlineData("self.exists(x, x)")]
    [InlineData("self.name + 'a' == 'b'")]
    [InlineData("'open")]
    [InlineData("(self.on")]
    [InlineData("has(self)")]
    [InlineData("self.on self.on")]
    public void A_form_that_is_not_known_is_not_guessed(string expression) =>
        Assert.Throws<CelSyntaxException>(() => CelParser.Parse(expression));

    /// <summary>RE2's end of the text is the end; .NET's allows a line break.</summary>
    [Fact]
    public void A_pattern_ends_where_the_text_ends() =>
        Assert.Equal(CelValue.False, CelParser.Parse("self.matches('^a$')").Evaluate(Scope(new CelValue.Text("a\n"))));

    [Fact]
    public void Random_text_is_an_expression_or_a_syntax_error()
    {
        const string Letters = "selfhas.()'\"![]&|=<>?:,x1 r\\{ü";
        var random = RandomSeed.NewRandom(output.WriteLine);
        for (var i = 0; i < RandomSeed.Cases(20_000); i++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(12)).Select(_ => Letters[random.Next(Letters.Length)])
            );
            try
            {
                CelParser.Parse(text).Evaluate(Scope(Self));
            }
            catch (CelSyntaxException)
            {
                // What it is for.
            }
        }
    }

    private static CelValue Evaluate(string expression) => CelParser.Parse(expression).Evaluate(Scope(Self));

    private static CelScope Scope(CelValue self) => new("self", self);

    private static CelValue.Map Map(params (string Key, CelValue Value)[] fields) =>
        new(fields.ToImmutableDictionary(f => f.Key, f => f.Value, StringComparer.Ordinal));
}
