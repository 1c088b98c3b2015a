using System.Collections.Immutable;
using BucketEncryptionOperator.Api;
using BucketEncryptionOperator.Specs;

namespace BucketEncryptionOperator.Tests.Specs;

public sealed class NamespaceRulesTests
{
    private const string Name = "team-a";

    private static readonly ImmutableArray<KeyValuePair<string, string>> Labels = [new("env", "prod"), new("tier", "")];

    private static readonly Dictionary<string, (AllowedNamespacesSpec? Allowed, bool Expected)> Table = new(
        StringComparer.Ordinal
    )
    {
        ["nothing said: nobody"] = (null, false),
        ["an empty answer: nobody"] = (new(), false),
        ["its name"] = (new() { Names = ["team-b", "team-a"] }, true),
        ["another name"] = (new() { Names = ["team-b"] }, false),
        ["names have no patterns"] = (new() { Names = ["team-*", "*"] }, false),
        ["names are told apart by case"] = (new() { Names = ["Team-A"] }, false),
        ["an empty selector: everybody"] = (Selector(new()), true),
        ["a label"] = (Match(("env", "prod")), true),
        ["a label with another value"] = (Match(("env", "test")), false),
        ["a label that it has not"] = (Match(("region", "x")), false),
        ["an empty value is a value"] = (Match(("tier", "")), true),
        ["of two labels one"] = (Match(("env", "prod"), ("region", "x")), false),
        ["one of several values"] = (Expression("env", "In", "test", "prod"), true),
        ["none of several values"] = (Expression("env", "In", "test", "dev"), false),
        ["In asks for the label"] = (Expression("region", "In", ""), false),
        ["not one of them"] = (Expression("env", "NotIn", "test"), true),
        ["one that it must not be"] = (Expression("env", "NotIn", "prod"), false),
        ["a label that is not there is not in the list"] = (Expression("region", "NotIn", "x"), true),
        ["a label that must be there"] = (Expression("tier", "Exists"), true),
        ["a label that must be there and is not"] = (Expression("region", "Exists"), false),
        ["a label that must not be there"] = (Expression("region", "DoesNotExist"), true),
        ["a label that must not be there and is"] = (Expression("tier", "DoesNotExist"), false),
        ["an operator of a later version"] = (Expression("env", "Near", "prod"), false),
        ["labels that fit and an expression that does not"] = (
            Selector(
                new()
                {
                    MatchLabels = ImmutableDictionary<string, string>.Empty.Add("env", "prod"),
                    MatchExpressions = [new LabelRequirementSpec { Key = "tier", Operator = "DoesNotExist" }],
                }
            ),
            false
        ),
        ["another name, and a selector that fits"] = (Match(("env", "prod")) with { Names = ["team-b"] }, true),
        ["its name, and a selector that does not fit"] = (Match(("env", "test")) with { Names = ["team-a"] }, true),
    };

    private static readonly Dictionary<string, (AllowedNamespacesSpec? Allowed, bool Expected)> Unknown = new(
        StringComparer.Ordinal
    )
    {
        ["its name needs no labels"] = (new() { Names = ["team-a"] }, true),
        ["an empty selector selects namespaces that there are"] = (Selector(new()), false),
        ["no label is known not to be there"] = (Expression("region", "DoesNotExist"), false),
    };

    public static TheoryData<string> Sentences => new(Table.Keys);

    public static TheoryData<string> UnknownSentences => new(Unknown.Keys);

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_namespace_may_use_a_store_or_not(string sentence) =>
        Assert.Equal(Table[sentence].Expected, NamespaceRules.Allows(Table[sentence].Allowed, Name, Labels));

    [Theory]
    [MemberData(nameof(UnknownSentences))]
    public void Of_a_namespace_that_is_not_known_only_its_name_counts(string sentence) =>
        Assert.Equal(Unknown[sentence].Expected, NamespaceRules.Allows(Unknown[sentence].Allowed, Name, labels: null));

    private static AllowedNamespacesSpec Selector(LabelSelectorSpec selector) => new() { Selector = selector };

    private static AllowedNamespacesSpec Match(params (string Name, string Value)[] labels) =>
        Selector(
            new() { MatchLabels = labels.ToImmutableDictionary(l => l.Name, l => l.Value, StringComparer.Ordinal) }
        );

    private static AllowedNamespacesSpec Expression(string key, string op, params string[] values) =>
        Selector(
            new()
            {
                MatchExpressions =
                [
                    new LabelRequirementSpec
                    {
                        Key = key,
                        Operator = op,
                        Values = [.. values],
                    },
                ],
            }
        );
}
